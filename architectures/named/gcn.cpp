#include "nngpcheck/architectures/named/gcn.hpp"

namespace nngpcheck::architectures {

std::vector<Field<GcnOptions>> GcnOptions::fields() {
  return {
      {"depth", &GcnOptions::depth, "number of graph convolutions", 1, {}},
      {"normalization", &GcnOptions::normalization, "of the adjacency matrix", 0, {"gcn", "row", "sum"}},
      {"self_loops", &GcnOptions::self_loops, "whether every node sees itself", 0, {}},
      {"activation", &GcnOptions::activation, "φ", 0, {}},
      {"weight_variance", &GcnOptions::weight_variance, "variance of a weight times n", 0, {}},
      {"input_variance", &GcnOptions::input_variance, "variance of a first-layer weight times d", 0, {}},
      {"bias_variance", &GcnOptions::bias_variance, "variance of a bias", 0, {}},
      {"readout_variance", &GcnOptions::readout_variance, "variance of a readout weight times n", 0, {}},
      {"outputs", &GcnOptions::outputs, "what is read out", 0, {"nodes", "average"}},
  };
}

Network gcn(const GcnOptions& options) {
  check(options);
  Layers layers;
  for (int l = 1; l <= options.depth; ++l) {
    layers.push_back({GraphConv{options.normalization,
                                options.self_loops,
                                {},
                                l == 1 ? options.input_variance : options.weight_variance,
                                options.bias_variance}});
    layers.push_back({Activate{options.activation}});
  }
  if (options.outputs == "average") layers.push_back({GlobalAveragePool{}});
  return network(std::move(layers), options.readout_variance);
}

}  // namespace nngpcheck::architectures
