// Operators on images and sequences that move, weigh and add positions: patches, shuffles, interpolation.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "nngpcheck/import/call.hpp"

namespace nngpcheck::importer {

namespace {

using Tensors = std::vector<Tensor>;

Size divided(const Size& size, const Size& by) {
  Size result;
  for (std::size_t g = 0; g < width_count; ++g) {
    if (by[g] < 1 || size[g] % by[g] != 0)
      throw Refusal{"reject", "shape", "groups that do not divide the channels"};
    result[g] = size[g] / by[g];
  }
  return result;
}

/// Channels g·C/G + c become c·G + g.
Tensors channel_shuffle(const Call& call) {
  Algebra& a = call.algebra();
  Tensor x = call.tensor("self");
  const Size groups = call.size("groups");
  if (x.axes.size() < 3) throw Refusal{"reject", "shape", "a channel shuffle of no image"};
  x = a.divide(x, 1, {groups, divided(a.widths().size(x.axes[1]), groups)});
  return {a.merge(a.transpose(x, 1, 2), 1, 2)};
}

/// The two numbers of a list for the two axes of an image.
std::array<std::int64_t, 2> pair_of(const Call& call, const char* name, std::int64_t least) {
  const std::vector<std::int64_t> given = call.integers(name);
  if (given.empty()) throw Refusal{"reject", "argument:" + call.name(), std::string("no ") + name};
  const std::array<std::int64_t, 2> result = {given.front(), given.back()};
  for (const std::int64_t value : result)
    if (value < least || value > 1'000'000)
      throw Refusal{"reject", "shape", std::string(name) + " out of range"};
  return result;
}

/// How patches of an image lie, along each of its two axes.
struct Patches {
  std::array<std::int64_t, 2> kernel, dilation, padding, stride;

  explicit Patches(const Call& call)
      : kernel(pair_of(call, "kernel_size", 1)),
        dilation(pair_of(call, "dilation", 1)),
        padding(pair_of(call, "padding", 0)),
        stride(pair_of(call, "stride", 1)) {}

  std::int64_t count(std::size_t axis, std::int64_t length) const {
    return (length + 2 * padding[axis] - dilation[axis] * (kernel[axis] - 1) - 1) / stride[axis] + 1;
  }
  /// The position that offset k of patch p sees; it may lie in the padding.
  std::int64_t at(std::size_t axis, std::int64_t p, std::int64_t k) const {
    return p * stride[axis] + k * dilation[axis] - padding[axis];
  }
};

/// (b, c, h, w) → (b, c·kh·kw, patches).
Tensors im2col(const Call& call) {
  Algebra& a = call.algebra();
  Tensor x = call.tensor("self");
  const bool batched = x.axes.size() == 4;
  if (x.axes.size() == 3) x = a.unsqueeze(x, 0);
  if (x.axes.size() != 4) throw Refusal{"reject", "shape", "patches of no image"};
  const Patches patches(call);
  for (std::size_t k = 0; k < 2; ++k) {
    const std::int64_t length = slots(x.axes[2 + k]), count = patches.count(k, length);
    require_cells({count, patches.kernel[k]});
    std::vector<std::vector<std::int64_t>> windows;
    for (std::int64_t p = 0; p < count; ++p) {
      windows.emplace_back();
      for (std::int64_t o = 0; o < patches.kernel[k]; ++o) {
        const std::int64_t at = patches.at(k, p, o);
        windows.back().push_back(at >= 0 && at < length ? at : -1);
      }
    }
    x = a.windows(x, 2 + k, windows);
  }
  x = a.permute(x, {0, 1, 4, 5, 2, 3});
  x = a.merge(a.merge(x, 4, 5), 1, 3);
  return {batched ? x : a.squeeze(x, 0)};
}

/// The transpose: (b, c·kh·kw, patches) → (b, c, h, w), what meets at a position is added.
Tensors col2im(const Call& call) {
  Algebra& a = call.algebra();
  Tensor x = call.tensor("self");
  const bool batched = x.axes.size() == 3;
  if (x.axes.size() == 2) x = a.unsqueeze(x, 0);
  if (x.axes.size() != 3) throw Refusal{"reject", "shape", "patches of no image"};
  const Patches patches(call);
  const auto sizes = pair_of(call, "output_size", 1);
  const auto [kh, kw] = patches.kernel;
  const std::int64_t rows = patches.count(0, sizes[0]), columns = patches.count(1, sizes[1]);
  if (rows < 1 || columns < 1) throw Refusal{"reject", "shape", "an image smaller than its patches"};
  const Size channels = divided(a.widths().size(x.axes[1]), {kh * kw, kh * kw, kh * kw});
  x = a.divide(x, 2, {{rows, rows, rows}, {columns, columns, columns}});
  x = a.divide(x, 1, {channels, {kh, kh, kh}, {kw, kw, kw}});  // b, c, kh, kw, rows, columns
  x = a.permute(x, {0, 1, 4, 2, 5, 3});
  x = a.merge(a.merge(x, 4, 5), 2, 3);
  for (std::size_t k = 0; k < 2; ++k) {
    std::vector<std::vector<std::int64_t>> meeting(static_cast<std::size_t>(sizes[k]));
    for (std::int64_t p = 0; p < (k == 0 ? rows : columns); ++p) {
      for (std::int64_t o = 0; o < patches.kernel[k]; ++o) {
        const std::int64_t at = patches.at(k, p, o);
        if (at >= 0 && at < sizes[k])
          meeting[static_cast<std::size_t>(at)].push_back(p * patches.kernel[k] + o);
      }
    }
    x = a.sum(a.windows(x, 2 + k, meeting), {4}, false);
  }
  return {batched ? x : a.squeeze(x, 0)};
}

/// Windows of an axis as a new last axis.
Tensors unfold(const Call& call) {
  const Tensor& x = call.tensor("self");
  const std::size_t axis = Algebra::axis_number(x, call.integer("dimension"));
  const std::int64_t size = call.integer("size"), step = call.integer("step"), length = slots(x.axes[axis]);
  if (size < 1 || step < 1 || size > length) throw Refusal{"reject", "shape", "windows of no size or step"};
  std::vector<std::vector<std::int64_t>> windows;
  for (std::int64_t start = 0; start + size <= length; start += step) {
    windows.emplace_back(static_cast<std::size_t>(size));
    std::iota(windows.back().begin(), windows.back().end(), start);
  }
  return {call.algebra().windows(x, axis, windows)};
}

/// What an interpolated position reads, with weights.
using Reading = std::vector<std::pair<std::int64_t, double>>;

/// Each spatial axis interpolated: reading(p, scale, length) is what position p reads, if `scale` positions
/// of the old axis are one of the new.
template <class ReadingOf>
Tensors interpolated(const Call& call, const ReadingOf& reading) {
  Algebra& a = call.algebra();
  Tensor x = call.tensor(call.given("input") ? "input" : "self");
  const auto sizes = call.result_sizes();
  const bool corners = call.given("align_corners") && call.flag("align_corners");
  for (std::size_t k = 2; k < x.axes.size(); ++k) {
    const std::int64_t length = slots(x.axes[k]), wanted = sizes.at(k)[0];
    require_cells({wanted});
    double scale = static_cast<double>(length) / static_cast<double>(wanted);
    if (corners) {
      scale = wanted > 1 ? static_cast<double>(length - 1) / static_cast<double>(wanted - 1) : 0;
    } else if (const auto given = call.numbers("scale_factors"); given.size() == x.axes.size() - 2) {
      scale = 1 / given[k - 2];
    }
    Tensors parts;
    for (std::int64_t p = 0; p < wanted; ++p) {
      std::map<std::int64_t, double> weights;  // beyond the border is the border
      for (const auto& [at, weight] : reading(static_cast<double>(p), scale, corners, length))
        weights[std::clamp<std::int64_t>(at, 0, length - 1)] += weight;
      std::optional<Tensor> part;
      for (const auto& [at, weight] : weights) {
        if (weight == 0) continue;
        const Tensor next = a.scaled(a.take(x, static_cast<std::int64_t>(k), {at}), weight);
        part = part ? a.add(*part, next) : next;
      }
      if (!part) throw Refusal{"reject", "shape", "an interpolation of nothing"};
      parts.push_back(*part);
    }
    x = a.cat(parts, static_cast<std::int64_t>(k));
  }
  return {x};
}

Tensors upsample_nearest(const Call& call, double offset) {
  return interpolated(call, [offset](double p, double scale, bool, std::int64_t) -> Reading {
    return {{static_cast<std::int64_t>(std::floor((p + offset) * scale)), 1.0}};
  });
}

Tensors upsample_linear(const Call& call) {
  return interpolated(call, [](double p, double scale, bool corners, std::int64_t length) -> Reading {
    const double at = corners ? scale * p : std::max(0.0, scale * (p + 0.5) - 0.5);
    const std::int64_t low = std::min(static_cast<std::int64_t>(at), length - 1);
    const double part = at - static_cast<double>(low);
    return {{low, 1 - part}, {low + 1, part}};
  });
}

/// Keys' cubic convolution with a = −3/4, as PyTorch has it.
Tensors upsample_cubic(const Call& call) {
  return interpolated(call, [](double p, double scale, bool corners, std::int64_t) -> Reading {
    constexpr double a = -0.75;
    const double at = corners ? scale * p : scale * (p + 0.5) - 0.5, low = std::floor(at), t = at - low;
    const auto near = [](double d) { return ((a + 2) * d - (a + 3)) * d * d + 1; };       // |d| ≤ 1
    const auto far = [](double d) { return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a; };  // 1 < |d| < 2
    const auto first = static_cast<std::int64_t>(low) - 1;
    return {{first, far(t + 1)}, {first + 1, near(t)}, {first + 2, near(1 - t)}, {first + 3, far(2 - t)}};
  });
}

}  // namespace

void add_image_operators(Operators& ops) {
  ops["channel_shuffle"] = channel_shuffle;
  ops["im2col"] = im2col;
  ops["col2im"] = col2im;
  ops["unfold"] = unfold;
  for (const char* d : {"1d.vec", "2d.vec", "3d.vec"}) {
    ops[std::string("upsample_nearest") + d] = [](const Call& call) { return upsample_nearest(call, 0); };
    ops[std::string("_upsample_nearest_exact") + d] = [](const Call& call) {
      return upsample_nearest(call, 0.5);
    };
  }
  for (const char* name : {"upsample_linear1d.vec", "upsample_bilinear2d.vec", "upsample_trilinear3d.vec"})
    ops[name] = upsample_linear;
  ops["upsample_bicubic2d.vec"] = upsample_cubic;
}

}  // namespace nngpcheck::importer
