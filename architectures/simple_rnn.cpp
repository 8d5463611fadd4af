#include "architectures/simple_rnn.hpp"

#include "architectures/sequences.hpp"

namespace nngpcheck::architectures {

std::vector<Field<SimpleRnnOptions>> SimpleRnnOptions::fields() {
  std::vector<Field<SimpleRnnOptions>> result = recurrent_fields<SimpleRnnOptions>();
  result.insert(result.begin(), {"activation", &SimpleRnnOptions::activation, "φ", 0, {}});
  return result;
}

netsor::Program simple_rnn(const SimpleRnnOptions& options, const Inputs& inputs) {
  check(options);
  validate(inputs);
  const TimeSteps steps(inputs);
  netsor::Builder builder;
  const RecurrentAffine affine(builder, inputs, steps, "",
                               {options.weight_variance, options.input_variance, options.bias_variance});
  std::vector<netsor::BundleId> states;
  for (int t = 0; t < steps.count(); ++t) {
    std::optional<netsor::BundleId> before;
    if (t > 0) before = builder.select(states.back(), steps.surviving(t));
    states.push_back(builder.map(options.activation, affine(t, before)));
  }
  builder.output(builder.readout({"v", options.readout_variance}),
                 steps.collect(builder, states, options.output), steps.labels(options.output));
  return std::move(builder).build();
}

}  // namespace nngpcheck::architectures
