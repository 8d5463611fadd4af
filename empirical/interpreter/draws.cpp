#include "nngpcheck/empirical/interpreter/draws.hpp"

#include <cmath>
#include <span>

namespace nngpcheck::empirical {

RandomObject random_object(const netsor::InputWeight& weight, std::int64_t width) {
  return {weight.name, weight.width.at(width), weight.inputs, 0,
          std::sqrt(weight.variance / static_cast<double>(weight.inputs))};
}

RandomObject random_object(const netsor::Weight& weight, std::int64_t width) {
  const std::int64_t columns = weight.columns.at(width);
  return {weight.name, weight.rows.at(width), columns, 0,
          std::sqrt(weight.variance / static_cast<double>(columns))};
}

RandomObject random_object(const netsor::Bias& bias, std::int64_t width) {
  return {bias.name, bias.width.at(width), 1, bias.mean, std::sqrt(bias.variance)};
}

namespace {

template <class T>
void draw_as(const RandomObject& object, const Networks& networks, at::Tensor& target) {
  const auto size = static_cast<std::size_t>(object.rows * object.columns);
  T* data = target.data_ptr<T>();
  for (std::int64_t b = 0; b < networks.count; ++b, data += size) {
    NormalStream(networks.seed, networks.width, networks.first + static_cast<std::uint64_t>(b), object.name)
        .fill(0, std::span<T>(data, size), object.mean, object.deviation);
  }
}

}  // namespace

void draw(const RandomObject& object, const Networks& networks, at::Tensor& target) {
  if (target.scalar_type() == at::kDouble) {
    draw_as<double>(object, networks, target);
  } else {
    draw_as<float>(object, networks, target);
  }
}

NormalStream exact_stream(const RandomObject& object, const Networks& networks, std::int64_t b) {
  // No name of an object ends in a NUL.
  return {networks.seed, networks.width, networks.first + static_cast<std::uint64_t>(b), object.name + '\0'};
}

NormalStream sum_stream(const RandomObject& object, const Networks& networks, std::int64_t b) {
  RandomObject named = object;
  named.name += '\0';
  return exact_stream(named, networks, b);
}

}  // namespace nngpcheck::empirical
