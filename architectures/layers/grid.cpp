// Convolution and pooling.
#include <algorithm>

#include "nngpcheck/architectures/layers/writer.hpp"

namespace nngpcheck::architectures {

using Eigen::Index;
using netsor::BundleId;

namespace {

template <class Layer>
WindowReads window_of(const Layer& layer, const Sites& sites) {
  return {sites, {layer.kernel, layer.stride, layer.dilation, layer.padding}};
}

}  // namespace

Signal apply(Writer& writer, const Conv& layer, const std::string& name, const Signal& x) {
  const WindowReads window = window_of(layer, x.sites);
  const std::size_t offsets = window.offsets().size();
  const netsor::Width width(layer.width.numerator(), layer.width.denominator() * layer.blocks);
  Signal result{std::nullopt, {}, window.outputs()};
  for (int j = 0; j < layer.blocks; ++j) {
    const Signal read = writer.group(x, j, layer.blocks, layer.groups);
    const std::string suffix = Writer::output_suffix(j, layer.blocks);
    std::vector<netsor::Add::Term> terms;
    for (std::size_t k = 0; k < offsets; ++k) {
      const BundleId product = writer.linear(read, name + ".W" + suffix + "[" + window.offsets()[k] + "]",
                                             width, layer.weight_variance / static_cast<double>(offsets));
      terms.push_back({1, writer.builder().mix(product, window.shift(k))});
    }
    const BundleId sum = writer.builder().add(std::move(terms));
    result.blocks.push_back(writer.add_bias(sum, name + ".b" + suffix, layer.bias_variance));
  }
  return result;
}

Signal apply(Writer& writer, const DepthwiseConv& layer, const std::string& name, const Signal& x) {
  Writer::refuse_data(x);
  const WindowReads window = window_of(layer, x.sites);
  const std::size_t offsets = window.offsets().size();
  const double variance = layer.weight_variance / static_cast<double>(offsets);
  netsor::Builder& builder = writer.builder();
  Signal result{std::nullopt, {}, window.outputs()};
  for (std::size_t k = 0; k < x.blocks.size(); ++k) {
    const netsor::Width width = builder.type(x.blocks[k]).width;
    for (int m = 0; m < layer.multiplier; ++m) {
      const auto full = [&](const std::string& object) {
        return Writer::block_name(name + object + Writer::output_suffix(m, layer.multiplier), x, k);
      };
      std::vector<netsor::Add::Term> terms;
      for (std::size_t at = 0; at < offsets; ++at) {
        const BundleId kernel = writer.bias(full(".w[" + window.offsets()[at] + "]"), width, variance);
        terms.push_back({1, builder.mul(builder.mix(x.blocks[k], window.shift(at)), kernel)});
      }
      result.blocks.push_back(
          writer.add_bias(builder.add(std::move(terms)), full(".b"), layer.bias_variance));
    }
  }
  return result;
}

Signal apply(Writer& writer, const LocalConv& layer, const std::string& name, const Signal& x) {
  const WindowReads window = window_of(layer, x.sites);
  const Sites::Shape shape = window.outputs().shape(0);
  for (Index s = 1; s < window.outputs().samples(); ++s) {
    if (window.outputs().shape(s) == shape) continue;
    throw ArchitectureError(
        "samples 0 and " + std::to_string(s) +
        " have different shapes; every position has weights of its own, so give samples of one");
  }
  const std::vector<Sites::Shape> positions = grid_positions(shape);
  const std::size_t offsets = window.offsets().size();
  std::vector<netsor::Add::Term> terms;
  for (std::size_t p = 0; p < positions.size(); ++p) {
    for (std::size_t k = 0; k < offsets; ++k) {
      const netsor::SparseMatrix shift = window.shift(k);
      netsor::SparseMatrix own(shift.rows(), shift.cols());  // what position p of every sample reads
      for (Index s = 0; s < x.sites.samples(); ++s) {
        const Index column = window.outputs().first(s) + static_cast<Index>(p);
        for (netsor::SparseMatrix::InnerIterator it(shift, column); it; ++it)
          own.insert(it.row(), column) = 1;
      }
      if (own.nonZeros() == 0) continue;
      const BundleId product =
          writer.linear(writer.mix(x, own, window.outputs()),
                        name + ".W[" + listed(positions[p]) + ";" + window.offsets()[k] + "]", layer.width,
                        layer.weight_variance / static_cast<double>(offsets));
      terms.push_back({1, product});
    }
  }
  const BundleId sum = writer.builder().add(std::move(terms));
  return {std::nullopt, {writer.add_bias(sum, name + ".b", layer.bias_variance)}, window.outputs()};
}

Signal apply(Writer& writer, const TransposedConv& layer, const std::string& name, const Signal& x) {
  const std::size_t axes = axes_of(x.sites);
  const auto entries = [&](const std::vector<std::int64_t>& list, const char* key) {
    return per_axis(list, key, axes);
  };
  const Sites::Shape kernel = entries(layer.kernel, "kernel"), stride = entries(layer.stride, "stride"),
                     dilation = entries(layer.dilation, "dilation"),
                     padding = entries(layer.padding, "padding"),
                     further = entries(layer.output_padding, "output_padding");
  double positions = 1;
  for (const Index size : kernel) positions *= static_cast<double>(size);
  if (positions > largest_count) {
    throw ArchitectureError(
        "kernel has more than " + std::to_string(largest_count) + " positions; take a smaller one", "kernel");
  }
  const std::vector<Sites::Shape> offsets = grid_positions(kernel);
  Sites outputs = x.sites;
  std::vector<netsor::Add::Term> terms;
  for (const Sites::Shape& offset : offsets) {
    AxesMap map = map_axes(x.sites, [&](std::size_t a, Index length) {
      const Index size =
          (length - 1) * stride[a] - 2 * padding[a] + dilation[a] * (kernel[a] - 1) + further[a] + 1;
      netsor::SparseMatrix scatter(length, std::max<Index>(size, 0));
      for (Index i = 0; i < length; ++i) {
        const Index o = i * stride[a] + offset[a] * dilation[a] - padding[a];
        if (o >= 0 && o < size) scatter.insert(i, o) = 1;
      }
      return scatter;
    });
    const BundleId product = writer.linear(x, name + ".W[" + listed(offset) + "]", layer.width,
                                           layer.weight_variance / static_cast<double>(offsets.size()));
    terms.push_back({1, writer.builder().mix(product, std::move(map.matrix))});
    outputs = std::move(map.outputs);
  }
  const BundleId sum = writer.builder().add(std::move(terms));
  return {std::nullopt, {writer.add_bias(sum, name + ".b", layer.bias_variance)}, std::move(outputs)};
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
  if (layer.kind == Pool::Kind::average && layer.count_include_pad)
    sum /= static_cast<double>(window.offsets().size());
  if (layer.kind == Pool::Kind::average && !layer.count_include_pad) {
    Eigen::VectorXd inside = sum.transpose() * Eigen::VectorXd::Ones(sum.rows());
    if (inside.minCoeff() == 0)
      throw ArchitectureError("kernel: a window lies wholly beyond the ends; use a smaller dilation",
                              "kernel");
    sum = sum * inside.cwiseInverse().asDiagonal();
  }
  return writer.mix(x, sum, window.outputs());
}

}  // namespace nngpcheck::architectures
