#include "nngpcheck/netsor/program.hpp"

#include <algorithm>

namespace nngpcheck::netsor {

std::int64_t width_unit(const Program& program) {
  std::int64_t result = 1;
  const auto include = [&](const Width& width) { result = common_multiple(result, width.denominator()); };
  for (const InputWeight& weight : program.input_weights()) include(weight.width);
  for (const Bias& bias : program.biases()) include(bias.width);
  for (const Weight& weight : program.weights()) {
    include(weight.rows);
    include(weight.columns);
  }
  for (const Node& node : program.nodes()) {
    if (const auto* bundle = std::get_if<BundleType>(&node.type)) include(bundle->width);
  }
  return result;
}

std::string Program::name(std::size_t index) const {
  const auto* bundle = std::get_if<BundleType>(&nodes_[index].type);
  const char letter = !bundle ? 't' : bundle->gaussian ? 'g' : 'x';
  return letter + std::to_string(index + 1);
}

std::string Program::place(std::size_t index, const std::vector<Index>& columns) const {
  const Node& node = nodes_[index];
  if (!node.origin || node.origin->layer.empty()) return name(index);
  std::string result = "layer \"" + node.origin->layer + "\" (" + name(index) + ")";
  const Index count = std::visit([](const auto& type) { return type.columns; }, node.type);
  std::vector<std::string> labels;
  for (const Index column : columns) {
    const std::string label = node.origin->label(column, count);
    if (!label.empty() && (labels.empty() || labels.front() != label)) labels.push_back(label);
  }
  for (std::size_t k = 0; k < labels.size(); ++k) {
    result += (k > 0 ? " and \"" : labels.size() > 1 ? ", inputs \"" : ", input \"") + labels[k] + "\"";
  }
  return result;
}

std::string Origin::label(Index column, Index columns) const {
  for (const Labels& list : labels) {
    if (std::ssize(*list) == columns) return list->at(static_cast<std::size_t>(column));
  }
  return "";
}

Origin Origin::restricted(const std::vector<Index>& kept, Index columns) const {
  Origin result{layer, {}};
  for (const Labels& list : labels) {
    if (std::ssize(*list) != columns) continue;
    std::vector<std::string> left;
    for (const Index column : kept) left.push_back(list->at(static_cast<std::size_t>(column)));
    result.labels.push_back(std::make_shared<const std::vector<std::string>>(std::move(left)));
  }
  return result;
}

}  // namespace nngpcheck::netsor
