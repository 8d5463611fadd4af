#include "nngpcheck/architectures/named/cnn.hpp"

#include <algorithm>

namespace nngpcheck::architectures {

namespace {

Conv conv(const CnnOptions& options, double weight_variance) {
  Conv result;
  result.kernel = options.kernel;
  result.stride = options.stride;
  result.padding = options.padding;
  result.weight_variance = weight_variance;
  result.bias_variance = options.bias_variance;
  return result;
}

Network finish(Layers layers, const CnnOptions& options) {
  if (options.outputs == GridOutputs::average) layers.push_back({GlobalAveragePool{}});
  if (options.outputs == GridOutputs::flatten) layers.push_back({Flatten{}});
  return network(std::move(layers), options.readout_variance);
}

}  // namespace

std::vector<Field<CnnOptions>> CnnOptions::fields() {
  return {
      {"depth", &CnnOptions::depth, "number of convolutions; of blocks in a resnet", 1},
      {"kernel", &CnnOptions::kernel, "positions of the window, per axis", 1},
      {"stride", &CnnOptions::stride, "steps of the window, per axis", 1},
      {"padding", &CnnOptions::padding, "what lies beyond the ends"},
      {"activation", &CnnOptions::activation, "φ"},
      {"weight_variance", &CnnOptions::weight_variance, "variance of a weight times its fan-in"},
      {"input_variance", &CnnOptions::input_variance, "variance of a first-layer weight times its fan-in"},
      {"bias_variance", &CnnOptions::bias_variance, "variance of a bias"},
      {"readout_variance", &CnnOptions::readout_variance, "variance of a readout weight times its fan-in"},
      {"outputs", &CnnOptions::outputs,
       "what is read out: the average, all positions as one vector, or every position"},
  };
}

Network cnn(const CnnOptions& options) {
  check(options);
  Layers layers;
  for (int l = 1; l <= options.depth; ++l) {
    layers.push_back({conv(options, l == 1 ? options.input_variance : options.weight_variance)});
    layers.push_back({Activate{options.activation}});
  }
  return finish(std::move(layers), options);
}

std::vector<Field<ResnetOptions>> ResnetOptions::fields() {
  return inherited<ResnetOptions>(CnnOptions::fields());
}

Network resnet(const ResnetOptions& options) {
  check(options);
  const Layer activate{Activate{options.activation}};
  Conv stem = conv(options, options.input_variance);
  stem.stride = {1};
  Conv first = conv(options, options.weight_variance), second = first;
  second.stride = {1};
  Layers projection;
  if (std::any_of(first.stride.begin(), first.stride.end(), [](std::int64_t s) { return s != 1; })) {
    Conv shortcut = first;
    shortcut.kernel = {1};
    shortcut.bias_variance = 0;
    projection.push_back({shortcut});
  }
  Layers layers{{stem}};
  for (int block = 0; block < options.depth; ++block) {
    layers.push_back({Residual{{activate, {first}, activate, {second}}, projection}});
  }
  layers.push_back(activate);
  return finish(std::move(layers), options);
}

}  // namespace nngpcheck::architectures
