#include "nngpcheck/architectures/named/gcn.hpp"

namespace nngpcheck::architectures {

namespace {

template <class S>
std::vector<Field<S>> common_fields() {
  return {{"depth", &S::depth, "number of layers", 1},
          {"activation", &S::activation, "φ"},
          {"weight_variance", &S::weight_variance, "variance of a weight times n"},
          {"input_variance", &S::input_variance, "variance of a first-layer weight times d"},
          {"bias_variance", &S::bias_variance, "variance of a bias"},
          {"readout_variance", &S::readout_variance, "variance of a readout weight times n"},
          {"outputs", &S::outputs, "what is read out"}};
}

// depth × [block(variance of its first weight)], and the outputs.
template <class S, class Block>
Network stacked(const S& options, const Block& block) {
  check(options);
  Layers layers;
  for (int l = 1; l <= options.depth; ++l) {
    for (Layer& layer : block(l == 1 ? options.input_variance : options.weight_variance))
      layers.push_back(std::move(layer));
  }
  if (options.outputs == NodeOutputs::average) layers.push_back({GlobalAveragePool{}});
  if (options.outputs == NodeOutputs::sum) layers.push_back({GlobalSumPool{}});
  return network(std::move(layers), options.readout_variance);
}

}  // namespace

std::vector<Field<GcnOptions>> GcnOptions::fields() {
  const std::vector<Field<GcnOptions>> own = {
      {"normalization", &GcnOptions::normalization, "of the adjacency matrix"},
      {"self_loops", &GcnOptions::self_loops, "whether every node sees itself"}};
  return common_fields<GcnOptions>() + own;
}

Network gcn(const GcnOptions& options) {
  return stacked(options, [&](double variance) {
    const GraphConv conv{options.normalization, options.self_loops, {}, variance, options.bias_variance};
    return Layers{{conv}, {Activate{options.activation}}};
  });
}

std::vector<Field<GraphsageOptions>> GraphsageOptions::fields() { return common_fields<GraphsageOptions>(); }

Network graphsage(const GraphsageOptions& options) {
  return stacked(options, [&](double variance) {
    const GraphConv conv{.normalization = Normalization::row,
                         .self_loops = false,
                         .weight_variance = variance,
                         .bias_variance = options.bias_variance,
                         .self_weight_variance = variance};
    return Layers{{conv}, {Activate{options.activation}}};
  });
}

std::vector<Field<GinOptions>> GinOptions::fields() {
  const std::vector<Field<GinOptions>> own = {
      {"epsilon", &GinOptions::epsilon, "a node counts 1 + epsilon times", -1}};
  return common_fields<GinOptions>() + own;
}

Network gin(const GinOptions& options) {
  return stacked(options, [&](double variance) {
    const GraphConv sum{.normalization = Normalization::sum,
                        .weight_variance = variance,
                        .bias_variance = options.bias_variance,
                        .self_loop_weight = 1 + options.epsilon};
    const Layer activation{Activate{options.activation}};
    return Layers{{sum}, activation, {Dense{{}, options.weight_variance, options.bias_variance}}, activation};
  });
}

}  // namespace nngpcheck::architectures
