#pragma once

#include <string>
#include <vector>

#include "architectures/inputs.hpp"
#include "architectures/options.hpp"
#include "netsor/program.hpp"

namespace nngpcheck::architectures {

/// Gated recurrent unit over sequences, h_0 = 0, y_t = vᵀh_t/√n. σ is the gate activation.
///
/// convention = "tp1" ("Tensor Programs I", appendix B: reset before the product, z gates the candidate):
///     z_t = σ(W_z h_{t-1} + U_z x_t + b_z),   r_t = σ(W_r h_{t-1} + U_r x_t + b_r)
///     c_t = φ(W_c (r_t ⊙ h_{t-1}) + U_c x_t + b_c)
///     h_t = (1 - z_t) ⊙ h_{t-1} + z_t ⊙ c_t
/// convention = "torch" (torch::nn::GRU: reset after the product, z gates the old state, two biases a gate):
///     z_t = σ(W_z h_{t-1} + b'_z + U_z x_t + b_z),   r_t likewise
///     c_t = φ(U_c x_t + b_c + r_t ⊙ (W_c h_{t-1} + b'_c))
///     h_t = (1 - z_t) ⊙ c_t + z_t ⊙ h_{t-1}
///
/// W ~ N(0, weight_variance/n), U ~ N(0, input_variance/d), b ~ N(0, bias_variance), b' ~ N(0,
/// hidden_bias_variance), v ~ N(0, readout_variance), all independent. Random objects: "W_z", "U_z", "b_z",
/// "b'_z", and so on for r and c; none for a bias of variance 0.
struct GruOptions {
  std::string convention = "tp1";
  netsor::Activation activation = netsor::Activation::named("tanh");
  netsor::Activation gate_activation = netsor::Activation::named("sigmoid");
  double weight_variance = 1;
  double input_variance = 1;
  double bias_variance = 0;
  double hidden_bias_variance = 0;  // only for the torch convention
  double readout_variance = 1;
  std::string output = "all";  // as SimpleRnnOptions

  static std::vector<Field<GruOptions>> fields();
};

/// Throws ArchitectureError if the options or inputs are not valid or not sequences.
netsor::Program gru(const GruOptions& options, const Inputs& inputs);

}  // namespace nngpcheck::architectures
