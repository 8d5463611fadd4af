// The unit of work of a run, and of what it records.
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "nngpcheck/compare/statistics/moments.hpp"
#include "nngpcheck/support/part.hpp"

namespace nngpcheck::compare {

/// The networks of one experiment.
struct Sweep {
  std::string experiment;         // its name
  std::uint32_t fingerprint = 0;  // of all that decides what its networks are
  std::vector<std::int64_t> widths;
  std::int64_t networks = 0;  // of each width
};

/// Networks first, …, first + count - 1 of a sweep at one of its widths.
struct Chunk {
  std::size_t sweep = 0;
  std::size_t width = 0;  // which of the sweep's
  std::int64_t first = 0;
  std::int64_t count = 0;
};

/// A run as chunks, and the names of the numbers recorded of each network. The chunks are a function of the
/// sweeps alone: at width n at most 2^18/n networks, but 8 to 1024, as equal as can be, in the order of
/// sweeps, widths and networks.
struct ChunkGrid {
  ChunkGrid(std::vector<Sweep> sweeps_of_run, std::vector<std::string> columns_of_run);

  std::int64_t width(const Chunk& chunk) const { return sweeps[chunk.sweep].widths[chunk.width]; }
  /// "mlp, width 64, networks 0 to 63".
  std::string name(std::size_t chunk) const;
  /// 0, 1, …, the indices of all chunks.
  std::vector<std::size_t> all() const;
  /// How many networks these chunks have.
  std::int64_t networks(const std::vector<std::size_t>& indices) const;

  std::vector<Sweep> sweeps;
  std::vector<std::string> columns;
  std::vector<Chunk> chunks;
  std::map<std::tuple<std::string, std::int64_t, std::int64_t>, std::size_t> index;  // by name, width, first
};

using support::Part;

/// The part's share of some of the grid's chunks, given and returned as ascending indices. Every chunk
/// belongs to one part; of the chunks of one width each part has neighbours, up to one as many as any other.
std::vector<std::size_t> share(const ChunkGrid& grid, const std::vector<std::size_t>& chunks, Part part);

/// What the networks of a chunk gave.
struct ChunkSamples {
  Eigen::MatrixXd rows;   // networks × columns
  VectorMoments kernels;  // of their upper triangles (see ladders.hpp)
};

/// As a record: a line of JSON that says which chunk of what it is, then rows, mean and squares as doubles.
std::string encode(const ChunkGrid& grid, std::size_t chunk, const ChunkSamples& samples);

/// The chunk that a record holds, and its samples. Throw CompareError, which says what differs, if it is not
/// one of this grid.
std::size_t decode_chunk(const ChunkGrid& grid, const std::string& record);
ChunkSamples decode_samples(const ChunkGrid& grid, const std::string& record);

}  // namespace nngpcheck::compare
