#include "architectures/lstm.hpp"

#include "architectures/sequences.hpp"

namespace nngpcheck::architectures {

std::vector<Field<LstmOptions>> LstmOptions::fields() {
  std::vector<Field<LstmOptions>> result = recurrent_fields<LstmOptions>();
  result.insert(result.begin(), {{"activation", &LstmOptions::activation, "φ", 0, {}},
                                 {"gate_activation", &LstmOptions::gate_activation, "σ", 0, {}}});
  return result;
}

netsor::Program lstm(const LstmOptions& options, const Inputs& inputs) {
  check(options);
  validate(inputs);
  const TimeSteps steps(inputs);
  netsor::Builder builder;
  const auto affine = [&](const char* suffix) {
    return RecurrentAffine(builder, inputs, steps, suffix,
                           {options.weight_variance, options.input_variance, options.bias_variance});
  };
  const RecurrentAffine input = affine("_i"), forget = affine("_f"), candidate = affine("_g"),
                        exposed = affine("_o");
  std::vector<netsor::BundleId> states;
  std::optional<netsor::BundleId> cell;
  for (int t = 0; t < steps.count(); ++t) {
    std::optional<netsor::BundleId> before;
    if (t > 0) before = builder.select(states.back(), steps.surviving(t));
    const auto gate = [&](const RecurrentAffine& of) {
      return builder.map(options.gate_activation, of(t, before));
    };
    const netsor::BundleId fresh = builder.map(options.activation, candidate(t, before));
    const netsor::BundleId update = builder.mul(gate(input), fresh);
    if (t > 0) {
      const netsor::BundleId kept = builder.select(*cell, steps.surviving(t));
      cell = builder.add(update, builder.mul(gate(forget), kept));
    } else {
      cell = update;
    }
    const netsor::BundleId shown = builder.map(options.activation, *cell);
    states.push_back(builder.mul(gate(exposed), shown));
  }
  builder.output(builder.readout({"v", options.readout_variance}),
                 steps.collect(builder, states, options.output), steps.labels(options.output));
  return std::move(builder).build();
}

}  // namespace nngpcheck::architectures
