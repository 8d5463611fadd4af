// Networks as lists of layers. A layer maps a signal to a signal: m columns, one per site of each sample
// (sites: positions of a grid, tokens of a sequence, nodes of a graph; a plain vector has one), each a vector
// of width n, in one or more blocks (concatenation along the width). The raw data is a signal too, of d rows.
//
// Every random matrix has entries N(0, variance/fan-in), every bias N(0, variance); a bias of variance 0 is
// left out. Random objects of the layer L are called "L.W", "L.b", …; where a weight acts on several blocks,
// block k has "L.W@k", and the fan-in counts all of them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "nngpcheck/architectures/options.hpp"
#include "nngpcheck/netsor/activation.hpp"
#include "nngpcheck/netsor/width.hpp"

namespace nngpcheck::architectures {

struct Layer;
using Layers = std::vector<Layer>;

/// W x + b at every site. "L.W", "L.b".
struct Dense {
  static constexpr const char* type = "dense";
  netsor::Width width = {};
  double weight_variance = 1;
  double bias_variance = 0;
  static std::vector<Field<Dense>> fields();
};

/// φ(x), coordinatewise.
struct Activate {
  static constexpr const char* type = "activation";
  netsor::Activation activation = netsor::Activation::named("relu");
  static std::vector<Field<Activate>> fields();
};

/// Σ_δ W_δ x(o·stride + δ·dilation - left) + b over the axes of a grid; sequences have one axis. Lists have
/// one entry per axis, or a single one for all. Output position o reads the input positions above, 0 ≤ δ <
/// kernel; left and the number of outputs are those of `Padding`. The fan-in counts the positions of the
/// kernel. "L.W[δ]" with comma-separated δ, "L.b".
struct Conv {
  static constexpr const char* type = "conv";
  std::vector<std::int64_t> kernel = {3};
  std::vector<std::int64_t> stride = {1};
  std::vector<std::int64_t> dilation = {1};
  Padding padding = "zero";
  netsor::Width width = {};
  double weight_variance = 1;
  double bias_variance = 0;
  static std::vector<Field<Conv>> fields();
};

/// X ↦ W X Â + b over the nodes of a graph, A_{st} the weight of the edge from s to t. "gcn": Â = D^{-1/2} A
/// D^{-1/2}, D the weighted degrees (of sources by outgoing, of targets by incoming edges); "row": each node
/// averages over its incoming edges; "sum": Â = A. self_loops first adds a loop of weight 1 to every node
/// that has no edge to itself; those that have one keep its weight. "L.W", "L.b".
struct GraphConv {
  static constexpr const char* type = "graph_conv";
  std::string normalization = "gcn";
  bool self_loops = true;
  netsor::Width width = {};
  double weight_variance = 1;
  double bias_variance = 0;
  static std::vector<Field<GraphConv>> fields();
};

/// Pools over a window as in Conv; an empty stride means the kernel's size. An average divides by the
/// kernel's size, also where positions beyond the ends count as zero; a maximum ignores those. On raw data, a
/// maximum is refused.
struct Pool {
  enum class Kind { average, sum, maximum };
  static constexpr const char* types[] = {"avg_pool", "sum_pool", "max_pool"};
  Kind kind = Kind::average;
  std::vector<std::int64_t> kernel = {2};
  std::vector<std::int64_t> stride = {};
  std::vector<std::int64_t> dilation = {1};
  Padding padding = "valid";
  static std::vector<Field<Pool>> fields();
};

/// The average over all sites of a sample.
struct GlobalAveragePool {
  static constexpr const char* type = "global_avg_pool";
};

/// The last site of a sample.
struct Last {
  static constexpr const char* type = "last";
};

/// One site per sample: its sites become blocks, in their order.
struct Flatten {
  static constexpr const char* type = "flatten";
};

/// f(x) + s(x), f = layers, s = shortcut (the identity if empty).
struct Residual {
  static constexpr const char* type = "residual";
  Layers layers;
  Layers shortcut;
};

/// The blocks of all branches.
struct Concat {
  static constexpr const char* type = "concat";
  std::vector<Layers> branches;
};

/// (x - mean)/√(variance + ε) ⊙ γ + β, mean and (biased) variance over the width, of all blocks together;
/// γ ~ N(1, gain_variance) and β ~ N(0, bias_variance) are left out at variance 0. "L.gain@k", "L.b@k".
struct LayerNorm {
  static constexpr const char* type = "layer_norm";
  double epsilon = 0;
  double gain_variance = 0;
  double bias_variance = 0;
  static std::vector<Field<LayerNorm>> fields();
};

/// (x - mean)/√(variance + ε), mean and biased variance per coordinate over all sites of all samples of one
/// batch.
struct BatchNorm {
  static constexpr const char* type = "batch_norm";
  double epsilon = 0;
  static std::vector<Field<BatchNorm>> fields();
};

/// softmax over the keys k of (key_kᵀ query_q/width)/temperature, then Σ_k weight_{kq} value_k, within each
/// sample; "causal" lets position q see k ≤ q only.
/// weights = "none": keys, queries and values are x (one head). "separate": per head of width n/heads
/// K = W_K x, Q = W_Q x, V = W_V x, and the output is W_O of all heads; "tied": Q = K. "L.K0", "L.Q0", "L.V0"
/// of head 0, …, "L.O@0". With separate weights scores tend to 0 and attention to an average.
/// scaling = "1/sqrt(n)" and "1/sqrt(d)" (heads of fixed size d) are refused: such scores have no
/// deterministic limit.
struct SelfAttention {
  static constexpr const char* type = "self_attention";
  std::string weights = "separate";
  int heads = 1;
  std::string mask = "full";
  std::string scaling = "1/n";
  double temperature = 1;
  double weight_variance = 1;
  static std::vector<Field<SelfAttention>> fields();
};

// Recurrent layers run over the sites of sequences or grids of one axis, state 0 before the first, and give
// the state at every site. "L.U…" acts on the layer's input, "L.W…" on the state; gates have suffixes,
// "L.W_z". bidirectional: a second run from the last site to the first, with random objects of its own
// ("L.reverse.W"); its states are further blocks.

/// s_t = φ(W s_{t-1} + U x_t + b).
struct SimpleRnn {
  static constexpr const char* type = "simple_rnn";
  netsor::Activation activation = netsor::Activation::named("tanh");
  double weight_variance = 1;
  double input_variance = 1;
  double bias_variance = 0;
  bool bidirectional = false;
  static std::vector<Field<SimpleRnn>> fields();
};

/// convention = "tp1" ("Tensor Programs I", appendix B: reset before the product, z gates the candidate):
///     z_t = σ(W_z h_{t-1} + U_z x_t + b_z),   r_t = σ(W_r h_{t-1} + U_r x_t + b_r)
///     c_t = φ(W_c (r_t ⊙ h_{t-1}) + U_c x_t + b_c)
///     h_t = (1 - z_t) ⊙ h_{t-1} + z_t ⊙ c_t
/// convention = "torch" (torch::nn::GRU: reset after the product, z gates the old state, two biases a gate):
///     z_t = σ(W_z h_{t-1} + b'_z + U_z x_t + b_z),   r_t likewise
///     c_t = φ(U_c x_t + b_c + r_t ⊙ (W_c h_{t-1} + b'_c))
///     h_t = (1 - z_t) ⊙ c_t + z_t ⊙ h_{t-1}
/// b' ~ N(0, hidden_bias_variance), torch convention only. Objects "L.W_z", "L.U_z", "L.b_z", "L.b'_z", …
struct Gru {
  static constexpr const char* type = "gru";
  std::string convention = "tp1";
  netsor::Activation activation = netsor::Activation::named("tanh");
  netsor::Activation gate_activation = netsor::Activation::named("sigmoid");
  double weight_variance = 1;
  double input_variance = 1;
  double bias_variance = 0;
  double hidden_bias_variance = 0;
  bool bidirectional = false;
  static std::vector<Field<Gru>> fields();
};

/// i, f, o = σ(W h_{t-1} + b' + U x_t + b) with random objects of their own, g = φ(the same),
///     c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t,   h_t = o_t ⊙ φ(c_t),   without peepholes.
/// Objects "L.W_i", "L.U_i", "L.b_i", "L.b'_i", and so on for f, g, o.
struct Lstm {
  static constexpr const char* type = "lstm";
  netsor::Activation activation = netsor::Activation::named("tanh");
  netsor::Activation gate_activation = netsor::Activation::named("sigmoid");
  double weight_variance = 1;
  double input_variance = 1;
  double bias_variance = 0;
  double hidden_bias_variance = 0;
  bool bidirectional = false;
  static std::vector<Field<Lstm>> fields();
};

/// A layer and its name. Layers of one name share their random objects, and must draw the same ones. A name
/// left empty is filled in by `network()`: "dense1", "dense2", "conv1", …
struct Layer {
  using Kind = std::variant<Dense, Activate, Conv, GraphConv, Pool, GlobalAveragePool, Last, Flatten,
                            Residual, Concat, LayerNorm, BatchNorm, SelfAttention, SimpleRnn, Gru, Lstm>;
  Kind kind;
  std::string name = {};
};

/// A kind of layer as TOML and `nngpcheck list` know it.
struct LayerKind {
  std::string name;  // "dense"
  std::string summary;
  std::vector<OptionInfo> options;
  std::vector<std::string> parts;  // keys that hold lists of layers; "branches" holds lists of them
  /// From its options, and its parts in that order.
  std::function<Layer::Kind(const Settings&, const std::vector<std::vector<Layers>>&)> make;
};

/// All of them.
const std::vector<LayerKind>& layer_kinds();

/// The name in that table: "dense".
std::string type_name(const Layer::Kind& kind);

}  // namespace nngpcheck::architectures
