#pragma once

#include <string>
#include <vector>

#include "architectures/inputs.hpp"
#include "architectures/options.hpp"
#include "netsor/program.hpp"

namespace nngpcheck::architectures {

/// Long short-term memory over sequences, h_0 = c_0 = 0, y_t = vᵀh_t/√n. σ is the gate activation.
///
///     i_t, f_t, o_t = σ(W h_{t-1} + U x_t + b),   g_t = φ(W_g h_{t-1} + U_g x_t + b_g)   (own W, U, b each)
///     c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t,   h_t = o_t ⊙ φ(c_t)
///
/// W ~ N(0, weight_variance/n), U ~ N(0, input_variance/d), b ~ N(0, bias_variance) (one bias a gate: where
/// torch::nn::LSTM has two, their sum), v ~ N(0, readout_variance). Random objects: "W_i", "U_i", "b_i", and
/// so on for f, g and o; none for a bias of variance 0. Source: Hochreiter and Schmidhuber (1997), with
/// forget gates.
struct LstmOptions {
  netsor::Activation activation = netsor::Activation::named("tanh");
  netsor::Activation gate_activation = netsor::Activation::named("sigmoid");
  double weight_variance = 1;
  double input_variance = 1;
  double bias_variance = 0;
  double readout_variance = 1;
  std::string output = "all";  // as SimpleRnnOptions

  static std::vector<Field<LstmOptions>> fields();
};

/// Throws ArchitectureError if the options or inputs are not valid or not sequences.
netsor::Program lstm(const LstmOptions& options, const Inputs& inputs);

}  // namespace nngpcheck::architectures
