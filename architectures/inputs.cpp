#include "architectures/inputs.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <set>

#include "architectures/options.hpp"

namespace nngpcheck::architectures {

namespace {

using Eigen::Index;

Index positions(const Inputs& inputs) {
  return std::accumulate(inputs.grid.begin(), inputs.grid.end(), Index{1}, std::multiplies<>());
}

std::string count_of(Index number, const std::string& what) { return std::to_string(number) + " " + what; }

void validate_labels(const Inputs& inputs) {
  if (std::ssize(inputs.labels) != inputs.count()) {
    throw ArchitectureError("the inputs have " + count_of(inputs.count(), "columns") + " but " +
                            count_of(std::ssize(inputs.labels), "labels") + "; give one per column");
  }
  if (std::set<std::string>(inputs.labels.begin(), inputs.labels.end()).size() != inputs.labels.size()) {
    throw ArchitectureError("two inputs have the same label; labels must differ");
  }
}

void validate_lengths(const Inputs& inputs) {
  Index total = 0;
  for (const Index length : inputs.lengths) {
    if (length < 1) throw ArchitectureError("a sequence is empty; give each at least one token");
    total += length;
  }
  if (total != inputs.count()) {
    throw ArchitectureError("the sequences have " + count_of(total, "tokens") + " but the inputs " +
                            count_of(inputs.count(), "columns") + "; the lengths must add up");
  }
}

void validate_grid(const Inputs& inputs) {
  for (const Index size : inputs.grid) {
    if (size < 1)
      throw ArchitectureError("a grid axis has size " + std::to_string(size) + "; give at least 1");
  }
  if (inputs.count() % positions(inputs) != 0) {
    throw ArchitectureError("the grid has " + count_of(positions(inputs), "positions") + ", of which the " +
                            count_of(inputs.count(), "columns") + " are no multiple");
  }
}

void validate_graph(const Inputs& inputs) {
  for (const Edge& edge : *inputs.graph) {
    for (const Index node : {edge.source, edge.target}) {
      if (node >= 0 && node < inputs.count()) continue;
      throw ArchitectureError("an edge names node " + std::to_string(node) + " but the nodes are 0 to " +
                              std::to_string(inputs.count() - 1));
    }
    if (!(edge.weight >= 0) || !std::isfinite(edge.weight)) {
      throw ArchitectureError("the edge from node " + std::to_string(edge.source) + " to " +
                              std::to_string(edge.target) + " has a weight that is negative or not finite");
    }
  }
}

/// "vectors", "sequences" or "samples on a grid of 4×4".
std::string kind(const Inputs& inputs) {
  if (!inputs.lengths.empty()) return "sequences";
  std::string grid;
  for (const Index size : inputs.grid) grid += (grid.empty() ? "" : "×") + std::to_string(size);
  return grid.empty() ? "vectors" : "samples on a grid of " + grid;
}

}  // namespace

Index Inputs::samples() const {
  if (graph) return 1;
  if (!lengths.empty()) return std::ssize(lengths);
  return grid.empty() ? count() : count() / positions(*this);
}

void validate(const Inputs& inputs) {
  if (inputs.count() < 1 || inputs.dimension() < 1) {
    throw ArchitectureError("the inputs are empty; give at least one column of at least one dimension");
  }
  if (!inputs.data.allFinite()) throw ArchitectureError("the inputs hold a number that is not finite");
  validate_labels(inputs);
  if (!inputs.lengths.empty() + !inputs.grid.empty() + inputs.graph.has_value() > 1) {
    throw ArchitectureError("the inputs are more than one of sequences, grids and a graph; choose one");
  }
  if (!inputs.lengths.empty()) validate_lengths(inputs);
  if (!inputs.grid.empty()) validate_grid(inputs);
  if (inputs.graph) validate_graph(inputs);
  if (!inputs.batch.empty() && std::ssize(inputs.batch) != inputs.samples()) {
    throw ArchitectureError("the inputs have " + count_of(inputs.samples(), "samples") + " but " +
                            count_of(std::ssize(inputs.batch), "batch numbers") + "; give one per sample");
  }
}

Inputs joined(const Inputs& rows, const Inputs& columns) {
  if (rows.graph || columns.graph)
    throw ArchitectureError("the nodes of a graph are one sample, and cannot be joined with others");
  if (rows.lengths.empty() != columns.lengths.empty() || rows.grid != columns.grid) {
    throw ArchitectureError("the rows are " + kind(rows) + ", but the columns are " + kind(columns) +
                            "; give inputs of one kind");
  }
  if (rows.dimension() != columns.dimension()) {
    throw ArchitectureError("the rows have " + count_of(rows.dimension(), "numbers") +
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

}  // namespace nngpcheck::architectures
