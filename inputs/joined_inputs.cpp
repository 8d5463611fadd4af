#include "nngpcheck/inputs/joined_inputs.hpp"

#include <algorithm>

#include "nngpcheck/support/error.hpp"

namespace nngpcheck::inputs {

namespace {

using Eigen::Index;

/// "vectors", "sequences" or "samples on a grid of 4×4".
std::string kind(const Inputs& inputs) {
  if (!inputs.lengths.empty()) return "sequences";
  std::string grid;
  for (const Index size : inputs.grid) grid += (grid.empty() ? "" : "×") + std::to_string(size);
  return grid.empty() ? "vectors" : "samples on a grid of " + grid;
}

}  // namespace

Inputs joined(const Inputs& rows, const Inputs& columns) {
  if (rows.graph || columns.graph)
    throw InputError("the nodes of a graph are one sample, and cannot be joined with others");
  if (!rows.others.empty() || !columns.others.empty())
    throw InputError("samples of several inputs cannot be joined with others");
  if (rows.lengths.empty() != columns.lengths.empty() || rows.grid != columns.grid) {
    throw InputError("the rows are " + kind(rows) + ", but the columns are " + kind(columns) +
                     "; give inputs of one kind");
  }
  if (rows.dimension() != columns.dimension()) {
    throw InputError("the rows have " + std::to_string(rows.dimension()) + " numbers" +
                     " each, but the columns " + std::to_string(columns.dimension()) +
                     "; give inputs of one dimension");
  }
  Inputs result;
  result.data.resize(rows.dimension(), rows.count() + columns.count());
  result.data << rows.data, columns.data;
  result.grid = rows.grid;
  int first_batch = 0;
  for (const Inputs* part : {&rows, &columns}) {
    const std::string prefix = part == &rows ? "row " : "column ";
    for (const std::string& label : part->labels) result.labels.push_back(prefix + label);
    result.lengths.insert(result.lengths.end(), part->lengths.begin(), part->lengths.end());
    const std::vector<int> one(static_cast<std::size_t>(part->samples()), 0);
    for (const int batch : part->batch.empty() ? one : part->batch)
      result.batch.push_back(first_batch + batch);
    first_batch = 1 + *std::max_element(result.batch.begin(), result.batch.end());
  }
  return result;
}

}  // namespace nngpcheck::inputs
