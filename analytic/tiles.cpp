#include "nngpcheck/analytic/tiles.hpp"

#include <algorithm>
#include <cmath>

#include "nngpcheck/analytic/error.hpp"
#include "nngpcheck/netsor/passes/restrict.hpp"
#include "nngpcheck/support/memory.hpp"

namespace nngpcheck::analytic {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
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
  const double per_output = static_cast<double>(widest(program)) / static_cast<double>(program.outputs());
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
      result.push_back({row_parts[i], column_parts[j]});
  }
  if (symmetric) {  // the diagonal first: whatever is computed for each output alone is there for the others
    std::stable_partition(result.begin(), result.end(), [](const Tile& t) { return t.rows == t.columns; });
  }
  return result;
}

Mosaic::Mosaic(const std::vector<Index>& rows, const std::vector<Index>& columns)
    : rows_(places(rows)), columns_(places(columns)), symmetric_(rows == columns) {
  const Index m = std::ssize(rows), n = std::ssize(columns);
  const double needed = 3 * 8 * static_cast<double>(m) * static_cast<double>(n);
  const double available = support::available_memory();
  if (needed >= available)
    throw LimitError("limit: the kernel is " + std::to_string(m) + " × " + std::to_string(n) +
                     " numbers; with its errors this takes " + support::bytes_text(needed) + ", and " +
                     support::bytes_text(available) +
                     " are available; use fewer inputs, or compute the kernel in blocks");
  for (MatrixXd* x : {&limit_.value, &limit_.standard_error, &limit_.error_bound}) x->resize(m, n);
}

void Mosaic::add(const Tile& tile, const Limit& part) {
  copy(limit_.value, tile, part.value);
  copy(limit_.standard_error, tile, part.standard_error);
  copy(limit_.error_bound, tile, part.error_bound);
  for (const PlanStep& step : part.plan) {
    const auto [line, added] = line_.try_emplace({step.left, step.right}, limit_.plan.size());
    if (added) {
      limit_.plan.push_back(step);
      continue;
    }
    PlanStep& all = limit_.plan[line->second];
    all.evaluations += step.evaluations;
    all.bound = std::max(all.bound, step.bound);
    all.rule = std::max(all.rule, step.rule);
  }
}

Mosaic::Places Mosaic::places(const std::vector<Index>& outputs) {
  Places result;
  for (const Index output : outputs) result.emplace(output, std::ssize(result));
  return result;
}

void Mosaic::copy(MatrixXd& whole, const Tile& tile, const MatrixXd& part) const {
  const auto at = [](const Places& places, const std::vector<Index>& outputs) {
    std::vector<Index> result;
    for (const Index output : outputs) result.push_back(places.at(output));
    return result;
  };
  const std::vector<Index> rows = at(rows_, tile.rows), columns = at(columns_, tile.columns);
  whole(rows, columns) = part;
  if (symmetric_ && tile.rows != tile.columns) whole(columns, rows) = part.transpose();
}

}  // namespace nngpcheck::analytic
