#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace nngpcheck::files {

/// The most that is read of one file, or unpacked from one: 1 GiB.
inline constexpr std::uintmax_t most_bytes = 1 << 30;

/// Throws InputError if the file is missing, or something else than a regular file.
void check_file(const std::filesystem::path& file);

/// The contents of a regular file of at most most_bytes. Throws InputError if it is missing, something else,
/// larger, or not readable.
std::string read_file(const std::filesystem::path& file);

/// The same of a text in UTF-8. Throws InputError for any other file, saying what it is if that is known.
std::string read_text(const std::filesystem::path& file);

}  // namespace nngpcheck::files
