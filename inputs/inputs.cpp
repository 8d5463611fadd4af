#include "nngpcheck/inputs/inputs.hpp"

#include <cmath>
#include <functional>
#include <numeric>
#include <set>

#include "nngpcheck/support/error.hpp"
#include "nngpcheck/support/spelling.hpp"

namespace nngpcheck::inputs {

namespace {

using Eigen::Index;

Index positions(const Inputs& inputs) {
  return std::accumulate(inputs.grid.begin(), inputs.grid.end(), Index{1}, std::multiplies<>());
}

std::string count_of(Index number, const std::string& what) { return std::to_string(number) + " " + what; }

void validate_labels(const Inputs& inputs) {
  if (std::ssize(inputs.labels) != inputs.count()) {
    throw InputError("the inputs have " + count_of(inputs.count(), "columns") + " but " +
                     count_of(std::ssize(inputs.labels), "labels") + "; give one per column");
  }
  if (std::set<std::string>(inputs.labels.begin(), inputs.labels.end()).size() != inputs.labels.size()) {
    throw InputError("two inputs have the same label; labels must differ");
  }
}

void validate_lengths(const Inputs& inputs) {
  Index total = 0;
  for (const Index length : inputs.lengths) {
    if (length < 1) throw InputError("a sequence is empty; give each at least one token");
    total += length;
  }
  if (total != inputs.count()) {
    throw InputError("the sequences have " + count_of(total, "tokens") + " but the inputs " +
                     count_of(inputs.count(), "columns") + "; the lengths must add up");
  }
}

void validate_grid(const Inputs& inputs) {
  for (const Index size : inputs.grid) {
    if (size < 1) throw InputError("a grid axis has size " + std::to_string(size) + "; give at least 1");
  }
  if (inputs.count() % positions(inputs) != 0) {
    throw InputError("the grid has " + count_of(positions(inputs), "positions") + ", of which the " +
                     count_of(inputs.count(), "columns") + " are no multiple");
  }
}

// The graph of every node.
std::vector<std::size_t> graph_numbers(const Inputs& inputs) {
  if (inputs.graph_sizes.empty()) return std::vector<std::size_t>(static_cast<std::size_t>(inputs.count()));
  std::vector<std::size_t> result;
  for (std::size_t g = 0; g < inputs.graph_sizes.size(); ++g) {
    const Index size = inputs.graph_sizes[g];
    if (size < 1) throw InputError("a graph is empty; give each at least one node");
    if (size > inputs.count()) break;  // before memory is taken
    result.insert(result.end(), static_cast<std::size_t>(size), g);
  }
  const auto total = std::accumulate(inputs.graph_sizes.begin(), inputs.graph_sizes.end(), 0.0,
                                     [](double sum, Index size) { return sum + static_cast<double>(size); });
  if (total != static_cast<double>(inputs.count())) {
    throw InputError("the graphs have " + support::shortest(total) + " nodes but the inputs " +
                     count_of(inputs.count(), "columns") + "; their sizes must add up");
  }
  return result;
}

void validate_graph(const Inputs& inputs) {
  const std::vector<std::size_t> graphs = graph_numbers(inputs);
  for (const Edge& edge : *inputs.graph) {
    for (const Index node : {edge.source, edge.target}) {
      if (node >= 0 && node < inputs.count()) continue;
      throw InputError("an edge names node " + std::to_string(node) + " but the nodes are 0 to " +
                       std::to_string(inputs.count() - 1));
    }
    const std::string called =
        "the edge from node " + std::to_string(edge.source) + " to " + std::to_string(edge.target);
    if (!std::isfinite(edge.weight)) throw InputError(called + " has a weight that is not finite");
    const std::size_t from = graphs[static_cast<std::size_t>(edge.source)],
                      to = graphs[static_cast<std::size_t>(edge.target)];
    if (from == to) continue;
    throw InputError(called + " leads from graph " + std::to_string(from) + " to graph " +
                     std::to_string(to) +
                     "; nodes are numbered from 0 through all graphs, and edges stay within one");
  }
}

void validate_others(const Inputs& inputs) {
  std::set<std::string> names;
  for (const auto& [name, other] : inputs.others) {
    const std::string called = "the inputs \"" + name + "\"";
    if (name.empty() || !names.insert(name).second)
      throw InputError("two inputs are called \"" + name + "\"; give each of the others a name of its own");
    if (other.graph || !other.others.empty())
      throw InputError(called + " are a graph or have others beside them, which the first inputs alone can");
    if (!other.batch.empty())
      throw InputError(called + " have batches; those of the first inputs hold for all");
    try {
      validate(other);
    } catch (const InputError& error) {
      throw InputError(called + ": " + error.what());
    }
    if (other.samples() != inputs.samples()) {
      throw InputError(called + " have " + count_of(other.samples(), "samples") + ", the first inputs " +
                       std::to_string(inputs.samples()) + "; give each sample one of both");
    }
  }
}

}  // namespace

OtherInputs::OtherInputs() = default;
OtherInputs::OtherInputs(const OtherInputs&) = default;
OtherInputs::OtherInputs(OtherInputs&&) noexcept = default;
OtherInputs& OtherInputs::operator=(const OtherInputs&) = default;
OtherInputs& OtherInputs::operator=(OtherInputs&&) noexcept = default;
OtherInputs::~OtherInputs() = default;

const Inputs& Inputs::named(const std::string& name) const {
  if (name.empty()) return *this;
  std::vector<std::string> names;
  for (const NamedInputs& other : others) {
    if (other.name == name) return other.inputs;
    names.push_back(other.name);
  }
  throw InputError(
      "there are no inputs \"" + name + "\"" +
      (names.empty() ? "; give them beside the first: inputs.others." + name : support::advice(name, names)));
}

Index Inputs::samples() const {
  if (graph) return graph_sizes.empty() ? 1 : std::ssize(graph_sizes);
  if (!lengths.empty()) return std::ssize(lengths);
  return grid.empty() ? count() : count() / positions(*this);
}

void validate(const Inputs& inputs) {
  if (inputs.count() < 1 || inputs.dimension() < 1) {
    throw InputError("the inputs are empty; give at least one column of at least one dimension");
  }
  if (!inputs.data.allFinite()) throw InputError("the inputs hold a number that is not finite");
  validate_labels(inputs);
  if (!inputs.lengths.empty() + !inputs.grid.empty() + inputs.graph.has_value() > 1) {
    throw InputError("the inputs are more than one of sequences, grids and a graph; choose one");
  }
  if (!inputs.lengths.empty()) validate_lengths(inputs);
  if (!inputs.grid.empty()) validate_grid(inputs);
  if (!inputs.graph && !inputs.graph_sizes.empty())
    throw InputError("the inputs have graph_sizes and no graph; give its edges, or leave them out");
  if (inputs.graph) validate_graph(inputs);
  if (!inputs.batch.empty() && std::ssize(inputs.batch) != inputs.samples()) {
    throw InputError("the inputs have " + count_of(inputs.samples(), "samples") + " but " +
                     count_of(std::ssize(inputs.batch), "batch numbers") + "; give one per sample");
  }
  validate_others(inputs);
}

}  // namespace nngpcheck::inputs
