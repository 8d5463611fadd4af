// Files of records, each of which is there whole or not at all.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace nngpcheck::compare {

// A record is, without gaps and in the machine's byte order,
//
//     "nngR" | length of the payload, 8 bytes | payload | CRC-32 of length and payload, 4 bytes
//
// Records are only ever appended, so a process that is killed or a disk that is full leaves whole records and
// perhaps the beginning of one more, a *torn tail*.

/// Bytes [begin, end) of a file that hold no whole record but do not look like a torn tail.
struct Damage {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

struct RecordScan {
  std::uint64_t end = 0;  // where the torn tail begins; the file's size if there is none
  std::vector<Damage> damages;
};

/// Passes every whole record to take(offset, payload), in order; after a damaged one the search goes on with
/// the next that is whole. Throws CompareError if the file cannot be read.
RecordScan scan_records(const std::filesystem::path& file,
                        const std::function<void(std::uint64_t offset, const std::string& payload)>& take);

/// The payload of the record at this offset. Throws CompareError if none is there.
std::string read_record(const std::filesystem::path& file, std::uint64_t offset);

/// Bytes that a record with such a payload takes.
std::uint64_t record_bytes(std::uint64_t payload);

/// A file of records that this process alone appends to.
class RecordLog {
 public:
  /// Opens or makes the file, locks it, and cuts off a torn tail. Throws CompareError if another process has
  /// it open for writing, or it cannot be written.
  explicit RecordLog(std::filesystem::path file);
  ~RecordLog();
  RecordLog(const RecordLog&) = delete;
  RecordLog& operator=(const RecordLog&) = delete;

  /// Throws CompareError if it cannot be written, as on a full disk; the file is then as before.
  void append(const std::string& payload);

  /// Waits until all records are on the disk. Otherwise that is done every two seconds.
  void sync();

 private:
  std::filesystem::path file_;
  int descriptor_ = -1;
  std::uint64_t end_ = 0;
  std::chrono::steady_clock::time_point synced_;
};

}  // namespace nngpcheck::compare
