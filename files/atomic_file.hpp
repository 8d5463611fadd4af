#pragma once

#include <filesystem>
#include <string_view>

namespace nngpcheck::files {

/// A file that appears whole or not at all: it is written under a name of its own beside the final one,
/// FILE.0123456789abcdef.partial, and gets that when it is complete. So several processes may write one file,
/// and the last one's is there. What a killed process left is removed by whoever writes the same file next.
/// Every function throws InputError if the file system refuses.
class AtomicFile {
 public:
  /// Opens the temporary file, so that a place which cannot be written is known before any work is done. A
  /// symbolic link is followed; what else is there must be a regular file.
  explicit AtomicFile(const std::filesystem::path& file);
  /// Removes the temporary file, unless it was renamed.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Where a program that writes the contents itself shall write them.
  const std::filesystem::path& temporary() const { return temporary_; }

  /// Writes more of the contents.
  void write(std::string_view bytes);

  /// Gives the contents their name, durably: contents and name are on the disk. With an argument, that is
  /// what was written.
  void commit();
  void commit(std::string_view contents);

 private:
  bool create();
  void remove_abandoned() const;

  std::filesystem::path file_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;  // holds a lock, which tells others that the temporary file is not abandoned
};

/// The file with these contents.
void write_file(const std::filesystem::path& file, std::string_view contents);

/// Writes all bytes to an open file, and throws InputError naming `file` if that fails.
void write_all(int descriptor, std::string_view bytes, const std::filesystem::path& file);

/// Waits until the names in a folder are on the disk.
void sync_folder(const std::filesystem::path& folder);

/// "FILE: cannot be written: " and the system's reason, as an exception.
[[noreturn]] void cannot_write(const std::filesystem::path& file);

}  // namespace nngpcheck::files
