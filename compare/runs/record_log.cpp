#include "nngpcheck/compare/runs/record_log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>

#include "nngpcheck/compare/error.hpp"
#include "nngpcheck/files/atomic_file.hpp"

namespace nngpcheck::compare {

namespace {

const std::string magic = "nngR";
constexpr std::uint64_t length_bytes = 8, crc_bytes = 4;
constexpr std::uint64_t head_bytes = 4 + length_bytes;

template <class Number>
std::string bytes_of(Number number) {
  std::string result(sizeof number, '\0');
  std::memcpy(result.data(), &number, sizeof number);
  return result;
}

template <class Number>
Number number_at(const char* bytes) {
  Number result;
  std::memcpy(&result, bytes, sizeof result);
  return result;
}

std::uint32_t checksum(std::uint64_t length, const char* payload) {
  boost::crc_32_type crc;
  crc.process_bytes(&length, sizeof length);
  crc.process_bytes(payload, length);
  return crc.checksum();
}

/// The payload of the record at `offset` in a file of that size, if one is there.
std::optional<std::string> record_at(std::istream& stream, std::uint64_t offset, std::uint64_t size) {
  std::string head(head_bytes, '\0');
  stream.clear();
  stream.seekg(static_cast<std::streamoff>(offset));
  if (!stream.read(head.data(), std::ssize(head)) || !head.starts_with(magic)) return {};
  const auto length = number_at<std::uint64_t>(head.data() + magic.size());
  if (length > size || record_bytes(length) > size - offset) return {};
  std::string payload(length, '\0');
  std::string crc(crc_bytes, '\0');
  if (!stream.read(payload.data(), std::ssize(payload)) || !stream.read(crc.data(), std::ssize(crc)))
    return {};
  if (number_at<std::uint32_t>(crc.data()) != checksum(length, payload.data())) return {};
  return payload;
}

/// Where the first whole record after `offset` begins; `size` if there is none.
std::uint64_t next_record(std::istream& stream, std::uint64_t offset, std::uint64_t size) {
  constexpr std::uint64_t block = 1 << 20;
  for (std::uint64_t begin = offset + 1; begin < size; begin += block) {
    std::string bytes(std::min(block + magic.size() - 1, size - begin), '\0');
    stream.clear();
    stream.seekg(static_cast<std::streamoff>(begin));
    stream.read(bytes.data(), std::ssize(bytes));
    for (std::size_t at = bytes.find(magic); at != std::string::npos; at = bytes.find(magic, at + 1)) {
      if (record_at(stream, begin + at, size)) return begin + at;
    }
  }
  return size;
}

/// Is what begins at `offset` the beginning of a record that the file ends in?
bool torn(std::istream& stream, std::uint64_t offset, std::uint64_t size) {
  std::string head(std::min(head_bytes, size - offset), '\0');
  stream.clear();
  stream.seekg(static_cast<std::streamoff>(offset));
  stream.read(head.data(), std::ssize(head));
  if (head.size() < head_bytes) return head.starts_with(magic) || magic.starts_with(head);
  const auto length = number_at<std::uint64_t>(head.data() + magic.size());
  return head.starts_with(magic) && (length > size || record_bytes(length) > size - offset);
}

std::ifstream open(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw CompareError(file.string() + ": cannot be read: " + std::strerror(errno));
  return stream;
}

}  // namespace

std::uint64_t record_bytes(std::uint64_t payload) { return head_bytes + payload + crc_bytes; }

RecordScan scan_records(const std::filesystem::path& file,
                        const std::function<void(std::uint64_t, const std::string&)>& take) {
  std::ifstream stream = open(file);
  const std::uint64_t size = std::filesystem::file_size(file);
  RecordScan result;
  while (result.end < size) {
    if (const auto payload = record_at(stream, result.end, size)) {
      take(result.end, *payload);
      result.end += record_bytes(payload->size());
      continue;
    }
    const std::uint64_t next = next_record(stream, result.end, size);
    if (next == size && torn(stream, result.end, size)) break;
    result.damages.push_back({result.end, next});
    result.end = next;
  }
  return result;
}

std::string read_record(const std::filesystem::path& file, std::uint64_t offset) {
  std::ifstream stream = open(file);
  if (auto payload = record_at(stream, offset, std::filesystem::file_size(file))) return *std::move(payload);
  throw CompareError(fmt::format("{}: byte {}: the record there changed while it was in use; run again",
                                 file.string(), offset));
}

RecordLog::RecordLog(std::filesystem::path file)
    : file_(std::move(file)), synced_(std::chrono::steady_clock::now()) {
  descriptor_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0) files::cannot_write(file_);
  try {
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      throw CompareError(file_.string() +
                         ": another run is writing it; wait for it or choose another folder");
    }
    end_ = scan_records(file_, [](std::uint64_t, const std::string&) {}).end;
    if (::ftruncate(descriptor_, static_cast<off_t>(end_)) != 0 ||
        ::lseek(descriptor_, static_cast<off_t>(end_), SEEK_SET) < 0) {
      files::cannot_write(file_);
    }
    files::sync_folder(file_.has_parent_path() ? file_.parent_path() : ".");
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

RecordLog::~RecordLog() { ::close(descriptor_); }

void RecordLog::append(const std::string& payload) {
  const std::uint64_t length = payload.size();
  const std::string record = magic + bytes_of(length) + payload + bytes_of(checksum(length, payload.data()));
  try {
    files::write_all(descriptor_, record, file_);
  } catch (const Error& error) {
    if (::ftruncate(descriptor_, static_cast<off_t>(end_)) == 0)
      ::lseek(descriptor_, static_cast<off_t>(end_), SEEK_SET);
    throw CompareError(std::string(error.what()) +
                       "; what was recorded before is kept: make room and run again");
  }
  end_ += record.size();
  if (std::chrono::steady_clock::now() - synced_ > std::chrono::seconds(2)) sync();
}

void RecordLog::sync() {
  if (::fsync(descriptor_) != 0) files::cannot_write(file_);
  synced_ = std::chrono::steady_clock::now();
}

}  // namespace nngpcheck::compare
