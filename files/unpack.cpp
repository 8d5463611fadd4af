#include "nngpcheck/files/unpack.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <zlib.h>

#include <functional>
#include <memory>

#include "nngpcheck/files/text_file.hpp"
#include "nngpcheck/files/utf8.hpp"
#include "nngpcheck/support/error.hpp"

namespace nngpcheck::files {

namespace {

constexpr std::size_t block = 1 << 16;

/// Adds to what was unpacked so far; a small file may unpack to terabytes.
void add(std::string& result, const char* bytes, std::size_t count, const std::string& name,
         std::size_t most = most_bytes) {
  if (count > most || result.size() > most - count) {
    throw InputError(
        fmt::format("{}: unpacks to more than {} bytes, which is the most that can be read", name, most));
  }
  result.append(bytes, count);
}

[[noreturn]] void fail(const std::string& name, const std::string& kind, const std::string& reason) {
  throw InputError(name + ": a damaged " + kind + " file: " + printable(reason) +
                   "; download or save it again");
}

using Archive = std::unique_ptr<archive, decltype(&archive_read_free)>;

Archive open_zip(std::string_view bytes, const std::string& name) {
  Archive result(archive_read_new(), archive_read_free);
  archive_read_support_format_zip_seekable(result.get());
  if (archive_read_open_memory(result.get(), bytes.data(), bytes.size()) != ARCHIVE_OK)
    fail(name, "zip", archive_error_string(result.get()));
  return result;
}

/// Calls `visit` for the archive's files until it returns false.
void for_each_member(archive* zip, const std::string& name,
                     const std::function<bool(const std::string&)>& visit) {
  archive_entry* entry = nullptr;
  for (;;) {
    const int status = archive_read_next_header(zip, &entry);
    if (status == ARCHIVE_EOF) return;
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) fail(name, "zip", archive_error_string(zip));
    const char* member = archive_entry_pathname_utf8(entry);
    if (!member) member = archive_entry_pathname(entry);
    if (member && archive_entry_filetype(entry) == AE_IFREG && !visit(member)) return;
  }
}

/// The data of the file that was visited last.
std::string read_data(archive* zip, const std::string& name, std::size_t most = most_bytes) {
  std::string result;
  std::string buffer(block, '\0');
  for (;;) {
    const la_ssize_t count = archive_read_data(zip, buffer.data(), buffer.size());
    if (count == 0) return result;
    if (count < 0) fail(name, "zip", archive_error_string(zip));
    add(result, buffer.data(), static_cast<std::size_t>(count), name, most);
  }
}

}  // namespace

bool is_gzip(std::string_view bytes) { return bytes.starts_with("\x1f\x8b"); }

std::string gunzip(std::string_view bytes, const std::string& name) {
  z_stream stream{};
  if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) throw std::bad_alloc();
  const std::unique_ptr<z_stream, decltype(&inflateEnd)> end(&stream, inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());  // at most most_bytes
  std::string result;
  std::string buffer(block, '\0');
  for (;;) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    const int status = inflate(&stream, Z_NO_FLUSH);
    add(result, buffer.data(), buffer.size() - stream.avail_out, name);
    if (status == Z_STREAM_END) {
      if (stream.avail_in == 0) return result;
      if (inflateReset(&stream) != Z_OK)
        fail(name, "gzip", "it cannot be read on");  // files may be concatenated
    } else if (status != Z_OK) {
      fail(name, "gzip",
           status == Z_BUF_ERROR ? "it is truncated"
           : stream.msg          ? stream.msg
                                 : "it is truncated");
    }
  }
}

bool is_zip(std::string_view bytes) {
  return bytes.starts_with("PK\x03\x04") || bytes.starts_with("PK\x05\x06");
}

std::vector<std::string> zip_members(std::string_view bytes, const std::string& name) {
  const Archive zip = open_zip(bytes, name);
  std::vector<std::string> result;
  for_each_member(zip.get(), name, [&](const std::string& member) {
    result.push_back(member);
    return true;
  });
  return result;
}

std::string zip_member(std::string_view bytes, const std::string& member, const std::string& name) {
  const Archive zip = open_zip(bytes, name);
  std::string result;
  for_each_member(zip.get(), name, [&](const std::string& found) {
    if (found != member) return true;
    result = read_data(zip.get(), name);
    return false;
  });
  return result;
}

std::map<std::string, std::string> zip_contents(std::string_view bytes, const std::string& name,
                                                std::size_t most) {
  const Archive zip = open_zip(bytes, name);
  std::map<std::string, std::string> result;
  std::size_t total = 0;
  for_each_member(zip.get(), name, [&](const std::string& member) {
    total += (result[member] = read_data(zip.get(), name, most - total)).size();
    return true;
  });
  return result;
}

}  // namespace nngpcheck::files
