#pragma once

#include <filesystem>
#include <string>

namespace nngpcheck::config {

/// Throws ConfigError if the file is missing, or something else than a regular file.
void check_file(const std::filesystem::path& file);

/// The contents of a regular file of at most 1 GiB. Throws ConfigError if it is missing, something else,
/// larger, or not readable.
std::string read_file(const std::filesystem::path& file);

}  // namespace nngpcheck::config
