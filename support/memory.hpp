// Memory of the machine.
#pragma once

#include <filesystem>
#include <string>

namespace nngpcheck::support {

/// Bytes that this process may still take: what Linux calls available, within the limits of its control group
/// and of those around it (version 1 or 2), where what they hold for files that nobody has read for long does
/// not count as taken. `root` is where the file systems of the kernel are mounted.
double available_memory(const std::filesystem::path& root = "/");

/// "3.1 GB", "512 MB".
std::string bytes_text(double bytes);

}  // namespace nngpcheck::support
