#include "nngpcheck/netsor/passes/layers.hpp"

#include <algorithm>
#include <set>

#include "nngpcheck/netsor/passes/rewrite.hpp"
#include "nngpcheck/netsor/passes/traits.hpp"

namespace nngpcheck::netsor {

namespace {

std::string layer_of(const Node& node) { return node.origin ? node.origin->layer : ""; }

// By instruction, whether another layer or the output reads it.
std::vector<bool> handed_on(const Program& program) {
  std::vector<bool> result(program.nodes().size(), false);
  for (const Node& node : program.nodes()) {
    for (const std::size_t k : operands(node.operation)) {
      if (layer_of(program.nodes()[k]) != layer_of(node)) result[k] = true;
    }
  }
  for (const BundleId block : program.output().blocks) result[block.index()] = true;
  return result;
}

std::vector<std::string> labels_of(const Node& node, Index columns) {
  std::vector<std::string> result;
  std::set<std::string> distinct;
  for (Index j = 0; j < columns; ++j) {
    result.push_back(node.origin->label(j, columns));
    distinct.insert(result.back());
  }
  if (distinct.size() == result.size() && !distinct.contains("")) return result;
  return {};  // the builder's own
}

}  // namespace

std::vector<LayerProgram> layer_programs(const Program& program) {
  const std::vector<bool> read = handed_on(program);
  std::vector<std::string> order;
  std::vector<std::vector<BundleId>> blocks;
  for (std::size_t k = 0; k < program.nodes().size(); ++k) {
    const Node& node = program.nodes()[k];
    const auto* type = std::get_if<BundleType>(&node.type);
    const std::string layer = layer_of(node);
    if (!read[k] || !type || layer.empty()) continue;
    const auto known = std::find(order.begin(), order.end(), layer) - order.begin();
    std::vector<BundleId> parts;
    if (known < static_cast<std::ptrdiff_t>(order.size())) {
      parts = std::move(blocks[static_cast<std::size_t>(known)]);
      order.erase(order.begin() + known);
      blocks.erase(blocks.begin() + known);
    }
    std::erase_if(parts, [&](BundleId part) { return program.type(part).columns != type->columns; });
    parts.push_back(program.bundle(k));
    order.push_back(layer);
    blocks.push_back(std::move(parts));
  }
  std::vector<LayerProgram> result;
  for (std::size_t l = 0; l < order.size(); ++l) {
    const BundleId last = blocks[l].back();
    result.push_back(
        {order[l], read_out(program, blocks[l], labels_of(program[last], program.type(last).columns))});
  }
  return result;
}

}  // namespace nngpcheck::netsor
