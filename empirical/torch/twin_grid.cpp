// Layers that move over the sites of a sample, or mix them.
#include <torch/torch.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "nngpcheck/empirical/sampler.hpp"
#include "nngpcheck/empirical/torch/twin_value.hpp"

namespace nngpcheck::empirical::twins {

namespace {

namespace nn = torch::nn;
namespace F = torch::nn::functional;

template <std::size_t rank>
struct Modules;
template <>
struct Modules<1> {
  static constexpr std::size_t rank = 1;
  using Conv = nn::Conv1d;
  using Average = nn::AvgPool1d;
  using Maximum = nn::MaxPool1d;
};
template <>
struct Modules<2> {
  static constexpr std::size_t rank = 2;
  using Conv = nn::Conv2d;
  using Average = nn::AvgPool2d;
  using Maximum = nn::MaxPool2d;
};
template <>
struct Modules<3> {
  static constexpr std::size_t rank = 3;
  using Conv = nn::Conv3d;
  using Average = nn::AvgPool3d;
  using Maximum = nn::MaxPool3d;
};

template <class Use>
at::Tensor with_modules(std::size_t rank, const Use& use) {
  if (rank == 1) return use(Modules<1>());
  if (rank == 2) return use(Modules<2>());
  if (rank == 3) return use(Modules<3>());
  throw SamplerError("twin: torch::nn has windows over 1, 2 or 3 axes, not " + std::to_string(rank));
}

std::vector<std::int64_t> per_axis(const std::vector<std::int64_t>& list, std::size_t rank) {
  return list.size() == 1 ? std::vector<std::int64_t>(rank, list[0]) : list;
}

// The window of a Conv or Pool, with one entry per axis.
struct Window {
  std::vector<std::int64_t> kernel, stride, dilation;
  architectures::Padding padding;

  template <class Layer>
  Window(const Layer& layer, std::size_t rank)
      : kernel(per_axis(layer.kernel, rank)),
        stride(layer.stride.empty() ? kernel : per_axis(layer.stride, rank)),
        dilation(per_axis(layer.dilation, rank)),
        padding(layer.padding) {}
};

// How many positions an axis of this length gets before and behind it.
std::pair<std::int64_t, std::int64_t> ends(const Window& window, std::size_t axis, std::int64_t length) {
  using Kind = architectures::Padding::Kind;
  if (window.padding.kind() == Kind::sizes) {
    const std::int64_t size = per_axis(window.padding.sizes(), window.kernel.size()).at(axis);
    return {size, size};
  }
  std::int64_t total = window.dilation[axis] * (window.kernel[axis] - 1);
  if (window.padding.kind() == Kind::same) {
    // As Keras's backends have it: the last stride may be shorter.
    const std::int64_t rest = length % window.stride[axis];
    total = std::max<std::int64_t>(0, total + 1 - (rest == 0 ? window.stride[axis] : rest));
  }
  return {total / 2, total - total / 2};
}

// F::pad, which starts with the last axis.
at::Tensor padded(const at::Tensor& grid, const Window& window, double beyond) {
  if (window.padding.kind() == architectures::Padding::Kind::valid) return grid;
  std::vector<std::int64_t> sizes;
  for (std::size_t axis = window.kernel.size(); axis-- > 0;) {
    const auto [before, behind] = ends(window, axis, grid.size(static_cast<std::int64_t>(axis) + 2));
    sizes.push_back(before);
    sizes.push_back(behind);
  }
  F::PadFuncOptions options(sizes);
  if (window.padding.kind() == architectures::Padding::Kind::circular)
    return F::pad(grid, options.mode(torch::kCircular));
  return F::pad(grid, options.value(beyond));
}

at::Tensor convolve(const at::Tensor& grid, const Window& window, const at::Tensor& weight,
                    const at::Tensor& bias, std::int64_t groups = 1) {
  return with_modules(window.kernel.size(), [&](auto modules) {
    using M = decltype(modules);
    typename M::Conv module(nn::ConvOptions<M::rank>(grid.size(1), weight.size(0), window.kernel)
                                .stride(window.stride)
                                .dilation(window.dilation)
                                .groups(groups)
                                .bias(bias.defined()));
    module->to(at::kDouble);
    module->weight.copy_(weight);
    if (bias.defined()) module->bias.copy_(bias);
    return module(padded(grid, window, 0));
  });
}

at::Tensor average_pool(const at::Tensor& grid, const Window& window) {
  for (const std::int64_t dilation : window.dilation) {
    if (dilation == 1) continue;
    // nn::AvgPool has no dilation: a depthwise convolution with constant weights has.
    Shape shape = {grid.size(1), 1};
    shape.insert(shape.end(), window.kernel.begin(), window.kernel.end());
    const double share = 1 / static_cast<double>(sites(window.kernel));
    return convolve(grid, window, at::full(shape, share, at::kDouble), {}, grid.size(1));
  }
  return with_modules(window.kernel.size(), [&](auto modules) {
    using M = decltype(modules);
    typename M::Average module(nn::AvgPoolOptions<M::rank>(window.kernel).stride(window.stride));
    return module(padded(grid, window, 0));
  });
}

at::Tensor maximum_pool(const at::Tensor& grid, const Window& window) {
  return with_modules(window.kernel.size(), [&](auto modules) {
    using M = decltype(modules);
    typename M::Maximum module(
        nn::MaxPoolOptions<M::rank>(window.kernel).stride(window.stride).dilation(window.dilation));
    return module(padded(grid, window, -std::numeric_limits<double>::infinity()));
  });
}

// Maps every sample, as [1, width, axes...], by the layer's module; the blocks are joined.
template <class Layer, class Map>
Value map_grids(const Value& value, const Layer& layer, const Map& map) {
  std::vector<at::Tensor> rows;
  std::vector<Shape> shapes;
  const std::vector<at::Tensor> parts = samples(value);
  for (std::size_t s = 0; s < parts.size(); ++s) {
    Shape sizes = {1, parts[s].size(1)};
    sizes.insert(sizes.end(), value.shapes[s].begin(), value.shapes[s].end());
    const at::Tensor result = map(parts[s].t().reshape(sizes), Window(layer, value.shapes[s].size()))[0];
    shapes.emplace_back(result.sizes().begin() + 1, result.sizes().end());
    rows.push_back(result.flatten(1).t());
  }
  return hidden(at::cat(rows), shapes);
}

// "L.W[δ]" for all δ, the last axis fastest, as torch has them: [n_out, n_in, kernel...].
at::Tensor kernel_weight(const std::vector<std::int64_t>& kernel, std::size_t blocks, double option,
                         const Place& place) {
  std::vector<at::Tensor> parts;
  std::vector<std::string> names;
  std::vector<std::int64_t> offset(kernel.size(), 0);
  for (std::int64_t number = 0; number < sites(kernel); ++number) {
    std::int64_t rest = number;
    for (std::size_t axis = kernel.size(); axis-- > 0; rest /= kernel[axis])
      offset[axis] = rest % kernel[axis];
    std::string& name = names.emplace_back();
    for (const std::int64_t delta : offset) name += (name.empty() ? "W[" : ",") + std::to_string(delta);
    name += "]";
    parts.push_back(at::cat(place.parts(name, blocks), 1));
  }
  Shape sizes = {parts[0].size(0), parts[0].size(1)};
  sizes.insert(sizes.end(), kernel.begin(), kernel.end());
  at::Tensor result = at::stack(parts, 2).view(sizes);
  for (const std::string& name : names) place.expect(name, blocks, {0, option / fan_in(result)});
  return result;
}

// Â, with the sums along an axis replaced by 1/√ or 1/ of them, 0 where there is no edge.
at::Tensor graph_matrix(const architectures::GraphConv& layer, const Place& place) {
  if (!place.inputs.graph) throw SamplerError("twin: the inputs of a graph convolution have no graph");
  at::Tensor a = at::zeros({place.inputs.count(), place.inputs.count()}, at::kDouble);
  at::Tensor remaining = at::ones({a.size(0)}, at::kDouble);  // self-loops that are still to be added
  for (const auto& edge : *place.inputs.graph) {
    a[edge.source][edge.target] += edge.weight;
    if (edge.source == edge.target) remaining[edge.source] = 0;
  }
  if (layer.self_loops) a += at::diag(remaining);
  if (layer.normalization == "sum") return a;
  const auto power = [](const at::Tensor& degrees, double exponent) {
    return at::where(degrees == 0, at::zeros_like(degrees), degrees.pow(exponent));
  };
  if (layer.normalization == "row") return a * power(a.sum(0, /*keepdim=*/true), -1);
  return power(a.sum(1, /*keepdim=*/true), -0.5) * a * power(a.sum(0, /*keepdim=*/true), -0.5);
}

}  // namespace

Value apply(const architectures::Conv& layer, const Value& value, const Place& place) {
  const at::Tensor bias = place.bias("b", layer.bias_variance);
  return map_grids(value, layer, [&](const at::Tensor& grid, const Window& window) {
    return convolve(grid, window,
                    kernel_weight(window.kernel, value.blocks.size(), layer.weight_variance, place), bias);
  });
}

Value apply(const architectures::Pool& layer, const Value& value, const Place&) {
  using Kind = architectures::Pool::Kind;
  const Value all = map_grids(value, layer, [&](const at::Tensor& grid, const Window& window) {
    if (layer.kind == Kind::maximum) return maximum_pool(grid, window);
    const at::Tensor average = average_pool(grid, window);
    return layer.kind == Kind::sum ? average * sites(window.kernel) : average;
  });
  Value result = split_like(all.blocks[0], value);
  result.shapes = all.shapes;
  return result;
}

Value apply(const architectures::Flatten&, const Value& value, const Place&) {
  const auto count = static_cast<std::int64_t>(value.shapes.size());
  const std::int64_t positions = sites(value.shapes.at(0));
  Value result{{}, std::vector<Shape>(value.shapes.size()), value.raw};
  for (const at::Tensor& block : value.blocks) {
    const at::Tensor grids = block.view({count, positions, block.size(1)});
    if (value.raw) {
      result.blocks.push_back(nn::Flatten()(grids.transpose(1, 2)));
      continue;
    }
    for (std::int64_t site = 0; site < positions; ++site) result.blocks.push_back(grids.select(1, site));
  }
  return result;
}

Value apply(const architectures::GraphConv& layer, const Value& value, const Place& place) {
  const at::Tensor products =
      linear_map(joined(value), place.weight("W", value.blocks.size(), layer.weight_variance));
  at::Tensor result = at::matmul(graph_matrix(layer, place).t(), products);
  if (layer.bias_variance > 0) result = result + place.bias("b", layer.bias_variance);
  return hidden(result, value.shapes);
}

}  // namespace nngpcheck::empirical::twins
