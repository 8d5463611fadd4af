#pragma once

#include <vector>

#include "architectures/inputs.hpp"
#include "architectures/options.hpp"
#include "netsor/program.hpp"

namespace nngpcheck::architectures {

/// Multilayer perceptron of L = depth hidden layers of width n, on inputs x ∈ R^d:
///
///     h¹ = U x + b¹,   h^l = W^l φ(h^{l-1}) + b^l  (l = 2..L),   y = vᵀφ(h^L)/√n
///
/// U ~ N(0, input_variance/d), W^l ~ N(0, weight_variance/n), b^l ~ N(0, bias_variance),
/// v ~ N(0, readout_variance). Random objects: "U", "W2".."WL", "b1".."bL" (none if bias_variance is 0), "v".
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

/// One output column per input column; sequences are treated as their tokens.
/// Throws ArchitectureError if the options or the inputs are not valid.
netsor::Program mlp(const MlpOptions& options, const Inputs& inputs);

}  // namespace nngpcheck::architectures
