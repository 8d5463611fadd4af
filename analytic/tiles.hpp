// A kernel in tiles: blocks of its outputs, each computed through all layers, so that memory does not grow
// with their number.
#pragma once

#include <vector>

#include "nngpcheck/netsor/program.hpp"

namespace nngpcheck::analytic {

/// The entries of a kernel at these outputs.
struct Tile {
  std::vector<Eigen::Index> rows, columns;
};

/// The tiles of the kernel at these outputs; of equal lists those on the diagonal, then those above it. One
/// tile where the whole fits the cache, and where a part of the outputs takes as much as all of them, as for
/// batch norm. They depend on the program and the lists alone. `some_entries`: of layers only few entries are
/// computed (asked.hpp).
std::vector<Tile> tiles(const netsor::Program& program, const std::vector<Eigen::Index>& rows,
                        const std::vector<Eigen::Index>& columns, bool some_entries);

}  // namespace nngpcheck::analytic
