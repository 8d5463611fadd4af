// Layers on the nodes of graphs. What a layer, a signal and a random object's name are: layers.hpp.
//
// A_{st} is the weight of the edge from s to t. self_loops adds a loop of weight self_loop_weight to every
// node that has no edge to itself; those that have one keep its weight.
#pragma once

#include <array>
#include <vector>

#include "nngpcheck/architectures/options.hpp"
#include "nngpcheck/netsor/activation.hpp"
#include "nngpcheck/netsor/width.hpp"

namespace nngpcheck::architectures {

/// Of the adjacency matrix.
enum class Normalization { gcn, row, sum };
template <>
inline constexpr std::array words<Normalization>{"gcn", "row", "sum"};

enum class GraphScores { gat, gatv2 };
template <>
inline constexpr std::array words<GraphScores>{"gat", "gatv2"};

/// X ↦ W X Â + S X + b. "gcn": Â = D^{-1/2} A D^{-1/2}, D the weighted degrees (of sources by outgoing, of
/// targets by incoming edges); "row": each node averages over its incoming edges; "sum": Â = A. Weights may
/// be negative, degrees that are divided by are positive. "L.W", "L.b".
///
/// S, "L.S" of self_weight_variance, acts on the node itself, and is left out at 0: "row" without loops and
/// with it is GraphSAGE's mean (Hamilton et al. 2017). "sum" with loops of weight 1 + ε, before a
/// perceptron, is GIN (Xu et al. 2019).
struct GraphConv {
  static constexpr const char* type = "graph_conv";
  Normalization normalization = Normalization::gcn;
  bool self_loops = true;
  netsor::Width width = {};
  double weight_variance = 1;
  double bias_variance = 0;
  double self_loop_weight = 1;
  double self_weight_variance = 0;
  static std::vector<Field<GraphConv>> fields();
};

/// Graph attention (Veličković et al. 2018) of n/d heads of size d = head_size: h = W x, node t receives
/// Σ_s w_{st} h_s + b, the weights of each head a softmax over its incoming edges s → t of φ(a·h_s + a'·h_t);
/// of the edges' own weights only 0 matters, no edge. φ = activation. scores = "gatv2" (Brody et al. 2022): a
/// softmax of a·φ(h_s + g_t) instead, g = V x. a and a', of every head its own, have entries N(0,
/// attention_variance/d). The d coordinates of all heads are d vectors of width n/d, "L.W0" and "L.V0" the
/// first, and scores are sums of products, coordinatewise; the output has them as its blocks. "L.a0",
/// "L.a'0", "L.b0", … Of a fixed number of heads, whose size grows, scores stay random: there is no limit.
struct GraphAttention {
  static constexpr const char* type = "graph_attention";
  int head_size = 4;
  GraphScores scores = GraphScores::gat;
  netsor::Activation activation = netsor::Activation::named("leaky_relu_0.2");
  bool self_loops = true;
  double weight_variance = 1;
  double attention_variance = 1;
  double bias_variance = 0;
  static std::vector<Field<GraphAttention>> fields();
};

}  // namespace nngpcheck::architectures
