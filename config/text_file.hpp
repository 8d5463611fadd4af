#pragma once

#include <filesystem>
#include <string>

namespace nngpcheck::config {

/// The contents of a regular file. Throws ConfigError if it is missing, something else, or not readable.
std::string read_file(const std::filesystem::path& file);

}  // namespace nngpcheck::config
