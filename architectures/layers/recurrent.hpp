// Recurrent layers. What a layer, a signal and a random object's name are: layers.hpp.
//
// They run over the sites of sequences or grids of one axis, each over its own length, and give the state at
// every site. "L.U…" acts on the layer's input, "L.W…" on the state; gates have suffixes, "L.W_z".
// bidirectional: a second run from the last site to the first, with random objects of its own
// ("L.reverse.W"); its states are further blocks.
//
// The state before the first site is 0; or "L.h0" ~ N(0, initial_variance), the same for all samples (of an
// LSTM's cell "L.c0"); or what `initial`, a list of layers, makes of the network's inputs, of every sample
// its own: one site, a block of width n for each direction. (An LSTM's cell: initial_cell. One that is left
// out is 0.)
//
// layer_norm (Ba, Kiros and Hinton 2016, without gains): LN(x) = (x - mean)/√(variance + epsilon) over the
// width of all gates that it is written around together; of the state 0 it is 0.
#pragma once

#include <array>
#include <vector>

#include "nngpcheck/architectures/layers/layer_list.hpp"
#include "nngpcheck/architectures/options.hpp"
#include "nngpcheck/netsor/activation.hpp"

namespace nngpcheck::architectures {

/// s_t = φ(W s_{t-1} + U x_t + b); with layer_norm φ(LN(W s_{t-1} + U x_t) + b).
struct SimpleRnn {
  static constexpr const char* type = "simple_rnn";
  netsor::Activation activation = netsor::Activation::named("tanh");
  double weight_variance = 1;
  double input_variance = 1;
  double bias_variance = 0;
  bool bidirectional = false;
  double initial_variance = 0;
  bool layer_norm = false;
  double epsilon = 0;
  Layers initial = {};
  static std::vector<Field<SimpleRnn>> fields();
};

enum class GruConvention { tp1, torch };
template <>
inline constexpr std::array words<GruConvention>{"tp1", "torch"};

/// convention = "tp1" ("Tensor Programs I", appendix B: reset before the product, z gates the candidate):
///     z_t = σ(W_z h_{t-1} + U_z x_t + b_z),   r_t = σ(W_r h_{t-1} + U_r x_t + b_r)
///     c_t = φ(W_c (r_t ⊙ h_{t-1}) + U_c x_t + b_c)
///     h_t = (1 - z_t) ⊙ h_{t-1} + z_t ⊙ c_t
/// convention = "torch" (torch::nn::GRU: reset after the product, z gates the old state, two biases a gate):
///     z_t = σ(W_z h_{t-1} + b'_z + U_z x_t + b_z),   r_t likewise
///     c_t = φ(U_c x_t + b_c + r_t ⊙ (W_c h_{t-1} + b'_c))
///     h_t = (1 - z_t) ⊙ c_t + z_t ⊙ h_{t-1}
/// b' ~ N(0, hidden_bias_variance), torch convention only. Objects "L.W_z", "L.U_z", "L.b_z", "L.b'_z", …
/// layer_norm: LN of (W_z h, W_r h) together, of (U_z x, U_r x), and of both products of c by themselves.
struct Gru {
  static constexpr const char* type = "gru";
  GruConvention convention = GruConvention::tp1;
  netsor::Activation activation = netsor::Activation::named("tanh");
  netsor::Activation gate_activation = netsor::Activation::named("sigmoid");
  double weight_variance = 1;
  double input_variance = 1;
  double bias_variance = 0;
  double hidden_bias_variance = 0;
  bool bidirectional = false;
  double initial_variance = 0;
  bool layer_norm = false;
  double epsilon = 0;
  Layers initial = {};
  static std::vector<Field<Gru>> fields();
};

/// i, f, o = σ(W h_{t-1} + b' + U x_t + b) with random objects of their own, g = φ(the same),
///     c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t,   h_t = o_t ⊙ φ(c_t),   without peepholes.
/// b of the gate f ~ N(forget_bias, bias_variance); Keras's unit_forget_bias is 1. Objects "L.W_i", "L.U_i",
/// "L.b_i", "L.b'_i", and so on for f, g, o.
/// layer_norm: LN of the W h of all four together, of the U x, and h_t = o_t ⊙ φ(LN(c_t)).
struct Lstm {
  static constexpr const char* type = "lstm";
  netsor::Activation activation = netsor::Activation::named("tanh");
  netsor::Activation gate_activation = netsor::Activation::named("sigmoid");
  double weight_variance = 1;
  double input_variance = 1;
  double bias_variance = 0;
  double hidden_bias_variance = 0;
  bool bidirectional = false;
  double forget_bias = 0;
  double initial_variance = 0;
  bool layer_norm = false;
  double epsilon = 0;
  Layers initial = {};
  Layers initial_cell = {};
  static std::vector<Field<Lstm>> fields();
};

}  // namespace nngpcheck::architectures
