#include "nngpcheck/files/atomic_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <random>

#include "nngpcheck/support/error.hpp"

namespace nngpcheck::files {

namespace {

namespace fs = std::filesystem;

const std::string extension = ".partial";
constexpr std::size_t digits = 16;

/// A file that a name may be given to, links followed, also those to what is not there yet.
fs::path target(const fs::path& file) {
  constexpr int most_links = 40;  // Linux's own limit
  std::error_code error;
  fs::path resolved = file;
  for (int links = 0; fs::is_symlink(resolved, error); ++links) {
    if (links == most_links) throw InputError(file.string() + ": cannot be written: a circle of links");
    resolved = resolved.parent_path() / fs::read_symlink(resolved, error);  // which may be absolute
  }
  const fs::file_status status = fs::status(resolved, error);
  if (fs::is_directory(status)) throw InputError(file.string() + ": cannot be written: it is a directory");
  if (fs::exists(status) && !fs::is_regular_file(status))
    throw InputError(file.string() + ": cannot be written: it is no regular file; give another name");
  return resolved;
}

fs::path folder_of(const fs::path& file) { return file.has_parent_path() ? file.parent_path() : "."; }

/// True if it could be locked and still has a name.
bool lock(int descriptor) {
  struct stat status = {};
  return ::flock(descriptor, LOCK_EX | LOCK_NB) == 0 && ::fstat(descriptor, &status) == 0 &&
         status.st_nlink > 0;
}

}  // namespace

void cannot_write(const fs::path& file) {
  throw InputError(file.string() + ": cannot be written: " + std::strerror(errno));
}

void write_all(int descriptor, std::string_view bytes, const fs::path& file) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) cannot_write(file);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void sync_folder(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0 && errno == EACCES) return;  // a folder that may be written, but not read
  if (descriptor < 0) cannot_write(folder);
  // Some file systems cannot, and need not.
  const bool synced = ::fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP;
  ::close(descriptor);
  if (!synced) cannot_write(folder);
}

AtomicFile::AtomicFile(const fs::path& file) : file_(target(file)) {
  remove_abandoned();
  while (!create()) {
  }
}

/// False if the name was taken, or somebody took the file for abandoned before it was locked.
bool AtomicFile::create() {
  std::random_device random;
  temporary_ = file_;
  temporary_ += fmt::format(".{:08x}{:08x}{}", random(), random(), extension);
  descriptor_ = ::open(temporary_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ < 0 && errno == EEXIST) return false;
  if (descriptor_ < 0) cannot_write(file_);
  errno = 0;
  if (lock(descriptor_) || errno == ENOLCK || errno == ENOTSUP) return true;
  ::close(descriptor_);
  return false;
}

void AtomicFile::remove_abandoned() const {
  const std::string prefix = file_.filename().string() + ".";
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_of(file_), error)) {
    const std::string name = entry.path().filename().string();
    if (name.size() != prefix.size() + digits + extension.size() || !name.starts_with(prefix) ||
        !name.ends_with(extension)) {
      continue;
    }
    const int descriptor = ::open(entry.path().c_str(), O_RDWR | O_CLOEXEC);
    if (descriptor < 0) continue;
    if (lock(descriptor)) ::unlink(entry.path().c_str());
    ::close(descriptor);
  }
}

AtomicFile::~AtomicFile() {
  std::error_code ignored;
  if (!temporary_.empty()) fs::remove(temporary_, ignored);
  if (descriptor_ >= 0) ::close(descriptor_);
}

void AtomicFile::write(std::string_view bytes) { write_all(descriptor_, bytes, file_); }

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0 || ::rename(temporary_.c_str(), file_.c_str()) != 0) cannot_write(file_);
  temporary_.clear();
  sync_folder(folder_of(file_));
}

void AtomicFile::commit(std::string_view contents) {
  if (::ftruncate(descriptor_, 0) != 0 || ::lseek(descriptor_, 0, SEEK_SET) != 0) cannot_write(file_);
  write(contents);
  commit();
}

void write_file(const fs::path& file, std::string_view contents) { AtomicFile(file).commit(contents); }

}  // namespace nngpcheck::files
