// Layer norm and attention.
#include "nngpcheck/architectures/layers/writer.hpp"

namespace nngpcheck::architectures {

using Eigen::Index;
using Eigen::MatrixXd;
using netsor::BundleId;
using netsor::TableId;

namespace {

// Σ_k (width_k/Σ width) table(block_k).
template <class PerBlock>
TableId average(Writer& writer, const std::vector<BundleId>& blocks, const PerBlock& table) {
  double total = 0;
  for (const BundleId block : blocks) total += writer.builder().type(block).width.ratio();
  std::vector<double> shares;
  std::vector<TableId> tables;
  for (const BundleId block : blocks) {
    shares.push_back(writer.builder().type(block).width.ratio() / total);
    tables.push_back(table(block));
  }
  if (tables.size() == 1) return tables.front();
  return writer.builder().apply(netsor::Sum{shares}, tables);
}

}  // namespace

Signal apply(Writer& writer, const LayerNorm& layer, const std::string& name, const Signal& x) {
  Writer::refuse_data(x);
  netsor::Builder& builder = writer.builder();
  const TableId mean = average(writer, x.blocks, [&](BundleId block) { return builder.mean(block); });
  Signal result{std::nullopt, {}, x.sites};
  for (const BundleId block : x.blocks) {
    const BundleId means = builder.mix(builder.ones(builder.type(block).width), mean);
    result.blocks.push_back(builder.add({{1, block}, {-1, means}}));
  }
  const TableId variance = average(writer, result.blocks, [&](BundleId block) {
    return builder.apply(netsor::Diagonal{}, {builder.gram(block, block)});
  });
  const TableId factors = builder.apply(netsor::Rsqrt{layer.epsilon}, {variance});
  for (std::size_t k = 0; k < result.blocks.size(); ++k) {
    BundleId& block = result.blocks[k];
    block = builder.scale(block, factors);
    const netsor::Width width = builder.type(block).width;
    if (layer.gain_variance > 0) {
      block = builder.mul(
          block, writer.bias(Writer::block_name(name + ".gain", x, k), width, layer.gain_variance, 1));
    }
    block = writer.add_bias(block, Writer::block_name(name + ".b", x, k), layer.bias_variance);
  }
  return result;
}

namespace {

// 1 where the query (column) may see the key (row).
MatrixXd visible(const Sites& sites, bool causal) {
  MatrixXd mask = MatrixXd::Zero(sites.columns(), sites.columns());
  for (Index s = 0; s < sites.samples(); ++s) {
    for (Index query = 0; query < sites.size(s); ++query) {
      mask.col(sites.first(s) + query).segment(sites.first(s), causal ? query + 1 : sites.size(s)).setOnes();
    }
  }
  return mask;
}

TableId attention(Writer& writer, const SelfAttention& layer, const Sites& sites,
                  const std::vector<BundleId>& keys, const std::vector<BundleId>& queries) {
  std::size_t block = 0;
  TableId scores =
      average(writer, keys, [&](BundleId key) { return writer.builder().gram(key, queries[block++]); });
  if (layer.temperature != 1) {
    scores = writer.builder().apply(netsor::Sum{{1 / layer.temperature}}, {scores});
  }
  const MatrixXd mask = visible(sites, layer.mask == "causal");
  const netsor::SharedMatrix shared = mask.minCoeff() == 1 ? nullptr : std::make_shared<const MatrixXd>(mask);
  return writer.builder().apply(netsor::SoftmaxKeys{shared}, {scores});
}

void check_fit(const SelfAttention& layer, const Sites& sites) {
  if (layer.scaling != "1/n") {
    throw ArchitectureError(
        "scaling = \"" + layer.scaling +
            "\": such scores have no deterministic limit (with separate queries and keys they stay "
            "random, with tied ones they diverge), and the theorem does not cover them; the nearest "
            "that exists is \"1/n\", with heads whose width grows with n",
        "scaling");
  }
  if (layer.weights == "none" && layer.heads != 1) {
    throw ArchitectureError("heads = " + std::to_string(layer.heads) +
                                " with weights = \"none\": heads differ by their weights; use one",
                            "heads");
  }
  if (layer.mask == "causal" && !sites.have_axes(1)) {
    throw ArchitectureError("mask = \"causal\" needs sequences or grids of one axis; use \"full\"", "mask");
  }
}

}  // namespace

Signal apply(Writer& writer, const SelfAttention& layer, const std::string& name, const Signal& x) {
  Writer::refuse_data(x);
  check_fit(layer, x.sites);
  netsor::Builder& builder = writer.builder();
  Signal heads{std::nullopt, {}, x.sites};
  if (layer.weights == "none") {
    const TableId weights = attention(writer, layer, x.sites, x.blocks, x.blocks);
    for (const BundleId block : x.blocks) heads.blocks.push_back(builder.mix(block, weights));
    return heads;
  }
  const netsor::Width width(1, layer.heads);
  for (int head = 0; head < layer.heads; ++head) {
    const auto project = [&](const std::string& what) {
      return writer.linear(x, name + "." + what + std::to_string(head), width, layer.weight_variance);
    };
    const BundleId keys = project("K");
    const BundleId queries = layer.weights == "tied" ? keys : project("Q");
    const TableId weights = attention(writer, layer, x.sites, {keys}, {queries});
    heads.blocks.push_back(builder.mix(project("V"), weights));
  }
  return {std::nullopt, {writer.linear(heads, name + ".O", {}, layer.weight_variance)}, x.sites};
}

}  // namespace nngpcheck::architectures
