#include "compare/atomic_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "compare/error.hpp"

namespace nngpcheck::compare {

void cannot_write(const std::filesystem::path& file) {
  throw CompareError(file.string() + ": cannot be written: " + std::strerror(errno));
}

void write_all(int descriptor, std::string_view bytes, const std::filesystem::path& file) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) cannot_write(file);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

AtomicFile::AtomicFile(std::filesystem::path file) : file_(std::move(file)), temporary_(file_) {
  if (std::filesystem::is_directory(file_)) {
    throw CompareError(file_.string() + ": cannot be written: it is a directory");
  }
  temporary_ += ".partial";
  const int descriptor = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) cannot_write(file_);
  ::close(descriptor);
}

AtomicFile::~AtomicFile() {
  std::error_code ignored;
  if (!temporary_.empty()) std::filesystem::remove(temporary_, ignored);
}

void AtomicFile::commit() {
  const int descriptor = ::open(temporary_.c_str(), O_WRONLY | O_CLOEXEC);
  const bool durable = descriptor >= 0 && ::fsync(descriptor) == 0;
  if (descriptor >= 0) ::close(descriptor);
  if (!durable || ::rename(temporary_.c_str(), file_.c_str()) != 0) cannot_write(file_);
  temporary_.clear();
}

void AtomicFile::commit(std::string_view contents) {
  const int descriptor = ::open(temporary_.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) cannot_write(file_);
  try {
    write_all(descriptor, contents, file_);
  } catch (...) {
    ::close(descriptor);
    throw;
  }
  ::close(descriptor);
  commit();
}

void write_file(const std::filesystem::path& file, std::string_view contents) {
  AtomicFile(file).commit(contents);
}

}  // namespace nngpcheck::compare
