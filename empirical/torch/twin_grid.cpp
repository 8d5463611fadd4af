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
  using Transposed = nn::ConvTranspose1d;
  using Average = nn::AvgPool1d;
  using Maximum = nn::MaxPool1d;
};
template <>
struct Modules<2> {
  static constexpr std::size_t rank = 2;
  using Conv = nn::Conv2d;
  using Transposed = nn::ConvTranspose2d;
  using Average = nn::AvgPool2d;
  using Maximum = nn::MaxPool2d;
};
template <>
struct Modules<3> {
  static constexpr std::size_t rank = 3;
  using Conv = nn::Conv3d;
  using Transposed = nn::ConvTranspose3d;
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

// The average of what is inside: nn::AvgPool has no uneven ends, so its average over that of ones.
at::Tensor average_pool(const at::Tensor& grid, const Window& window);

at::Tensor average_inside(const at::Tensor& grid, const Window& window) {
  return average_pool(grid, window) / average_pool(at::ones_like(grid), window);
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
  Rows rows = map_samples(
      value, [&](const at::Tensor& grid, std::size_t rank) { return map(grid, Window(layer, rank)); });
  return hidden(rows.all, std::move(rows.shapes));
}

// All δ of a kernel, the last axis fastest, as torch has them: "1,0".
std::vector<std::string> kernel_offsets(const std::vector<std::int64_t>& kernel) {
  std::vector<std::string> result;
  std::vector<std::int64_t> offset(kernel.size(), 0);
  for (std::int64_t number = 0; number < sites(kernel); ++number) {
    std::int64_t rest = number;
    for (std::size_t axis = kernel.size(); axis-- > 0; rest /= kernel[axis])
      offset[axis] = rest % kernel[axis];
    std::string& name = result.emplace_back();
    for (const std::int64_t delta : offset) {
      if (!name.empty()) name += ',';
      name += std::to_string(delta);
    }
  }
  return result;
}

// "L.front[δ]" for all δ: [n_out, n_in, kernel...].
at::Tensor kernel_weight(const std::vector<std::int64_t>& kernel, const std::string& front,
                         std::size_t blocks, double option, const Place& place) {
  std::vector<at::Tensor> parts;
  const std::vector<std::string> offsets = kernel_offsets(kernel);
  for (const std::string& offset : offsets)
    parts.push_back(at::cat(place.parts(indexed(front, offset), blocks), 1));
  Shape sizes = {parts[0].size(0), parts[0].size(1)};
  sizes.insert(sizes.end(), kernel.begin(), kernel.end());
  at::Tensor result = at::stack(parts, 2).view(sizes);
  for (const std::string& offset : offsets)
    place.expect(indexed(front, offset), blocks, {0, option / fan_in(result)});
  return result;
}

std::string of_block(const std::string& name, std::size_t k, std::size_t of) {
  std::string result = name;
  if (of == 1) return result;
  result += '@';
  result += std::to_string(k);
  return result;
}

// In so many equal blocks.
Value in_blocks(Value all, int blocks) {
  all.blocks = all.blocks[0].chunk(blocks, 1);
  return all;
}

}  // namespace

Value apply(const architectures::Conv& layer, const Value& value, const Place& place) {
  const std::size_t read =
      value.blocks.size() == 1 ? 1 : value.blocks.size() / static_cast<std::size_t>(layer.groups);
  const Value all = map_grids(value, layer, [&](const at::Tensor& grid, const Window& window) {
    std::vector<at::Tensor> weights, biases;
    for (int j = 0; j < layer.blocks; ++j) {
      weights.push_back(
          kernel_weight(window.kernel, numbered("W", j, layer.blocks), read, layer.weight_variance, place));
      if (layer.bias_variance > 0)
        biases.push_back(place.bias(numbered("b", j, layer.blocks), layer.bias_variance));
    }
    return convolve(grid, window, at::cat(weights), biases.empty() ? at::Tensor() : at::cat(biases),
                    layer.groups);
  });
  return in_blocks(all, layer.blocks);
}

// nn::Conv with as many groups as channels; its channel c·multiplier + m is coordinate c of block m.
Value apply(const architectures::DepthwiseConv& layer, const Value& value, const Place& place) {
  Value result{{}, {}, false};
  for (std::size_t k = 0; k < value.blocks.size(); ++k) {
    const auto name = [&](const std::string& object, int m) {
      return of_block(numbered(object, m, layer.multiplier), k, value.blocks.size());
    };
    const std::int64_t width = value.blocks[k].size(1);
    const Value part =
        map_grids(blocks_of(value, k, 1), layer, [&](const at::Tensor& grid, const Window& window) {
          std::vector<at::Tensor> kernels, biases;  // [n, kernel]
          for (int m = 0; m < layer.multiplier; ++m) {
            std::vector<at::Tensor> entries;
            for (const std::string& offset : kernel_offsets(window.kernel))
              entries.push_back(place.parameter(name(indexed("w", offset), m)).flatten());
            kernels.push_back(at::stack(entries, 1));
            if (layer.bias_variance > 0) biases.push_back(place.bias(name("b", m), layer.bias_variance));
          }
          Shape sizes = {width * layer.multiplier, 1};
          sizes.insert(sizes.end(), window.kernel.begin(), window.kernel.end());
          const at::Tensor weight = at::stack(kernels, 1).reshape(sizes);
          for (int m = 0; m < layer.multiplier; ++m) {
            for (const std::string& offset : kernel_offsets(window.kernel))
              place.expect(name(indexed("w", offset), m), 1, {0, layer.weight_variance / fan_in(weight)});
          }
          return convolve(grid, window, weight,
                          biases.empty() ? at::Tensor() : at::stack(biases, 1).flatten(), width);
        });
    const at::Tensor channels = part.blocks[0].view({-1, width, layer.multiplier});
    for (int m = 0; m < layer.multiplier; ++m) result.blocks.push_back(channels.select(2, m));
    result.shapes = part.shapes;
  }
  return result;
}

Value apply(const architectures::TransposedConv& layer, const Value& value, const Place& place) {
  const architectures::Conv like{layer.kernel, layer.stride, layer.dilation};
  return map_grids(value, like, [&](const at::Tensor& grid, const Window& window) {
    const at::Tensor weight =
        kernel_weight(window.kernel, "W", value.blocks.size(), layer.weight_variance, place).transpose(0, 1);
    const at::Tensor bias = place.bias("b", layer.bias_variance);
    return with_modules(window.kernel.size(), [&](auto modules) -> at::Tensor {
      using M = decltype(modules);
      typename M::Transposed module(
          nn::ConvTransposeOptions<M::rank>(weight.size(0), weight.size(1), window.kernel)
              .stride(window.stride)
              .dilation(window.dilation)
              .padding(per_axis(layer.padding, M::rank))
              .output_padding(per_axis(layer.output_padding, M::rank))
              .bias(bias.defined()));
      module->to(at::kDouble);
      module->weight.copy_(weight);
      if (bias.defined()) module->bias.copy_(bias);
      return module(grid);
    });
  });
}

// torch::nn has no such layer: a convolution with each position's weights, of whose output that position is
// taken.
Value apply(const architectures::LocalConv& layer, const Value& value, const Place& place) {
  return map_grids(value, layer, [&](const at::Tensor& grid, const Window& window) {
    const at::Tensor bias = place.bias("b", layer.bias_variance);
    Shape sizes = {1, grid.size(1)};
    sizes.insert(sizes.end(), window.kernel.begin(), window.kernel.end());
    const at::Tensor shape = convolve(grid, window, at::zeros(sizes, at::kDouble), {});
    const Shape outputs(shape.sizes().begin() + 2, shape.sizes().end());
    const std::vector<std::string> positions = kernel_offsets(outputs),
                                   offsets = kernel_offsets(window.kernel);
    std::vector<at::Tensor> columns;
    for (std::size_t p = 0; p < positions.size(); ++p) {
      at::Tensor sum;
      for (std::size_t k = 0; k < offsets.size(); ++k) {
        std::string index = positions[p];
        index += ';';
        index += offsets[k];
        const std::string name = indexed("W", index);
        // A kernel that is 1 at this offset reads what the weight acts on.
        at::Tensor one = at::zeros({sites(window.kernel)}, at::kDouble);
        one[static_cast<std::int64_t>(k)] = 1;
        Shape depthwise = {grid.size(1), 1};
        depthwise.insert(depthwise.end(), window.kernel.begin(), window.kernel.end());
        const at::Tensor kernel = one.repeat({grid.size(1)}).view(depthwise);
        const at::Tensor read = convolve(grid, window, kernel, {}, grid.size(1))
                                    .flatten(2)[0]
                                    .select(1, static_cast<std::int64_t>(p));
        if (!place.parameters.contains(place.name + "." + name) &&
            !place.parameters.contains(place.name + "." + name + "@0"))
          continue;  // nothing inside the grid
        const at::Tensor weight = at::cat(place.parts(name, value.blocks.size()), 1);
        place.expect(name, value.blocks.size(),
                     {0, layer.weight_variance / (fan_in(weight) * static_cast<double>(offsets.size()))});
        const at::Tensor product = linear_map(read.unsqueeze(0), weight);
        sum = sum.defined() ? sum + product : product;
      }
      columns.push_back(bias.defined() ? sum + bias : sum);
    }
    Shape result = {1, columns[0].size(1)};
    result.insert(result.end(), outputs.begin(), outputs.end());
    return at::stack(columns, 2).view(result);
  });
}

Value apply(const architectures::Pool& layer, const Value& value, const Place&) {
  using Kind = architectures::Pool::Kind;
  const Value all = map_grids(value, layer, [&](const at::Tensor& grid, const Window& window) {
    if (layer.kind == Kind::maximum) return maximum_pool(grid, window);
    const at::Tensor average =
        layer.count_include_pad ? average_pool(grid, window) : average_inside(grid, window);
    return layer.kind == Kind::sum ? average * sites(window.kernel) : average;
  });
  Value result = split_like(all.blocks[0], value);
  result.shapes = all.shapes;
  return result;
}

}  // namespace nngpcheck::empirical::twins
