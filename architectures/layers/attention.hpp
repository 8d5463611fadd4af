// Layers of attention. What a layer, a signal and a random object's name are: layers.hpp.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "nngpcheck/architectures/layers/layer_list.hpp"
#include "nngpcheck/architectures/options.hpp"
#include "nngpcheck/netsor/activation.hpp"

namespace nngpcheck::architectures {

/// Of queries, keys and values: of each its own, those of queries and keys the same, or none.
enum class AttentionWeights { separate, tied, none };
template <>
inline constexpr std::array words<AttentionWeights>{"separate", "tied", "none"};

enum class Mask { full, causal };
template <>
inline constexpr std::array words<Mask>{"full", "causal"};

/// What scores are divided by.
enum class Scaling { n, sqrt_n, sqrt_d, d };
template <>
inline constexpr std::array words<Scaling>{"1/n", "1/sqrt(n)", "1/sqrt(d)", "1/d"};

/// softmax over the keys k of s_{kq} = (key_k·query_q · scaling)/temperature + β_{kq}, then Σ_k weight_{kq}
/// value_k, within each sample.
///
/// Which keys are seen: mask = "causal" lets position q see k ≤ q only, window = w only |k - q| < w (0: all),
/// `visible` those where its row q has 1 in place k; it has a row for every query and an entry for every key
/// of the longest sample, shorter ones take its upper left part, and every query sees a key.
///
/// β_{kq} = -distance_slope · |k - q| (ALiBi) + score_bias[q][k], of the shape of `visible`, +
/// relative_bias[k - q], whose 2r + 1 entries are those of k - q = -r, …, r, the last ones also of what is
/// farther away. They are given numbers, the same for all heads. The distances and both masks are of
/// sequences.
///
/// weights = "none": keys, queries and values are x (one head). "separate": K = W_K x + b_K, Q = W_Q x + b_Q,
/// V = W_V x + b_V, and the output is W_O of all heads, + b_O; "tied": Q = K. Their variances are
/// weight_variance and bias_variance, but what query_variance, …, output_bias_variance say.
///
/// head_size = 0: `heads` heads of width n/heads, scaling = "1/n", by that width; "L.K0", "L.Q0", "L.V0",
/// "L.bK0", … of head 0, …, "L.O@0", "L.bO". With separate weights scores tend to 0 and attention to an
/// average. key_value_heads = g > 0, a divisor of heads: grouped-query attention, heads/g in a row share keys
/// and values. Scores scaled by "1/sqrt(n)" are refused: they have no deterministic limit.
///
/// head_size = d: n/d heads of that size, scaling = "1/sqrt(d)", as PyTorch has it, or "1/d". Every head has
/// random scores, and the limit averages over heads: the d coordinates of all heads are d vectors of width
/// n/d, "L.Q0" the first, and scores are sums of their products, coordinatewise. (In Hron et al. 2020 d
/// grows, too: another limit.) There:
///   - queries_per_key = r: grouped-query attention, r heads in a row share keys and values: n/(d r) vectors
///     of keys, query i of the j-th heads is "L.Q<j d + i>". The limit does not depend on r, its rate does.
///   - relative_bias_variance: β_{kq} gets one random number of each head and k - q, vectors "L.R[k - q]" ~
///     N(0, relative_bias_variance), of the j-th heads "L.R[k - q]#j": learnt relative positions as in T5 and
///     Swin. Of a fixed number of heads they would stay random.
///   - rotary_base = B > 0: coordinates i and i + d/2 of queries and keys at position p are turned by the
///     angle p B^(-2i/d) (RoPE); d is even.
struct SelfAttention {
  static constexpr const char* type = "self_attention";
  AttentionWeights weights = AttentionWeights::separate;
  int heads = 1;
  Mask mask = Mask::full;
  Scaling scaling = Scaling::n;
  double temperature = 1;
  double weight_variance = 1;
  double bias_variance = 0;
  int head_size = 0;
  int key_value_heads = 0;
  int window = 0;
  double distance_slope = 0;
  std::optional<double> query_variance = {};
  std::optional<double> key_variance = {};
  std::optional<double> value_variance = {};
  std::optional<double> output_variance = {};
  std::optional<double> query_bias_variance = {};
  std::optional<double> key_bias_variance = {};
  std::optional<double> value_bias_variance = {};
  std::optional<double> output_bias_variance = {};
  int queries_per_key = 1;
  Table visible = {};
  Table score_bias = {};
  std::vector<double> relative_bias = {};
  double relative_bias_variance = 0;
  double rotary_base = 0;
  static std::vector<Field<SelfAttention>> fields();
};

/// The same with queries of x, and keys and values of what `memory`, a list of layers, makes of the network's
/// inputs: of the encoder, in an encoder–decoder. Layers of one name share their weights, so that several
/// layers may have one memory. Query positions of a sample see all positions of its memory, or those that
/// `visible` says; weights are separate.
struct CrossAttention : SelfAttention {
  static constexpr const char* type = "cross_attention";
  Layers memory = {};
  static std::vector<Field<CrossAttention>> fields();
};

/// Σ_k (ψ(key_k)·ψ(query_q)/width) value_k, divided by Σ_k of its weights unless not normalized; ψ = feature,
/// which must not be negative then. elu_plus_one, elu(x) + 1, is that of Katharopoulos et al. Heads, masks
/// and names as in SelfAttention.
struct LinearAttention {
  static constexpr const char* type = "linear_attention";
  netsor::Activation feature = netsor::Activation::named("elu_plus_one");
  AttentionWeights weights = AttentionWeights::separate;
  int heads = 1;
  Mask mask = Mask::full;
  bool normalized = true;
  double weight_variance = 1;
  static std::vector<Field<LinearAttention>> fields();
};

}  // namespace nngpcheck::architectures
