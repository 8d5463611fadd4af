#include "netsor/program.hpp"

#include <numeric>

namespace nngpcheck::netsor {

std::int64_t width_unit(const Program& program) {
  std::int64_t result = 1;
  const auto include = [&](const Width& width) { result = std::lcm(result, width.denominator()); };
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

}  // namespace nngpcheck::netsor
