#include "nngpcheck/kernels/kernel_part.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <fstream>

#include "nngpcheck/files/text_file.hpp"
#include "nngpcheck/files/utf8.hpp"
#include "nngpcheck/support/error.hpp"
#include "nngpcheck/support/memory.hpp"

namespace nngpcheck::kernels {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using nlohmann::ordered_json;
namespace fs = std::filesystem;

const std::string magic = "nngpcheck kernel part 1\n";
constexpr std::uint64_t length_bytes = 8, crc_bytes = 4;

bool sampled(const Kernel& entries) { return (entries.standard_error.array() != 0).any(); }

ordered_json head_of(const KernelPart& part) {
  ordered_json tiles = ordered_json::array();
  for (const KernelTile& tile : part.tiles) {
    tiles.push_back({{"first", {tile.first_row, tile.first_column}},
                     {"size", {tile.entries.value.rows(), tile.entries.value.cols()}},
                     {"sampled", sampled(tile.entries)},
                     {"repeats", tile.entries.repeats},
                     {"method", tile.entries.method},
                     {"rank", tile.rank}});
  }
  return {{"experiment", part.experiment},
          {"fingerprint", part.fingerprint},
          {"part", {part.part.index, part.part.count}},
          {"labels", part.labels},
          {"columns", part.columns},
          {"tiles", std::move(tiles)}};
}

std::uint64_t bytes_of(const MatrixXd& matrix) {
  return static_cast<std::uint64_t>(matrix.size()) * sizeof(double);
}

void append(std::string& bytes, const void* data, std::uint64_t count) {
  bytes.append(static_cast<const char*>(data), count);
}

/// Reads a part, and adds up its checksum.
class Reader {
 public:
  Reader(std::istream& stream, std::uint64_t size, const std::string& name)
      : stream_(stream), left_(size), name_(name) {}

  KernelPart read() {
    if (text(std::min(left_, std::uint64_t{magic.size()})) != magic)
      throw InputError(name_ + ": no part of a kernel; give files that `nngpcheck kernel --block I/N -o " +
                       "PART` wrote");
    std::uint64_t length = 0;
    take(&length, length_bytes);
    KernelPart result;
    try {
      const auto head = ordered_json::parse(text(length));
      read_head(head, result);
      for (const ordered_json& tile : head.at("tiles")) result.tiles.push_back(read_tile(tile, result));
    } catch (const nlohmann::json::exception&) {
      damaged();
    }
    const std::uint32_t computed = crc_.checksum();
    std::uint32_t written = 0;
    take(&written, crc_bytes);
    if (written != computed || left_ != 0) damaged();
    return result;
  }

 private:
  void read_head(const ordered_json& head, KernelPart& part) {
    part.experiment = head.at("experiment");
    head.at("fingerprint").get_to(part.fingerprint);
    head.at("part").at(0).get_to(part.part.index);
    head.at("part").at(1).get_to(part.part.count);
    head.at("labels").get_to(part.labels);
    head.at("columns").get_to(part.columns);
    if (part.part.index < 0 || part.part.index >= part.part.count) damaged();
  }

  KernelTile read_tile(const ordered_json& place, const KernelPart& part) {
    KernelTile tile;
    place.at("first").at(0).get_to(tile.first_row);
    place.at("first").at(1).get_to(tile.first_column);
    const auto rows = place.at("size").at(0).get<Index>(), columns = place.at("size").at(1).get<Index>();
    const Index all_rows = std::ssize(part.labels);
    const Index all_columns = part.columns.empty() ? all_rows : std::ssize(part.columns);
    const auto inside = [](Index first, Index count, Index all) {
      return first >= 0 && count > 0 && count <= all && first <= all - count;
    };
    if (!inside(tile.first_row, rows, all_rows) || !inside(tile.first_column, columns, all_columns))
      damaged();
    place.at("repeats").get_to(tile.entries.repeats);
    place.at("method").get_to(tile.entries.method);
    place.at("rank").get_to(tile.rank);
    tile.entries.value = matrix(rows, columns);
    tile.entries.error_bound = matrix(rows, columns);
    if (place.at("sampled").get<bool>()) tile.entries.standard_error = matrix(rows, columns);
    return tile;
  }

  MatrixXd matrix(Index rows, Index columns) {
    if (static_cast<std::uint64_t>(rows) * static_cast<std::uint64_t>(columns) > left_ / sizeof(double))
      damaged();
    MatrixXd result(rows, columns);
    take(result.data(), bytes_of(result));
    return result;
  }

  std::string text(std::uint64_t bytes) {
    if (bytes > left_) damaged();
    std::string result(bytes, '\0');
    take(result.data(), bytes);
    return result;
  }

  void take(void* to, std::uint64_t bytes) {
    if (bytes > left_ || !stream_.read(static_cast<char*>(to), static_cast<std::streamsize>(bytes)))
      damaged();
    crc_.process_bytes(to, bytes);
    left_ -= bytes;
  }

  [[noreturn]] void damaged() const {
    throw InputError(name_ + ": damaged, or cut off; copy it again, or compute it again");
  }

  std::istream& stream_;
  std::uint64_t left_;
  const std::string& name_;
  boost::crc_32_type crc_;
};

std::string block_text(support::Part part) { return fmt::format("{}/{}", part.index + 1, part.count); }

/// Where two descriptions differ; the order of keys means nothing.
std::string difference(const ordered_json& left, const ordered_json& right) {
  const nlohmann::json changes = nlohmann::json::diff(nlohmann::json(left), nlohmann::json(right));
  return changes.empty() ? "the numbers of their inputs"
                         : files::printable(changes.at(0).at("path").get<std::string>());
}

}  // namespace

std::string serialize(const KernelPart& part) {
  const std::string head = head_of(part).dump();
  const std::uint64_t length = head.size();
  std::uint64_t numbers = 0;
  for (const KernelTile& tile : part.tiles) numbers += 3 * bytes_of(tile.entries.value);
  std::string result = magic;
  result.reserve(magic.size() + length_bytes + length + numbers + crc_bytes);
  append(result, &length, length_bytes);
  result += head;
  for (const KernelTile& tile : part.tiles) {
    append(result, tile.entries.value.data(), bytes_of(tile.entries.value));
    append(result, tile.entries.error_bound.data(), bytes_of(tile.entries.error_bound));
    if (sampled(tile.entries))
      append(result, tile.entries.standard_error.data(), bytes_of(tile.entries.standard_error));
  }
  boost::crc_32_type crc;
  crc.process_bytes(result.data(), result.size());
  const std::uint32_t checksum = crc.checksum();
  append(result, &checksum, crc_bytes);
  return result;
}

bool is_part(const fs::path& file) {
  if (std::error_code error; !fs::is_regular_file(file, error)) return false;
  std::ifstream stream(file, std::ios::binary);
  std::string bytes(magic.size(), '\0');
  return stream.read(bytes.data(), std::ssize(bytes)) && bytes == magic;
}

KernelPart read_part(std::istream& stream, std::uint64_t size, const std::string& name) {
  return Reader(stream, size, name).read();
}

KernelPart read_part(const fs::path& file) {
  files::check_file(file);
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw InputError(file.string() + ": cannot be read");
  return read_part(stream, fs::file_size(file), file.string());
}

void PartMerger::check(const KernelPart& part, const std::string& name) const {
  const std::string& first = names_.at(first_.part.index);
  if (part.fingerprint != first_.fingerprint || part.labels != first_.labels ||
      part.columns != first_.columns)
    throw InputError(fmt::format(
        "{}: a part of another kernel than {} (they differ in {}); merge only parts of one kernel", name,
        first, difference(first_.experiment, part.experiment)));
  if (part.part.count != first_.part.count)
    throw InputError(fmt::format("{}: block {}, but {} is block {}; merge only blocks of one division", name,
                                 block_text(part.part), first, block_text(first_.part)));
  if (const auto there = names_.find(part.part.index); there != names_.end())
    throw InputError(fmt::format("{}: block {}, which {} is, too; leave one of them out", name,
                                 block_text(part.part), there->second));
}

void PartMerger::begin(const KernelPart& part, const std::string& name) {
  const Index rows = std::ssize(part.labels);
  const Index columns = part.columns.empty() ? rows : std::ssize(part.columns);
  const double needed = Mosaic::bytes(rows, columns), available = support::available_memory();
  if (needed >= available)
    throw InputError(
        fmt::format("{}: of a kernel of {} × {} numbers, which with its errors takes {}, and {} are "
                    "available; merge it on a machine with more memory",
                    name, rows, columns, support::bytes_text(needed), support::bytes_text(available)));
  mosaic_.emplace(rows, columns, part.columns.empty());
  first_ = {part.experiment, part.fingerprint, part.part, part.labels, part.columns, {}};
}

void PartMerger::add(KernelPart part, const std::string& name) {
  if (!mosaic_) {
    begin(part, name);
  } else {
    check(part, name);
  }
  names_[part.part.index] = name;
  for (KernelTile& tile : part.tiles) mosaic_->add(std::move(tile));
}

Kernel PartMerger::take() {
  constexpr std::size_t most = 10;  // that are listed
  std::vector<std::string> missing;
  for (std::int64_t k = 0; k < first_.part.count && missing.size() < most; ++k) {
    if (!names_.contains(k)) missing.push_back(block_text({k, first_.part.count}));
  }
  if (!missing.empty())
    throw InputError(
        fmt::format("{} of {} blocks are missing: {}{}; compute them by nngpcheck kernel … --block {} -o "
                    "PART, and merge all of them",
                    first_.part.count - std::ssize(names_), first_.part.count, fmt::join(missing, ", "),
                    missing.size() == most ? ", …" : "", missing.front()));
  if (mosaic_->missing() != 0)
    throw InputError(names_.begin()->second +
                     " and the others: their blocks do not make a kernel; compute them again");
  Kernel result = mosaic_->take();
  result.labels = std::move(first_.labels);
  result.columns = std::move(first_.columns);
  return result;
}

}  // namespace nngpcheck::kernels
