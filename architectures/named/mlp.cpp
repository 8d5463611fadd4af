#include "nngpcheck/architectures/named/mlp.hpp"

namespace nngpcheck::architectures {

namespace {

// `between` stands between a dense layer and its activation.
Network perceptron(const MlpOptions& options, const Layers& between) {
  Layers layers;
  for (int l = 1; l <= options.depth; ++l) {
    layers.push_back(
        {Dense{{}, l == 1 ? options.input_variance : options.weight_variance, options.bias_variance}});
    layers.insert(layers.end(), between.begin(), between.end());
    layers.push_back({Activate{options.activation}});
  }
  return network(std::move(layers), options.readout_variance);
}

}  // namespace

std::vector<Field<MlpOptions>> MlpOptions::fields() {
  return {
      {"depth", &MlpOptions::depth, "number of hidden layers", 1},
      {"activation", &MlpOptions::activation, "φ"},
      {"weight_variance", &MlpOptions::weight_variance, "variance of a hidden weight times n"},
      {"input_variance", &MlpOptions::input_variance, "variance of an input weight times d"},
      {"bias_variance", &MlpOptions::bias_variance, "variance of a bias"},
      {"readout_variance", &MlpOptions::readout_variance, "variance of a readout weight times n"},
  };
}

Network mlp(const MlpOptions& options) {
  check(options);
  return perceptron(options, {});
}

std::vector<Field<BatchNormMlpOptions>> BatchNormMlpOptions::fields() {
  return inherited<BatchNormMlpOptions>(MlpOptions::fields()) +
         std::vector<Field<BatchNormMlpOptions>>{
             {"epsilon", &BatchNormMlpOptions::epsilon, "added to a batch's variance"}};
}

Network batchnorm_mlp(const BatchNormMlpOptions& options) {
  check(options);
  return perceptron(options, {{BatchNorm{options.epsilon}}});
}

}  // namespace nngpcheck::architectures
