#pragma once

#include <string>
#include <vector>

#include "nngpcheck/architectures/network.hpp"

namespace nngpcheck::architectures {

/// What the recurrent networks share: depth layers of the kind L, each on the states of the one below, and a
/// readout y = vᵀh/√n of the states of every token ("tokens"), of each sequence's "last" state, or of their
/// "average" over time. The variances are L's: input_variance is also that of the weights between layers.
/// Layers "gru1", "gru2", …
template <class L>
struct Stacked : L {
  int depth = 1;
  double readout_variance = 1;
  std::string outputs = "tokens";

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

}  // namespace nngpcheck::architectures
