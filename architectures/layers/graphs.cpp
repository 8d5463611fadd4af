// Layers on graphs.
#include "nngpcheck/architectures/layers/coordinate_softmax.hpp"
#include "nngpcheck/architectures/layers/writer.hpp"

namespace nngpcheck::architectures {

using Eigen::Index;
using netsor::BundleId;

namespace {

void check_nodes(const Writer& writer, const Signal& x) {
  if (x.sites == Sites(writer.inputs())) return;
  throw ArchitectureError("acts on the nodes of the inputs' graph; put it before layers that pool them");
}

void check_incoming(const netsor::SparseMatrix& edges) {
  for (Index node = 0; node < edges.cols(); ++node) {
    bool seen = false;
    for (netsor::SparseMatrix::InnerIterator it(edges, node); it; ++it) seen = seen || it.value() != 0;
    if (seen) continue;
    throw ArchitectureError(
        "node " + std::to_string(node) + " has no incoming edge to attend to; take self_loops = true",
        "self_loops");
  }
}

}  // namespace

Signal apply(Writer& writer, const GraphConv& layer, const std::string& name, const Signal& x) {
  const netsor::SparseMatrix matrix = adjacency(layer, writer.inputs());
  check_nodes(writer, x);
  const BundleId product = writer.linear(x, name + ".W", layer.width, layer.weight_variance);
  BundleId sum = writer.builder().mix(product, matrix);
  if (layer.self_weight_variance > 0) {
    sum = writer.builder().add(sum, writer.linear(x, name + ".S", layer.width, layer.self_weight_variance));
  }
  return {std::nullopt, {writer.add_bias(sum, name + ".b", layer.bias_variance)}, x.sites};
}

Signal apply(Writer& writer, const GraphAttention& layer, const std::string& name, const Signal& x) {
  const netsor::SparseMatrix edges = edge_matrix(writer.inputs(), layer.self_loops, 1);
  check_nodes(writer, x);
  check_incoming(edges);
  netsor::Builder& builder = writer.builder();
  const Pairs pairs(edges.toDense());
  const netsor::Width width(1, layer.head_size);
  const auto of = [&](const char* letter, int i) { return name + letter + std::to_string(i); };
  const auto weighted = [&](BundleId values, const char* letter, int i) {
    return builder.mul(values, writer.bias(of(letter, i), width, layer.attention_variance / layer.head_size));
  };
  std::vector<BundleId> coordinates;
  std::vector<netsor::Add::Term> terms;
  for (int i = 0; i < layer.head_size; ++i) {
    const BundleId h = writer.linear(x, of(".W", i), width, layer.weight_variance);
    coordinates.push_back(h);
    if (layer.scores == GraphScores::gatv2) {
      const BundleId g = writer.linear(x, of(".V", i), width, layer.weight_variance);
      const BundleId sum = builder.add(builder.select(h, pairs.keys), builder.select(g, pairs.queries));
      terms.push_back({1, weighted(builder.map(layer.activation, sum), ".a", i)});
    } else {
      terms.push_back({1, builder.select(weighted(h, ".a", i), pairs.keys)});
      terms.push_back({1, builder.select(weighted(h, ".a'", i), pairs.queries)});
    }
  }
  BundleId scores = builder.add(std::move(terms));
  if (layer.scores == GraphScores::gat) scores = builder.map(layer.activation, scores);
  const BundleId weights = softmax(builder, scores, pairs);
  Signal result{std::nullopt, {}, x.sites};
  for (int i = 0; i < layer.head_size; ++i) {
    const BundleId sources = builder.select(coordinates[static_cast<std::size_t>(i)], pairs.keys);
    const BundleId sum = builder.mix(builder.mul(weights, sources), pairs.sum());
    result.blocks.push_back(writer.add_bias(sum, of(".b", i), layer.bias_variance));
  }
  return result;
}

}  // namespace nngpcheck::architectures
