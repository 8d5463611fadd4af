#pragma once

#include <array>
#include <vector>

#include "nngpcheck/architectures/network.hpp"

namespace nngpcheck::architectures {

/// What is read out of a sequence.
enum class SequenceOutputs { tokens, last, average };
template <>
inline constexpr std::array words<SequenceOutputs>{"tokens", "last", "average"};

/// What the recurrent networks share: depth layers of the kind L, each on the states of the one below, and a
/// readout y = vᵀh/√n of the states of every token ("tokens"), of each sequence's "last" state, or of their
/// "average" over time. The variances are L's: input_variance is also that of the weights between layers.
/// Layers "gru1", "gru2", …
template <class L>
struct Stacked : L {
  int depth = 1;
  double readout_variance = 1;
  SequenceOutputs outputs = SequenceOutputs::tokens;

  static std::vector<Field<Stacked>> fields();
};

using SimpleRnnOptions = Stacked<SimpleRnn>;
using GruOptions = Stacked<Gru>;
using LstmOptions = Stacked<Lstm>;

/// Throws ArchitectureError for options out of range; with inputs, also for inputs that are no sequences.
Network simple_rnn(const SimpleRnnOptions& options);
Network gru(const GruOptions& options);
Network lstm(const LstmOptions& options);

inline netsor::Program simple_rnn(const SimpleRnnOptions& options, const inputs::Inputs& inputs) {
  return program(simple_rnn(options), inputs);
}
inline netsor::Program gru(const GruOptions& options, const inputs::Inputs& inputs) {
  return program(gru(options), inputs);
}
inline netsor::Program lstm(const LstmOptions& options, const inputs::Inputs& inputs) {
  return program(lstm(options), inputs);
}

/// Encoder–decoder with attention (Luong et al. 2015) over sequences of `source` + `target` tokens. An LSTM
/// runs over the source, another one over the target, from state 0, and y reads φ(W [h_t, c_t] + b) of every
/// target token, c_t = Attention of h_t to the encoder's states, separate weights, scores scaled as in
/// SelfAttention. Variances as in Lstm.
struct Seq2seqOptions {
  int source = 2;
  int target = 2;
  netsor::Activation activation = netsor::Activation::named("tanh");
  double weight_variance = 1;
  double input_variance = 1;
  double bias_variance = 0;
  int head_size = 0;
  Scaling scaling = Scaling::n;
  double readout_variance = 1;

  static std::vector<Field<Seq2seqOptions>> fields();
};
Network seq2seq(const Seq2seqOptions& options);

}  // namespace nngpcheck::architectures
