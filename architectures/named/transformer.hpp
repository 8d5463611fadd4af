#pragma once

#include <array>
#include <vector>

#include "nngpcheck/architectures/named/recurrent.hpp"
#include "nngpcheck/architectures/network.hpp"

namespace nngpcheck::architectures {

enum class TransformerVariant { tp1, pre_norm };
template <>
inline constexpr std::array words<TransformerVariant>{"tp1", "pre_norm"};

/// Transformer of `depth` layers over sequences. Attention is within a sequence, softmax over the keys of
/// scores /width/temperature; layer norms have no affine part.
///
/// variant = "tp1" ("Tensor Programs I", appendix B), from x = the data:
///     k = U x,   h = LN(k + Attention(k, k, k)),   x' = LN(W² φ(W¹ h + b¹) + b² + h)
/// variant = "pre_norm", from x = U·data, closed by a last LN:
///     h = x + W_O Attention(W_K z, W_Q z, W_V z) with z = LN(x),   x' = h + W² φ(W¹ LN(h) + b¹) + b²
///
/// Every U ~ N(0, embedding_variance/fan-in), W ~ N(0, weight_variance/fan-in), b ~ N(0, bias_variance).
/// heads, head_size and scaling (as in SelfAttention) only for pre_norm. The hidden layer of the feed-forward
/// part has the width feedforward·n. Positional encodings are rows of the data. outputs as in the recurrent
/// networks.
struct TransformerOptions {
  TransformerVariant variant = TransformerVariant::tp1;
  int depth = 1;
  double embedding_variance = 1;
  double weight_variance = 1;
  double bias_variance = 0;
  netsor::Activation activation = netsor::Activation::named("relu");
  Mask mask = Mask::causal;
  int heads = 1;
  int head_size = 0;
  Scaling scaling = Scaling::n;
  netsor::Width feedforward = {};
  double temperature = 1;
  double epsilon = 0;
  double readout_variance = 1;
  SequenceOutputs outputs = SequenceOutputs::tokens;

  static std::vector<Field<TransformerOptions>> fields();
};

Network transformer(const TransformerOptions& options);
inline netsor::Program transformer(const TransformerOptions& options, const inputs::Inputs& inputs) {
  return program(transformer(options), inputs);
}

/// GPT-2's blocks: the pre_norm transformer with causal attention, GELU by its tanh formula and a hidden
/// width of 4n; scores over d, of heads of the fixed size head_size = d = 2. With "1/sqrt(d)" they are
/// GPT-2's own.
struct GptOptions : TransformerOptions {
  GptOptions();
  static std::vector<Field<GptOptions>> fields();
};

Network gpt(const GptOptions& options);

/// What no closed form covers: over the positions of a sequence or a grid of one axis,
///     conv → φ → LSTM → self-attention of its states (no weights) → layer norm → average.
/// All weights N(0, weight_variance/fan-in), all biases N(0, bias_variance); gates with the logistic sigmoid
/// and tanh.
struct ConvLstmAttentionOptions {
  std::vector<std::int64_t> kernel = {3};
  netsor::Activation activation = netsor::Activation::named("relu");
  Mask mask = Mask::full;
  double weight_variance = 1;
  double bias_variance = 0;
  double epsilon = 0;
  double readout_variance = 1;

  static std::vector<Field<ConvLstmAttentionOptions>> fields();
};

Network conv_lstm_attention(const ConvLstmAttentionOptions& options);
inline netsor::Program conv_lstm_attention(const ConvLstmAttentionOptions& options,
                                           const inputs::Inputs& inputs) {
  return program(conv_lstm_attention(options), inputs);
}

}  // namespace nngpcheck::architectures
