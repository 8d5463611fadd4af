// Products with vectors and numbers: gates, dropout.
#include "nngpcheck/architectures/layers/writer.hpp"
#include "nngpcheck/support/spelling.hpp"

namespace nngpcheck::architectures {

using Eigen::Index;
using netsor::BundleId;

Signal apply(Writer& writer, const Glu& layer, const std::string& name, const Signal& x) {
  const auto affine = [&](const char* weight, const char* bias) {
    return writer.add_bias(writer.linear(x, name + weight, layer.width, layer.weight_variance), name + bias,
                           layer.bias_variance);
  };
  const BundleId value = affine(".W", ".b");
  const BundleId gate = writer.builder().map(layer.activation, affine(".V", ".c"));
  return {std::nullopt, {writer.builder().mul(value, gate)}, x.sites};
}

Signal apply(Writer& writer, const Rescale& layer, const std::string&, const Signal& x) {
  Signal result = x;
  if (x.data) *result.data *= layer.factor;
  for (BundleId& block : result.blocks) block = writer.builder().add({{layer.factor, block}});
  return result;
}

namespace {

// 1/keep with probability keep of a standard Gaussian x, else 0.
netsor::Activation kept(double rate) {
  const std::string keep = support::shortest(1 - rate);
  return netsor::Activation::from_expression("erfc(-x/sqrt(2))/2 < " + keep + " ? 1/" + keep + " : 0",
                                             "dropout_" + support::shortest(rate));
}

// The masks' columns: one for every site, or the same for all sites of a sample.
BundleId masks(Writer& writer, const Dropout& layer, const std::string& name, const Signal& x,
               std::size_t block) {
  const bool own = layer.shared == MaskSharing::none;
  const Index count = own ? x.sites.columns() : x.sites.samples();
  std::vector<netsor::Add::Term> terms;
  for (Index j = 0; j < count; ++j) {
    const BundleId normal =
        writer.bias(Writer::block_name(name + ".mask[" + std::to_string(j) + "]", x, block),
                    writer.builder().type(x.blocks[block]).width, 1);
    netsor::SparseMatrix place(1, count);
    place.insert(0, j) = 1;
    terms.push_back({1, writer.builder().mix(normal, std::move(place))});
  }
  const BundleId all = writer.builder().map(kept(layer.rate), writer.builder().add(std::move(terms)));
  return own ? all : writer.builder().mix(all, sample_repeat(x.sites));
}

}  // namespace

Signal apply(Writer& writer, const Dropout& layer, const std::string& name, const Signal& x) {
  if (!(layer.rate < 1)) {
    throw ArchitectureError(
        "rate = " + support::shortest(layer.rate) + ": must be below 1; at 1 nothing is left", "rate");
  }
  if (layer.mode == NetworkMode::evaluation || layer.rate == 0) return x;
  if (x.data) {
    throw ArchitectureError(
        "acts on the data, whose dimensions do not grow: the kernel would stay random; put it behind a layer "
        "with "
        "weights, or take mode = \"evaluation\"");
  }
  Signal result = x;
  for (std::size_t k = 0; k < x.blocks.size(); ++k)
    result.blocks[k] = writer.builder().mul(x.blocks[k], masks(writer, layer, name, x, k));
  return result;
}

}  // namespace nngpcheck::architectures
