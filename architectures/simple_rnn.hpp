#pragma once

#include <string>
#include <vector>

#include "architectures/inputs.hpp"
#include "architectures/options.hpp"
#include "netsor/program.hpp"

namespace nngpcheck::architectures {

/// Simple (Elman) recurrent network over sequences x_1, x_2, …, the same weights at every step:
///
///     s_t = φ(W s_{t-1} + U x_t + b),   s_0 = 0,   y_t = vᵀs_t/√n
///
/// W ~ N(0, weight_variance/n), U ~ N(0, input_variance/d), b ~ N(0, bias_variance), v ~ N(0,
/// readout_variance). Random objects: "W", "U", "b" (none if bias_variance is 0), "v". Sequences may differ
/// in length. Source: "Tensor Programs I", NETSOR program 2 and figure 3(E).
struct SimpleRnnOptions {
  netsor::Activation activation = netsor::Activation::named("tanh");
  double weight_variance = 1;
  double input_variance = 1;
  double bias_variance = 0;
  double readout_variance = 1;
  std::string output =
      "all";  // outputs: every token's state, each sequence's last one, or its average over time

  static std::vector<Field<SimpleRnnOptions>> fields();
};

/// Throws ArchitectureError if the options or the inputs are not valid, or the inputs are not sequences.
netsor::Program simple_rnn(const SimpleRnnOptions& options, const Inputs& inputs);

}  // namespace nngpcheck::architectures
