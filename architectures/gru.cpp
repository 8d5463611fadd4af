#include "architectures/gru.hpp"

#include "architectures/sequences.hpp"

namespace nngpcheck::architectures {

namespace {

using netsor::Builder;
using netsor::BundleId;

// 1 - z.
BundleId complement(Builder& builder, BundleId gate) {
  return builder.add({{1, builder.ones()}, {-1, gate}});
}

// One gate: W s + U x_t + b, and in the torch convention a second bias b' beside W s.
class Gate {
 public:
  Gate(Builder& builder, const Inputs& inputs, const TimeSteps& steps, const std::string& suffix,
       const GruOptions& options)
      : builder_(builder),
        affine_(builder, inputs, steps, suffix,
                {options.weight_variance, options.input_variance, options.bias_variance}) {
    if (options.hidden_bias_variance > 0) {
      hidden_bias_ = builder.column(builder.bias({"b'" + suffix, {}, options.hidden_bias_variance}));
    }
  }

  BundleId drive(int t) const { return affine_.drive(t); }

  // W s + b', or nothing if both are absent.
  std::optional<BundleId> hidden(std::optional<BundleId> state) const {
    if (!state) return hidden_bias_;
    const BundleId product = affine_.recur(*state);
    return hidden_bias_ ? builder_.add(product, *hidden_bias_) : product;
  }

  BundleId operator()(int t, std::optional<BundleId> state) const {
    const std::optional<BundleId> recurrent = hidden(state);
    return recurrent ? builder_.add(*recurrent, drive(t)) : drive(t);
  }

 private:
  Builder& builder_;
  RecurrentAffine affine_;
  std::optional<BundleId> hidden_bias_;
};

}  // namespace

std::vector<Field<GruOptions>> GruOptions::fields() {
  std::vector<Field<GruOptions>> result = recurrent_fields<GruOptions>();
  result.insert(
      result.begin(),
      {{"convention", &GruOptions::convention, "reset before or after the product", 0, {"tp1", "torch"}},
       {"activation", &GruOptions::activation, "φ", 0, {}},
       {"gate_activation", &GruOptions::gate_activation, "σ", 0, {}},
       {"hidden_bias_variance",
        &GruOptions::hidden_bias_variance,
        "variance of the bias beside W h, torch convention only",
        0,
        {}}});
  return result;
}

netsor::Program gru(const GruOptions& options, const Inputs& inputs) {
  check(options);
  validate(inputs);
  const bool torch = options.convention == "torch";
  if (!torch && options.hidden_bias_variance != 0) {
    throw ArchitectureError(
        "hidden_bias_variance: the tp1 convention has one bias a gate; use bias_variance, or "
        "convention = \"torch\"",
        "hidden_bias_variance");
  }
  const TimeSteps steps(inputs);
  Builder builder;
  const Gate update(builder, inputs, steps, "_z", options), reset(builder, inputs, steps, "_r", options),
      candidate(builder, inputs, steps, "_c", options);
  std::vector<BundleId> states;
  for (int t = 0; t < steps.count(); ++t) {
    std::optional<BundleId> before;
    if (t > 0) before = builder.select(states.back(), steps.surviving(t));
    const auto gate = [&](const Gate& of) { return builder.map(options.gate_activation, of(t, before)); };
    const BundleId z = gate(update);
    BundleId sum = candidate.drive(t);
    if (torch) {
      if (const auto hidden = candidate.hidden(before))
        sum = builder.add(builder.mul(gate(reset), *hidden), sum);
    } else if (before) {
      sum = candidate(t, builder.mul(gate(reset), *before));
    }
    const BundleId fresh = builder.map(options.activation, sum);
    BundleId state = builder.mul(torch ? complement(builder, z) : z, fresh);
    if (before) state = builder.add(state, builder.mul(torch ? z : complement(builder, z), *before));
    states.push_back(state);
  }
  builder.output(builder.readout({"v", options.readout_variance}),
                 steps.collect(builder, states, options.output), steps.labels(options.output));
  return std::move(builder).build();
}

}  // namespace nngpcheck::architectures
