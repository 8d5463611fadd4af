#pragma once

#include <filesystem>
#include <string_view>

namespace nngpcheck::compare {

/// A file that appears whole or not at all: it is written under a temporary name beside its own, and renamed
/// when it is complete. Every function throws CompareError if the file system refuses.
class AtomicFile {
 public:
  /// Opens the temporary file, so that a place which cannot be written is known before any work is done.
  explicit AtomicFile(std::filesystem::path file);
  /// Removes the temporary file, unless it was renamed.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Where a program that writes the contents itself shall write them.
  const std::filesystem::path& temporary() const { return temporary_; }

  /// Gives the contents their name, durably. With no argument, what was written to temporary().
  void commit();
  void commit(std::string_view contents);

 private:
  std::filesystem::path file_;
  std::filesystem::path temporary_;
};

/// The file with these contents.
void write_file(const std::filesystem::path& file, std::string_view contents);

/// Writes all bytes to an open file, and throws CompareError naming `file` if that fails.
void write_all(int descriptor, std::string_view bytes, const std::filesystem::path& file);

/// "FILE: cannot be written: " and the system's reason, as an exception.
[[noreturn]] void cannot_write(const std::filesystem::path& file);

}  // namespace nngpcheck::compare
