#include "nngpcheck/architectures/named/recurrent.hpp"

namespace nngpcheck::architectures {

template <class L>
std::vector<Field<Stacked<L>>> Stacked<L>::fields() {
  const std::vector<Field<Stacked>> own = {
      {"depth", &Stacked::depth, "number of layers", 1, {}},
      {"readout_variance", &Stacked::readout_variance, "variance of a readout weight times n", 0, {}},
      {"outputs",
       &Stacked::outputs,
       "states that are read out: of every token, the last, or the average over time",
       0,
       {"tokens", "last", "average"}},
  };
  return inherited<Stacked>(L::fields()) + own;
}

namespace {

template <class L>
Network stack(const Stacked<L>& options) {
  check(options);
  Layers layers(static_cast<std::size_t>(options.depth), Layer{static_cast<const L&>(options)});
  if (options.outputs == "last") layers.push_back({Last{}});
  if (options.outputs == "average") layers.push_back({GlobalAveragePool{}});
  return network(std::move(layers), options.readout_variance);
}

}  // namespace

template struct Stacked<SimpleRnn>;
template struct Stacked<Gru>;
template struct Stacked<Lstm>;

Network simple_rnn(const SimpleRnnOptions& options) { return stack(options); }
Network gru(const GruOptions& options) { return stack(options); }
Network lstm(const LstmOptions& options) { return stack(options); }

}  // namespace nngpcheck::architectures
