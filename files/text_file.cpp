#include "nngpcheck/files/text_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "nngpcheck/support/error.hpp"
#include "nngpcheck/support/memory.hpp"

namespace nngpcheck::files {

void check_file(const std::filesystem::path& file) {
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (!std::filesystem::exists(status)) throw InputError(file.string() + ": no such file");
  // A device or a pipe might never end.
  if (!std::filesystem::is_regular_file(status)) throw InputError(file.string() + ": not a file");
}

std::string read_file(const std::filesystem::path& file) {
  check_file(file);
  const std::uintmax_t size = std::filesystem::file_size(file);
  // Its text is in memory twice for a moment.
  const auto most = std::min(most_bytes, static_cast<std::uintmax_t>(support::available_memory() / 2));
  if (size > most) {
    throw InputError(file.string() + ": holds " + std::to_string(size) + " bytes; at most " +
                     std::to_string(most) + " can be read");
  }
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream contents;
  if (stream.peek() != std::ifstream::traits_type::eof()) contents << stream.rdbuf();
  if (!stream.is_open() || stream.bad() || contents.bad()) {
    throw InputError(file.string() + ": cannot be read: " + std::strerror(errno));
  }
  return std::move(contents).str();
}

}  // namespace nngpcheck::files
