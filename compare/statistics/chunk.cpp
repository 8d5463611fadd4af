#include "nngpcheck/compare/statistics/chunk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <numeric>

#include "nngpcheck/compare/error.hpp"

namespace nngpcheck::compare {

namespace {

using Eigen::Index;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

std::int64_t largest_chunk(std::int64_t width) {
  return std::clamp<std::int64_t>((1 << 18) / width, 8, 1024);
}

void append_numbers(std::string& bytes, const double* numbers, Index count) {
  bytes.append(reinterpret_cast<const char*>(numbers), static_cast<std::size_t>(count) * sizeof(double));
}

/// Copies numbers from `bytes`, and moves on behind them.
void take_numbers(const char*& bytes, double* numbers, Index count) {
  const std::size_t size = static_cast<std::size_t>(count) * sizeof(double);
  std::memcpy(numbers, bytes, size);
  bytes += size;
}

nlohmann::ordered_json head_of(const ChunkGrid& grid, std::size_t index) {
  const Chunk& chunk = grid.chunks[index];
  const Sweep& sweep = grid.sweeps[chunk.sweep];
  return {{"experiment", sweep.experiment}, {"fingerprint", sweep.fingerprint},
          {"width", grid.width(chunk)},     {"first", chunk.first},
          {"count", chunk.count},           {"columns", grid.columns}};
}

}  // namespace

ChunkGrid::ChunkGrid(std::vector<Sweep> sweeps_of_run, std::vector<std::string> columns_of_run)
    : sweeps(std::move(sweeps_of_run)), columns(std::move(columns_of_run)) {
  for (std::size_t s = 0; s < sweeps.size(); ++s) {
    const std::int64_t networks = sweeps[s].networks;
    for (std::size_t w = 0; w < sweeps[s].widths.size(); ++w) {
      const std::int64_t largest = largest_chunk(sweeps[s].widths[w]);
      const std::int64_t count = (networks + largest - 1) / largest;
      for (std::int64_t k = 0, first = 0; k < count; ++k) {
        const std::int64_t next = networks / count * (k + 1) + networks % count * (k + 1) / count;
        index[{sweeps[s].experiment, sweeps[s].widths[w], first}] = chunks.size();
        chunks.push_back({s, w, first, next - first});
        first = next;
      }
    }
  }
}

std::string ChunkGrid::name(std::size_t c) const {
  const Chunk& chunk = chunks[c];
  return fmt::format("{}, width {}, networks {} to {}", sweeps[chunk.sweep].experiment, width(chunk),
                     chunk.first, chunk.first + chunk.count - 1);
}

std::vector<std::size_t> ChunkGrid::all() const {
  std::vector<std::size_t> result(chunks.size());
  std::iota(result.begin(), result.end(), std::size_t{0});
  return result;
}

std::int64_t ChunkGrid::networks(const std::vector<std::size_t>& indices) const {
  std::int64_t result = 0;
  for (const std::size_t c : indices) result += chunks[c].count;
  return result;
}

std::vector<std::size_t> share(const ChunkGrid& grid, const std::vector<std::size_t>& chunks, Part part) {
  std::vector<std::size_t> result;
  for (std::size_t begin = 0, end = 0; begin < chunks.size(); begin = end) {
    const auto same_width = [&](std::size_t k) {
      const Chunk &one = grid.chunks[chunks[begin]], &other = grid.chunks[chunks[k]];
      return one.sweep == other.sweep && one.width == other.width;
    };
    while (end < chunks.size() && same_width(end)) ++end;
    const auto count = static_cast<std::int64_t>(end - begin);
    const std::int64_t blocks = std::min(count, part.count);
    for (std::size_t k = begin; k < end; ++k) {
      // Widths begin with different parts, so that few chunks per width are spread, too.
      const auto block = static_cast<std::int64_t>(k - begin) * blocks / count;
      if ((static_cast<std::int64_t>(begin) + block) % part.count == part.index) result.push_back(chunks[k]);
    }
  }
  return result;
}

std::string encode(const ChunkGrid& grid, std::size_t chunk, const ChunkSamples& samples) {
  nlohmann::ordered_json head = head_of(grid, chunk);
  head["entries"] = samples.kernels.mean().size();
  std::string result = head.dump() + "\n";
  const RowMajor rows = samples.rows;
  append_numbers(result, rows.data(), rows.size());
  append_numbers(result, samples.kernels.mean().data(), samples.kernels.mean().size());
  append_numbers(result, samples.kernels.squares().data(), samples.kernels.squares().size());
  return result;
}

std::size_t decode_chunk(const ChunkGrid& grid, const std::string& record) {
  const std::string line = record.substr(0, record.find('\n'));
  try {
    const auto head = nlohmann::ordered_json::parse(line);
    const auto found =
        grid.index.find({head.at("experiment").get<std::string>(), head.at("width").get<std::int64_t>(),
                         head.at("first").get<std::int64_t>()});
    if (found == grid.index.end()) throw CompareError("networks that this run does not have: " + line);
    const auto expected = head_of(grid, found->second);
    for (const auto& [key, value] : expected.items()) {
      if (head.at(key) != value)
        throw CompareError(fmt::format("networks of another run, whose {} differs: {}", key, line));
    }
    const auto numbers = expected["count"].get<std::size_t>() * grid.columns.size() +
                         2 * head.at("entries").get<std::size_t>();
    if (record.size() != line.size() + 1 + numbers * sizeof(double))
      throw CompareError("a record of the wrong length: " + line);
    return found->second;
  } catch (const nlohmann::json::exception&) {
    throw CompareError("a record that is not of a run");
  }
}

ChunkSamples decode_samples(const ChunkGrid& grid, const std::string& record) {
  const Chunk& chunk = grid.chunks[decode_chunk(grid, record)];
  RowMajor rows(chunk.count, std::ssize(grid.columns));
  const char* numbers = record.data() + record.find('\n') + 1;
  const std::ptrdiff_t left = record.data() + record.size() - numbers;
  const Index entries = (left / static_cast<Index>(sizeof(double)) - rows.size()) / 2;
  Eigen::VectorXd mean(entries), squares(entries);
  take_numbers(numbers, rows.data(), rows.size());
  take_numbers(numbers, mean.data(), entries);
  take_numbers(numbers, squares.data(), entries);
  return {rows, VectorMoments(chunk.count, std::move(mean), std::move(squares))};
}

}  // namespace nngpcheck::compare
