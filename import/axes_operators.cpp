// Operators that move cells, and constants.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "nngpcheck/import/call.hpp"

namespace nngpcheck::importer {

namespace {

using Tensors = std::vector<Tensor>;

Tensors same(const Call& call) { return {call.tensor("self")}; }

std::vector<std::int64_t> range(std::int64_t first, std::int64_t last, std::int64_t step = 1) {
  if (step == 0) throw Refusal{"reject", "shape", "a step of 0"};
  std::vector<std::int64_t> result;
  for (std::int64_t k = first; step > 0 ? k < last : k > last; k += step) result.push_back(k);
  return result;
}

Tensors slice(const Call& call) {
  const Tensor& x = call.tensor("self");
  const std::size_t axis = Algebra::axis_number(x, call.optional_integer("dim").value_or(0));
  Algebra& a = call.algebra();
  const Size whole = a.widths().size(x.axes[axis]);
  const auto bound = [&](const char* name, const Size& otherwise) {
    Size at = call.given(name) ? call.size(name) : otherwise;
    for (std::size_t g = 0; g < width_count; ++g) {
      if (at[g] < 0) at[g] += whole[g];
      at[g] = std::clamp<std::int64_t>(at[g], 0, whole[g]);
    }
    return at;
  };
  const Size start = bound("start", {}), end = bound("end", whole);
  const std::int64_t step = call.optional_integer("step").value_or(1);
  if (step < 1) throw Refusal{"reject", "shape", "a step below 1"};
  if (start == Size{} && end == whole && step == 1) return {x};
  if (is_finite(x.axes[axis]))
    return {a.take(x, static_cast<std::int64_t>(axis), range(start[0], end[0], step))};
  Size middle, rest;
  for (std::size_t g = 0; g < width_count; ++g) {
    middle[g] = end[g] - start[g];
    rest[g] = whole[g] - end[g];
  }
  Tensor result = a.split(x, static_cast<std::int64_t>(axis), {start, middle, rest})[1];
  if (step == 1) return {result};
  // Every step-th coordinate: the first of interleaved ones.
  Size outer;
  for (std::size_t g = 0; g < width_count; ++g) outer[g] = middle[g] / step;
  result = a.divide(result, axis, {outer, {step, step, step}});
  return {a.select(result, static_cast<std::int64_t>(axis) + 1, 0)};
}

Tensors split_sizes(const Call& call, const std::vector<Size>& sizes) {
  return call.algebra().split(call.tensor("self"), call.optional_integer("dim").value_or(0), sizes);
}

Tensors split(const Call& call) {
  const Tensor& x = call.tensor("self");
  const std::size_t axis = Algebra::axis_number(x, call.optional_integer("dim").value_or(0));
  const Size whole = call.algebra().widths().size(x.axes[axis]), piece = call.size("split_size");
  std::vector<Size> sizes;
  Size left = whole;
  while (left[0] > 0) {
    Size next;
    for (std::size_t g = 0; g < width_count; ++g) {
      next[g] = std::min(piece[g], left[g]);
      left[g] -= next[g];
      if (next[g] < 1 || sizes.size() > 1000)
        throw Refusal{"reject", "structure_depends_on_n", "a split into numbers of pieces that depend on n"};
    }
    sizes.push_back(next);
  }
  return split_sizes(call, sizes);
}

Tensors unbind(const Call& call) {
  const Tensor& x = call.tensor("self");
  const std::int64_t axis = call.optional_integer("dim").value_or(0);
  Tensors result;
  for (std::int64_t k = 0; k < slots(x.axes[Algebra::axis_number(x, axis)]); ++k)
    result.push_back(call.algebra().select(x, axis, k));
  return result;
}

Tensors getitem(const Call& call) {
  const auto index = static_cast<std::size_t>(call.integer("index"));
  if (index >= call.all("self").size())
    throw Refusal{"reject", "argument:" + call.name(), "a result that is not there"};
  return {call.all("self")[index]};
}

Tensors permute(const Call& call) {
  return {call.algebra().permute(call.tensor("self"), call.axes("dims", call.tensor("self")))};
}

Tensors squeeze_all(const Call& call) {
  Tensor x = call.tensor("self");
  std::vector<std::size_t> axes = call.axes("dim", x);
  std::sort(axes.rbegin(), axes.rend());
  for (const std::size_t axis : axes) x = call.algebra().squeeze(x, static_cast<std::int64_t>(axis));
  return {x};
}

/// The positions that padding sees along an axis of this length; −1 is the constant.
std::vector<std::int64_t> padded(std::int64_t length, std::int64_t before, std::int64_t after,
                                 const std::string& mode) {
  require_cells({length, length + before + after});
  std::vector<std::int64_t> result;
  if (length == 0) return result;
  for (std::int64_t k = -before; k < length + after; ++k) {
    std::int64_t at = k;
    if (mode == "circular") at = ((k % length) + length) % length;
    if (mode == "replicate") at = std::clamp<std::int64_t>(k, 0, length - 1);
    if (mode == "reflect") at = k < 0 ? -k : k >= length ? 2 * (length - 1) - k : k;
    result.push_back(at >= 0 && at < length ? at : -1);
  }
  return result;
}

Tensors pad(const Call& call) {
  Tensor x = call.tensor("self");
  const auto pads = call.integers(call.given("pad") ? "pad" : "padding");
  const std::string mode = call.given("mode") ? call.text("mode") : "constant";
  const double value = call.given("value") ? call.fixed("value") : 0;
  for (std::size_t k = 0; k + 1 < pads.size(); k += 2) {
    const std::int64_t axis = -1 - static_cast<std::int64_t>(k / 2);
    const std::size_t number = Algebra::axis_number(x, axis);
    if (pads[k] == 0 && pads[k + 1] == 0) continue;
    Algebra& a = call.algebra();
    if (is_finite(x.axes[number])) {
      x = a.take(x, axis, padded(slots(x.axes[number]), pads[k], pads[k + 1], mode), value);
      continue;
    }
    std::vector<Size> sizes;
    for (const Axis& one : x.axes) sizes.push_back(a.widths().size(one));
    std::vector<Tensor> parts;
    for (const std::int64_t count : {pads[k], std::int64_t{-1}, pads[k + 1]}) {
      if (count == 0) continue;
      sizes[number] = {count, count, count};
      parts.push_back(count < 0 ? x : a.filled(sizes, value, call.name()));
    }
    x = a.cat(parts, axis);
  }
  return {x};
}

Tensors pixel_shuffle(const Call& call) {
  Tensor x = call.tensor("self");
  const std::int64_t r = call.integer("upscale_factor");
  if (r < 1 || r > 1000 || x.axes.size() < 3) throw Refusal{"reject", "shape", "a pixel shuffle of no image"};
  const std::size_t c = x.axes.size() - 3;
  Algebra& a = call.algebra();
  Size channels = a.widths().size(x.axes.at(c));
  for (std::int64_t& s : channels) s /= r * r;
  x = a.divide(x, c, {channels, {r, r, r}, {r, r, r}});  // …, c, r, r, h, w
  std::vector<std::size_t> order(c + 1);
  std::iota(order.begin(), order.end(), 0);
  for (const std::size_t k : {c + 3, c + 1, c + 4, c + 2}) order.push_back(k);
  x = a.permute(x, order);
  return {a.merge(a.merge(x, c + 3, c + 4), c + 1, c + 2)};
}

Tensors pixel_unshuffle(const Call& call) {
  Tensor x = call.tensor("self");
  const std::int64_t r = call.integer("downscale_factor");
  if (r < 1 || r > 1000 || x.axes.size() < 3) throw Refusal{"reject", "shape", "a pixel shuffle of no image"};
  const std::size_t c = x.axes.size() - 3;
  Algebra& a = call.algebra();
  for (const std::size_t k : {c + 2, c + 1}) {
    Size s = a.widths().size(x.axes.at(k));
    for (std::int64_t& v : s) v /= r;
    x = a.divide(x, k, {s, {r, r, r}});  // c, h, r, w, r
  }
  std::vector<std::size_t> order(c + 1);
  std::iota(order.begin(), order.end(), 0);
  for (const std::size_t k : {c + 2, c + 4, c + 1, c + 3}) order.push_back(k);
  return {a.merge(a.permute(x, order), c, c + 2)};
}

Tensors flip(const Call& call) {
  Tensor x = call.tensor("self");
  for (const std::size_t k : call.axes("dims", x))
    x = call.algebra().take(x, static_cast<std::int64_t>(k), range(slots(x.axes[k]) - 1, -1, -1));
  return {x};
}

Tensors roll(const Call& call) {
  Tensor x = call.tensor("self");
  const auto shifts = call.integers("shifts");
  const auto axes = call.axes("dims", x);
  if (axes.size() != shifts.size())
    throw Refusal{"reject", "argument:" + call.name(), "roll of a flattened tensor"};
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t length = slots(x.axes[axes[i]]);
    if (length == 0) continue;
    std::vector<std::int64_t> positions;
    for (std::int64_t k = 0; k < length; ++k)
      positions.push_back((((k - shifts[i]) % length) + length) % length);
    x = call.algebra().take(x, static_cast<std::int64_t>(axes[i]), positions);
  }
  return {x};
}

Tensors repeat(const Call& call) {
  Tensor x = call.tensor("self");
  const auto repeats = call.sizes(call.given("repeats") ? "repeats" : "dims");
  Algebra& a = call.algebra();
  while (x.axes.size() < repeats.size()) x = a.unsqueeze(x, 0);
  for (std::size_t k = 0; k < repeats.size(); ++k) {
    if (!is_constant(repeats[k])) {
      std::vector<Size> sizes(x.axes.size(), Size{-1, -1, -1});
      sizes[k] = repeats[k];
      x = a.expand(x, sizes, call.name());
    } else if (repeats[k][0] != 1) {
      require_cells({repeats[k][0], slots(x.axes[k])});
      x = a.cat(Tensors(static_cast<std::size_t>(std::max<std::int64_t>(repeats[k][0], 0)), x),
                static_cast<std::int64_t>(k));
    }
  }
  return {x};
}

Tensors triangle(const Call& call, bool lower) {
  Tensor x = call.tensor("self");
  if (x.axes.size() < 2) throw Refusal{"reject", "shape", "a triangle of what is no matrix"};
  const std::int64_t diagonal = call.optional_integer("diagonal").value_or(0);
  std::size_t k = 0;
  for_each_position(x.shape(), [&](const std::vector<std::int64_t>& at) {
    const std::int64_t offset = at[at.size() - 1] - at[at.size() - 2] - diagonal;
    if (lower ? offset > 0 : offset < 0) x.cells[k] = number(0.0);
    ++k;
  });
  return {x};
}

/// Assignment to a part of a tensor.
Tensors slice_scatter(const Call& call, bool one) {
  Tensor x = call.tensor("self");
  const Tensor& source = call.tensor("src");
  const std::size_t axis = Algebra::axis_number(x, call.optional_integer("dim").value_or(0));
  const std::int64_t length = slots(x.axes[axis]);
  if (!is_finite(x.axes[axis])) throw AxesMixed{"a part of the width is assigned"};
  const auto clamp = [&](std::int64_t at) {
    return std::clamp<std::int64_t>(at < 0 ? at + length : at, 0, length);
  };
  std::vector<std::int64_t> positions;
  if (one) {
    positions = {clamp(call.integer("index"))};
  } else {
    positions = range(clamp(call.optional_integer("start").value_or(0)),
                      clamp(call.optional_integer("end").value_or(length)),
                      call.optional_integer("step").value_or(1));
  }
  const Tensor part = one ? call.algebra().unsqueeze(source, static_cast<std::int64_t>(axis)) : source;
  for (std::size_t k = 0; k < x.axes.size(); ++k)
    if (k != axis) call.algebra().widths().unify(x.axes[k], part.axes.at(k));
  const auto steps = strides(x.shape());
  std::size_t k = 0;
  for_each_position(part.shape(), [&](std::vector<std::int64_t> at) {
    at[axis] = positions.at(static_cast<std::size_t>(at[axis]));
    std::int64_t flat = 0;
    for (std::size_t i = 0; i < at.size(); ++i) flat += at[i] * steps[i];
    x.cells.at(static_cast<std::size_t>(flat)) = part.cells[k++];
  });
  return {x};
}

}  // namespace

void add_axes_operators(Operators& ops) {
  for (const char* name : {"clone", "alias", "detach", "contiguous", "_to_copy", "lift_fresh_copy",
                           "lift_fresh", "dropout", "nan_to_num"})
    ops[name] = same;
  ops["native_dropout"] = [](const Call&) -> Tensors {
    throw Refusal{"outside", "random_forward",
                  "dropout in training: the network draws random numbers for each input"};
  };
  ops["getitem"] = getitem;
  for (const char* name : {"view", "_unsafe_view", "reshape"}) {
    ops[name] = [](const Call& c) -> Tensors {
      return {c.algebra().view(c.tensor("self"), c.given("size") ? c.sizes("size") : c.sizes("shape"))};
    };
  }
  ops["flatten.using_ints"] = ops["unflatten.int"] = [](const Call& c) -> Tensors {
    return {c.algebra().view(c.tensor("self"), c.result_sizes())};
  };
  ops["transpose.int"] = [](const Call& c) -> Tensors {
    return {c.algebra().transpose(c.tensor("self"), c.integer("dim0"), c.integer("dim1"))};
  };
  ops["t"] = [](const Call& c) -> Tensors {
    return {c.tensor("self").axes.size() < 2 ? c.tensor("self")
                                             : c.algebra().transpose(c.tensor("self"), 0, 1)};
  };
  ops["numpy_T"] = [](const Call& c) -> Tensors {
    std::vector<std::size_t> order;
    for (std::size_t k = c.tensor("self").axes.size(); k-- > 0;) order.push_back(k);
    return {c.algebra().permute(c.tensor("self"), order)};
  };
  ops["permute"] = permute;
  ops["select.int"] = [](const Call& c) -> Tensors {
    return {c.algebra().select(c.tensor("self"), c.integer("dim"), c.integer("index"))};
  };
  ops["slice.Tensor"] = slice;
  ops["narrow"] = [](const Call& c) -> Tensors {
    const std::int64_t start = c.integer("start");
    return {c.algebra().take(c.tensor("self"), c.integer("dim"), range(start, start + c.integer("length")))};
  };
  ops["unsqueeze"] = [](const Call& c) -> Tensors {
    return {c.algebra().unsqueeze(c.tensor("self"), c.integer("dim"))};
  };
  ops["squeeze.dim"] = [](const Call& c) -> Tensors {
    return {c.algebra().squeeze(c.tensor("self"), c.integer("dim"))};
  };
  ops["squeeze.dims"] = ops["squeeze"] = squeeze_all;
  ops["expand"] = [](const Call& c) -> Tensors {
    return {c.algebra().expand(c.tensor("self"), c.result_sizes(), c.name())};
  };
  ops["expand_as"] = ops["expand"];
  ops["repeat"] = ops["tile"] = repeat;
  ops["broadcast_tensors"] = [](const Call& c) -> Tensors {
    const Tensors xs = c.tensors("tensors");
    std::vector<const Tensor*> pointers;
    for (const Tensor& x : xs) pointers.push_back(&x);
    const Algebra::Broadcast all = c.algebra().broadcast(pointers);
    Tensors result;
    for (const Cells& cells : all.cells) result.push_back({all.axes, cells});
    return result;
  };
  ops["cat"] = [](const Call& c) -> Tensors {
    return {c.algebra().cat(c.tensors("tensors"), c.optional_integer("dim").value_or(0))};
  };
  ops["concat"] = ops["concatenate"] = ops["cat"];
  ops["stack"] = [](const Call& c) -> Tensors {
    return {c.algebra().stack(c.tensors("tensors"), c.optional_integer("dim").value_or(0))};
  };
  ops["split.Tensor"] = split;
  ops["split_with_sizes"] = ops["split.sizes"] = [](const Call& c) {
    return split_sizes(c, c.sizes(c.given("split_sizes") ? "split_sizes" : "split_size"));
  };
  ops["unbind.int"] = unbind;
  ops["pad"] = ops["constant_pad_nd"] = pad;
  ops["pixel_shuffle"] = pixel_shuffle;
  ops["pixel_unshuffle"] = pixel_unshuffle;
  ops["flip"] = flip;
  ops["roll"] = roll;
  ops["tril"] = [](const Call& c) { return triangle(c, true); };
  ops["triu"] = [](const Call& c) { return triangle(c, false); };
  ops["slice_scatter"] = [](const Call& c) { return slice_scatter(c, false); };
  ops["select_scatter"] = [](const Call& c) { return slice_scatter(c, true); };
  ops["item"] = ops["_local_scalar_dense"] = [](const Call&) -> Tensors {
    throw Refusal{"reject", "data_dependent", "a number of the network's values is read by Python (item)"};
  };
}

}  // namespace nngpcheck::importer
