// Layers that move and average sites, without weights.
#include <torch/torch.h>

#include "nngpcheck/empirical/sampler.hpp"
#include "nngpcheck/empirical/torch/twin_value.hpp"

namespace nngpcheck::empirical::twins {

namespace {

namespace nn = torch::nn;
namespace F = torch::nn::functional;
using architectures::Interpolation;
using architectures::PadMode;

std::vector<std::int64_t> per_axis(const std::vector<std::int64_t>& list, std::size_t rank) {
  return list.size() == 1 ? std::vector<std::int64_t>(rank, list[0]) : list;
}

// Every sample, as [1, channels, axes...], through `map`; blocks stay.
template <class Map>
Value grids(const Value& value, const Map& map) {
  Rows rows = map_samples(value, map);
  Value result = split_like(rows.all, value);
  result.shapes = std::move(rows.shapes);
  return result;
}

// F::pad's sizes, which start with the last axis.
std::vector<std::int64_t> ends(const std::vector<std::int64_t>& before,
                               const std::vector<std::int64_t>& after, std::size_t rank, std::int64_t sign) {
  const auto first = per_axis(before, rank), last = per_axis(after, rank);
  std::vector<std::int64_t> result;
  for (std::size_t axis = rank; axis-- > 0;) {
    result.push_back(sign * first[axis]);
    result.push_back(sign * last[axis]);
  }
  return result;
}

// One row per sample.
template <class Pool>
Value pooled(const Value& value, const Pool& pool) {
  std::vector<at::Tensor> result;
  for (const at::Tensor& sample : samples(value)) result.push_back(pool(sample));
  Value pools = split_like(at::stack(result), value);
  pools.shapes.assign(value.shapes.size(), {});
  return pools;
}

}  // namespace

Value apply(const architectures::Pad& layer, const Value& value, const Place&) {
  return grids(value, [&](const at::Tensor& grid, std::size_t rank) {
    F::PadFuncOptions options(ends(layer.before, layer.after, rank, 1));
    if (layer.mode == PadMode::circular) return F::pad(grid, options.mode(torch::kCircular));
    if (layer.mode == PadMode::reflect) return F::pad(grid, options.mode(torch::kReflect));
    if (layer.mode == PadMode::replicate) return F::pad(grid, options.mode(torch::kReplicate));
    return F::pad(grid, options);
  });
}

Value apply(const architectures::Crop& layer, const Value& value, const Place&) {
  return grids(value, [&](const at::Tensor& grid, std::size_t rank) {
    return F::pad(grid, F::PadFuncOptions(ends(layer.before, layer.after, rank, -1)));
  });
}

Value apply(const architectures::Upsample& layer, const Value& value, const Place&) {
  return grids(value, [&](const at::Tensor& grid, std::size_t rank) {
    const auto factors = per_axis(layer.factor, rank);
    nn::UpsampleOptions options;
    options.scale_factor(std::vector<double>(factors.begin(), factors.end()));
    if (layer.mode == Interpolation::nearest) return nn::Upsample(options.mode(torch::kNearest))(grid);
    options.align_corners(false);
    if (rank == 1) return nn::Upsample(options.mode(torch::kLinear))(grid);
    if (rank == 2) return nn::Upsample(options.mode(torch::kBilinear))(grid);
    return nn::Upsample(options.mode(torch::kTrilinear))(grid);
  });
}

Value apply(const architectures::AdaptiveAveragePool& layer, const Value& value, const Place&) {
  return grids(value, [&](const at::Tensor& grid, std::size_t rank) {
    const auto size = per_axis(layer.size, rank);
    if (rank == 1) return nn::AdaptiveAvgPool1d(size)(grid);
    if (rank == 2) return nn::AdaptiveAvgPool2d(nn::AdaptiveAvgPool2dOptions({size[0], size[1]}))(grid);
    return nn::AdaptiveAvgPool3d(nn::AdaptiveAvgPool3dOptions({size[0], size[1], size[2]}))(grid);
  });
}

// nn::PixelShuffle's channel c·f + k is coordinate c of block k; it has two axes of one factor, so one axis
// gets a second of length 1 that is shuffled by hand.
Value apply(const architectures::PixelShuffle& layer, const Value& value, const Place&) {
  const std::size_t rank = value.shapes.at(0).size();
  const auto factor = per_axis(layer.factor, rank);
  const auto count = static_cast<std::size_t>(sites(factor));
  Value result{{}, {}, false};
  for (std::size_t first = 0; first < value.blocks.size(); first += count) {
    Value group{{value.blocks.begin() + static_cast<std::ptrdiff_t>(first),
                 value.blocks.begin() + static_cast<std::ptrdiff_t>(first + count)},
                value.shapes,
                false};
    const std::int64_t width = group.blocks[0].size(1);
    std::vector<at::Tensor> rows;
    result.shapes.clear();
    std::vector<std::int64_t> sizes;
    for (const Shape& shape : value.shapes) sizes.push_back(sites(shape));
    const std::vector<at::Tensor> parts = joined(group).split_with_sizes(sizes);
    for (std::size_t s = 0; s < parts.size(); ++s) {
      const Shape& shape = value.shapes[s];
      // [sites, f, n] → [1, n·f, axes...]
      at::Tensor grid = parts[s].view({-1, static_cast<std::int64_t>(count), width}).permute({2, 1, 0});
      Shape full = {1, width * static_cast<std::int64_t>(count)};
      full.insert(full.end(), shape.begin(), shape.end());
      grid = grid.reshape(full);
      at::Tensor fine;
      if (rank == 2 && factor[0] == factor[1]) {
        fine = nn::PixelShuffle(nn::PixelShuffleOptions(factor[0]))(grid)[0];
      } else if (rank == 1) {
        fine = grid.view({width, factor[0], shape[0]}).transpose(1, 2).reshape({width, shape[0] * factor[0]});
      } else {
        throw SamplerError("twin: torch::nn shuffles two axes by one factor, and one axis here");
      }
      result.shapes.emplace_back(fine.sizes().begin() + 1, fine.sizes().end());
      rows.push_back(fine.flatten(1).t());
    }
    result.blocks.push_back(at::cat(rows));
  }
  return result;
}

Value apply(const architectures::GlobalAveragePool&, const Value& value, const Place&) {
  return pooled(value, [](const at::Tensor& sample) { return sample.mean(0); });
}

Value apply(const architectures::GlobalSumPool&, const Value& value, const Place&) {
  return pooled(value, [](const at::Tensor& sample) { return sample.sum(0); });
}

Value apply(const architectures::GlobalMaxPool&, const Value& value, const Place&) {
  return pooled(value, [](const at::Tensor& sample) { return at::amax(sample, {0}); });
}

Value apply(const architectures::Last&, const Value& value, const Place&) {
  return pooled(value, [](const at::Tensor& sample) { return sample[-1]; });
}

Value apply(const architectures::Flatten&, const Value& value, const Place&) {
  const auto count = static_cast<std::int64_t>(value.shapes.size());
  const std::int64_t positions = sites(value.shapes.at(0));
  Value result{{}, std::vector<Shape>(value.shapes.size()), value.raw};
  for (const at::Tensor& block : value.blocks) {
    const at::Tensor all = block.view({count, positions, block.size(1)});
    if (value.raw) {
      result.blocks.push_back(nn::Flatten()(all.transpose(1, 2)));
      continue;
    }
    for (std::int64_t site = 0; site < positions; ++site) result.blocks.push_back(all.select(1, site));
  }
  return result;
}

}  // namespace nngpcheck::empirical::twins
