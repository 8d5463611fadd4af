#pragma once

#include <array>
#include <vector>

#include "nngpcheck/architectures/network.hpp"

namespace nngpcheck::architectures {

enum class GridOutputs { average, flatten, positions };
template <>
inline constexpr std::array words<GridOutputs>{"average", "flatten", "positions"};

/// Convolutional network over grids of 1 to 3 axes (sequences have one): depth × (conv, φ), then
/// outputs = "average" over all positions, "flatten" (a readout weight for each position), or "positions".
/// Weights: N(0, weight_variance/(n · positions of the kernel)), for the first layer N(0,
/// input_variance/(channels · positions of the kernel)); biases N(0, bias_variance), one per channel; readout
/// N(0, readout_variance). kernel, stride and padding as `Window`; layers "conv1", "conv2", …
struct CnnOptions {
  int depth = 2;
  std::vector<std::int64_t> kernel = {3};
  std::vector<std::int64_t> stride = {1};
  Padding padding = "zero";
  netsor::Activation activation = netsor::Activation::named("relu");
  double weight_variance = 1;
  double input_variance = 1;
  double bias_variance = 0;
  double readout_variance = 1;
  GridOutputs outputs = GridOutputs::average;

  static std::vector<Field<CnnOptions>> fields();
};

Network cnn(const CnnOptions& options);
inline netsor::Program cnn(const CnnOptions& options, const inputs::Inputs& inputs) {
  return program(cnn(options), inputs);
}

/// Residual network with activations before the convolutions (He et al. 2016): conv, then depth × ( x ↦ x +
/// conv(φ(conv(φ(x)))) ), then φ. With a stride other than 1 every block's first conv has it, and its
/// shortcut is a convolution with a kernel of 1 and that stride ("projection"). Variances and outputs as in
/// CnnOptions.
struct ResnetOptions : CnnOptions {
  static std::vector<Field<ResnetOptions>> fields();
};

Network resnet(const ResnetOptions& options);
inline netsor::Program resnet(const ResnetOptions& options, const inputs::Inputs& inputs) {
  return program(resnet(options), inputs);
}

}  // namespace nngpcheck::architectures
