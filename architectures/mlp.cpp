#include "architectures/mlp.hpp"

#include "netsor/builder.hpp"

namespace nngpcheck::architectures {

std::vector<Field<MlpOptions>> MlpOptions::fields() {
  return {
      {"depth", &MlpOptions::depth, "number of hidden layers", 1, {}},
      {"activation", &MlpOptions::activation, "φ", 0, {}},
      {"weight_variance", &MlpOptions::weight_variance, "variance of a hidden weight times n", 0, {}},
      {"input_variance", &MlpOptions::input_variance, "variance of an input weight times d", 0, {}},
      {"bias_variance", &MlpOptions::bias_variance, "variance of a bias", 0, {}},
      {"readout_variance", &MlpOptions::readout_variance, "variance of a readout weight times n", 0, {}},
  };
}

netsor::Program mlp(const MlpOptions& options, const Inputs& inputs) {
  check(options);
  validate(inputs);
  netsor::Builder builder;
  const auto u = builder.input_weight({"U", {}, inputs.dimension(), options.input_variance});
  netsor::BundleId x = builder.input(u, inputs.data);
  for (int layer = 1; layer <= options.depth; ++layer) {
    const std::string number = std::to_string(layer);
    if (layer > 1) x = builder.matmul(builder.weight({"W" + number, {}, {}, options.weight_variance}), x);
    if (options.bias_variance > 0) {
      x = builder.add(x, builder.column(builder.bias({"b" + number, {}, options.bias_variance})));
    }
    x = builder.map(options.activation, x);
  }
  builder.output(builder.readout({"v", options.readout_variance}), x, inputs.labels);
  return std::move(builder).build();
}

}  // namespace nngpcheck::architectures
