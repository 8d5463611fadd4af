#include "nngpcheck/architectures/named/recurrent.hpp"

namespace nngpcheck::architectures {

template <class L>
std::vector<Field<Stacked<L>>> Stacked<L>::fields() {
  const std::vector<Field<Stacked>> own = {
      {"depth", &Stacked::depth, "number of layers", 1},
      {"readout_variance", &Stacked::readout_variance, "variance of a readout weight times n"},
      {"outputs", &Stacked::outputs,
       "states that are read out: of every token, the last, or the average over time"},
  };
  return inherited<Stacked>(L::fields()) + own;
}

namespace {

template <class L>
Network stack(const Stacked<L>& options) {
  check(options);
  Layers layers(static_cast<std::size_t>(options.depth), Layer{static_cast<const L&>(options)});
  if (options.outputs == SequenceOutputs::last) layers.push_back({Last{}});
  if (options.outputs == SequenceOutputs::average) layers.push_back({GlobalAveragePool{}});
  return network(std::move(layers), options.readout_variance);
}

}  // namespace

template struct Stacked<SimpleRnn>;
template struct Stacked<Gru>;
template struct Stacked<Lstm>;

Network simple_rnn(const SimpleRnnOptions& options) { return stack(options); }
Network gru(const GruOptions& options) { return stack(options); }
Network lstm(const LstmOptions& options) { return stack(options); }

std::vector<Field<Seq2seqOptions>> Seq2seqOptions::fields() {
  using S = Seq2seqOptions;
  return {{"source", &S::source, "tokens of the encoder, the first of a sequence", 1},
          {"target", &S::target, "tokens of the decoder, the others", 1},
          {"activation", &S::activation, "φ"},
          {"weight_variance", &S::weight_variance, "variance of a weight times its fan-in"},
          {"input_variance", &S::input_variance, "variance of an input weight times its fan-in"},
          {"bias_variance", &S::bias_variance, "variance of a bias"},
          {"head_size", &S::head_size, "d of n/d heads; 0: one head of width n"},
          {"scaling", &S::scaling, "of the scores"},
          {"readout_variance", &S::readout_variance, "variance of a readout weight times n"}};
}

Network seq2seq(const Seq2seqOptions& options) {
  check(options);
  Lstm lstm;
  lstm.weight_variance = options.weight_variance;
  lstm.input_variance = options.input_variance;
  lstm.bias_variance = options.bias_variance;
  CrossAttention attention;
  attention.weight_variance = options.weight_variance;
  attention.head_size = options.head_size;
  attention.scaling = options.scaling;
  attention.memory = {{Crop{.before = {0}, .after = {options.target}}}, {lstm, "encoder"}};
  return network({{Crop{.before = {options.source}, .after = {0}}},
                  {lstm, "decoder"},
                  {Concat{{Layers{}, Layers{{attention}}}}},
                  {Dense{{}, options.weight_variance, options.bias_variance}},
                  {Activate{options.activation}}},
                 options.readout_variance);
}

}  // namespace nngpcheck::architectures
