#pragma once

#include <vector>

#include "nngpcheck/architectures/network.hpp"

namespace nngpcheck::architectures {

/// Multilayer perceptron of L = depth hidden layers of width n, on inputs x ∈ R^d:
///
///     h¹ = W¹ x + b¹,   h^l = W^l φ(h^{l-1}) + b^l  (l = 2..L),   y = vᵀφ(h^L)/√n
///
/// W¹ ~ N(0, input_variance/d), W^l ~ N(0, weight_variance/n), b^l ~ N(0, bias_variance),
/// v ~ N(0, readout_variance). Layers "dense1".."denseL". Sequences and grids are treated as their sites.
/// Source: "Tensor Programs I", NETSOR program 1.
struct MlpOptions {
  int depth = 1;
  netsor::Activation activation = netsor::Activation::named("relu");
  double weight_variance = 1;
  double input_variance = 1;
  double bias_variance = 0;
  double readout_variance = 1;

  static std::vector<Field<MlpOptions>> fields();
};

/// Throws ArchitectureError for options out of range; with inputs, also for inputs that are not valid.
Network mlp(const MlpOptions& options);
inline netsor::Program mlp(const MlpOptions& options, const inputs::Inputs& inputs) {
  return program(mlp(options), inputs);
}

/// The same with batch normalization without affine part before every activation: φ(BN(h^l)). Layers
/// "dense1", "batch_norm1", …; the batches are the inputs'. Source: "Tensor Programs I", figure 3(D).
struct BatchNormMlpOptions : MlpOptions {
  double epsilon = 0;

  static std::vector<Field<BatchNormMlpOptions>> fields();
};

Network batchnorm_mlp(const BatchNormMlpOptions& options);
inline netsor::Program batchnorm_mlp(const BatchNormMlpOptions& options, const inputs::Inputs& inputs) {
  return program(batchnorm_mlp(options), inputs);
}

}  // namespace nngpcheck::architectures
