// A kernel in tiles: blocks of its outputs, each computed through all layers, so that memory does not grow
// with their number.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "nngpcheck/analytic/limit.hpp"
#include "nngpcheck/netsor/program.hpp"

namespace nngpcheck::analytic {

/// The entries of a kernel at these outputs, and where they begin among all that are asked for.
struct Tile {
  std::vector<Eigen::Index> rows, columns;
  Eigen::Index first_row = 0, first_column = 0;
};

/// The tiles of the kernel at these outputs; of equal lists those on the diagonal, then those above it. One
/// tile where the whole fits the cache, and where a part of the outputs takes as much as all of them, as for
/// batch norm. They depend on the program and the lists alone. `some_entries`: of layers only few entries are
/// computed (asked.hpp).
std::vector<Tile> tiles(const netsor::Program& program, const std::vector<Eigen::Index>& rows,
                        const std::vector<Eigen::Index>& columns, bool some_entries);

/// How many entries a tile's largest matrix has.
double entries(const netsor::Program& program, const Tile& tile, bool some_entries);

/// The plan of a kernel from those of its tiles: lines that name the same instructions become one.
class PlanLines {
 public:
  void add(const std::vector<PlanStep>& plan);
  std::vector<PlanStep> take() { return std::move(plan_); }

 private:
  std::vector<PlanStep> plan_;
  std::map<std::pair<std::string, std::string>, std::size_t> line_;
};

}  // namespace nngpcheck::analytic
