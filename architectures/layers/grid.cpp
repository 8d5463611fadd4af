// Convolution and pooling.
#include "nngpcheck/architectures/layers/writer.hpp"

namespace nngpcheck::architectures {

using Eigen::Index;
using netsor::BundleId;

Signal apply(Writer& writer, const Conv& layer, const std::string& name, const Signal& x) {
  const WindowReads window(x.sites, {layer.kernel, layer.stride, layer.dilation, layer.padding});
  const std::size_t offsets = window.offsets().size();
  std::vector<netsor::Add::Term> terms;
  for (std::size_t k = 0; k < offsets; ++k) {
    const BundleId product = writer.linear(x, name + ".W[" + window.offsets()[k] + "]", layer.width,
                                           layer.weight_variance / static_cast<double>(offsets));
    terms.push_back({1, writer.builder().mix(product, window.shift(k))});
  }
  const BundleId sum = writer.builder().add(std::move(terms));
  return {std::nullopt, {writer.add_bias(sum, name + ".b", layer.bias_variance)}, window.outputs()};
}

namespace {

// What every output column reads at offset k; where that is outside, another position of its window.
std::vector<Index> inside(const WindowReads& window, std::size_t k) {
  std::vector<Index> result = window.reads(k);
  for (std::size_t o = 0; o < result.size(); ++o) {
    for (std::size_t other = 0; result[o] == WindowReads::outside && other < window.offsets().size();
         ++other) {
      result[o] = window.reads(other)[o];
    }
    if (result[o] == WindowReads::outside) {
      throw ArchitectureError("kernel: a window lies wholly beyond the ends; use a smaller dilation",
                              "kernel");
    }
  }
  return result;
}

Signal maximum(Writer& writer, const WindowReads& window, const Signal& x) {
  Writer::refuse_data(x);
  Signal result{std::nullopt, {}, window.outputs()};
  for (const BundleId block : x.blocks) {
    BundleId largest = writer.builder().select(block, inside(window, 0));
    for (std::size_t k = 1; k < window.offsets().size(); ++k) {
      largest = writer.builder().max(largest, writer.builder().select(block, inside(window, k)));
    }
    result.blocks.push_back(largest);
  }
  return result;
}

}  // namespace

Signal apply(Writer& writer, const Pool& layer, const std::string&, const Signal& x) {
  const auto& stride = layer.stride.empty() ? layer.kernel : layer.stride;
  const WindowReads window(x.sites, {layer.kernel, stride, layer.dilation, layer.padding});
  if (layer.kind == Pool::Kind::maximum) return maximum(writer, window, x);
  netsor::SparseMatrix sum = window.shift(0);
  for (std::size_t k = 1; k < window.offsets().size(); ++k) sum += window.shift(k);
  if (layer.kind == Pool::Kind::average) sum /= static_cast<double>(window.offsets().size());
  return writer.mix(x, sum, window.outputs());
}

}  // namespace nngpcheck::architectures
