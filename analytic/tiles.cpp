#include "nngpcheck/analytic/tiles.hpp"

#include <algorithm>
#include <cmath>

#include "nngpcheck/netsor/passes/restrict.hpp"

namespace nngpcheck::analytic {

namespace {

using Eigen::Index;
using Outputs = std::vector<Index>;

constexpr double widest_tile = 256;   // columns of a layer on a side: value and bound are 1 MB
constexpr double largest_tile = 1e6;  // entries of a layer, where only some are computed

Index widest(const netsor::Program& program) {
  Index result = 1;
  for (const netsor::Node& node : program.nodes()) {
    if (const auto* bundle = std::get_if<netsor::BundleType>(&node.type))
      result = std::max(result, bundle->columns);
  }
  return result;
}

double columns_per_output(const netsor::Program& program) {
  return static_cast<double>(widest(program)) / static_cast<double>(program.outputs());
}

std::vector<Outputs> divide(const Outputs& outputs, Index side) {
  std::vector<Outputs> result;
  for (std::size_t first = 0; first < outputs.size(); first += static_cast<std::size_t>(side)) {
    const auto begin = outputs.begin() + static_cast<std::ptrdiff_t>(first);
    result.emplace_back(begin, begin + std::min(side, outputs.end() - begin));
  }
  return result;
}

}  // namespace

std::vector<Tile> tiles(const netsor::Program& program, const Outputs& rows, const Outputs& columns,
                        bool some_entries) {
  const std::vector<Tile> whole = {{rows, columns}};
  const double per_output = columns_per_output(program);
  // A square of two sides has (2 side)² per_output entries.
  const double fitting =
      some_entries ? std::sqrt(largest_tile / (4 * std::max(1., per_output))) : widest_tile / per_output;
  const auto side = std::max<Index>(1, static_cast<Index>(fitting));
  if (std::max(std::ssize(rows), std::ssize(columns)) <= side) return whole;

  const std::vector<Outputs> row_parts = divide(rows, side), column_parts = divide(columns, side);
  const Outputs& part = std::max(row_parts, column_parts).front();
  const Index part_width = widest(netsor::restrict_outputs(program, part));
  if (static_cast<double>(part_width) > 2 * per_output * static_cast<double>(part.size())) return whole;

  const bool symmetric = rows == columns;
  std::vector<Tile> result;
  for (std::size_t i = 0; i < row_parts.size(); ++i) {
    for (std::size_t j = symmetric ? i : 0; j < column_parts.size(); ++j)
      result.push_back(
          {row_parts[i], column_parts[j], static_cast<Index>(i) * side, static_cast<Index>(j) * side});
  }
  if (symmetric) {  // the diagonal first: whatever is computed for each output alone is there for the others
    std::stable_partition(result.begin(), result.end(), [](const Tile& t) { return t.rows == t.columns; });
  }
  return result;
}

double entries(const netsor::Program& program, const Tile& tile, bool some_entries) {
  const double per_output = columns_per_output(program);
  const auto rows = static_cast<double>(tile.rows.size()), columns = static_cast<double>(tile.columns.size());
  return some_entries ? (rows + columns) * (rows + columns) * per_output
                      : rows * per_output * columns * per_output;
}

void PlanLines::add(const std::vector<PlanStep>& plan) {
  for (const PlanStep& step : plan) {
    const auto [line, added] = line_.try_emplace({step.left, step.right}, plan_.size());
    if (added) {
      plan_.push_back(step);
      continue;
    }
    PlanStep& all = plan_[line->second];
    all.evaluations += step.evaluations;
    all.bound = std::max(all.bound, step.bound);
    all.rule = std::max(all.rule, step.rule);
  }
}

}  // namespace nngpcheck::analytic
