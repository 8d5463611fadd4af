// Operators that order what lies along a finite axis: networks of maxima and minima, coordinate by
// coordinate.
#include <algorithm>

#include "nngpcheck/import/call.hpp"

namespace nngpcheck::importer {

namespace {

using Tensors = std::vector<Tensor>;

/// The slices of x along an axis, one for each position.
Tensors slices(const Call& call, const Tensor& x, std::size_t axis) {
  if (!is_finite(x.axes[axis]))
    throw Refusal{"outside", "order_over_width",
                  "coordinates are ordered along the width: that is no NETSOR program"};
  Tensors result;
  for (std::int64_t k = 0; k < slots(x.axes[axis]); ++k)
    result.push_back(call.algebra().take(x, static_cast<std::int64_t>(axis), {k}));
  return result;
}

Tensor smaller(Algebra& a, const Tensor& x, const Tensor& y) {
  return a.scaled(a.maximum(a.scaled(x, -1), a.scaled(y, -1)), -1);
}

/// Ascending, by exchanges of neighbours.
Tensors sorted(const Call& call, Tensors parts) {
  Algebra& a = call.algebra();
  constexpr std::size_t most = 64;
  if (parts.size() > most)
    throw Refusal{"reject", "argument:" + call.name(),
                  "more than " + std::to_string(most) + " values are ordered"};
  for (std::size_t round = 0; round < parts.size(); ++round) {
    for (std::size_t k = round % 2; k + 1 < parts.size(); k += 2) {
      const Tensor low = smaller(a, parts[k], parts[k + 1]);
      parts[k + 1] = a.maximum(parts[k], parts[k + 1]);
      parts[k] = low;
    }
  }
  return parts;
}

std::size_t axis_of(const Call& call) {
  return Algebra::axis_number(call.tensor("self"), call.optional_integer("dim").value_or(-1));
}

Tensors sort(const Call& call) {
  const std::size_t axis = axis_of(call);
  Tensors parts = sorted(call, slices(call, call.tensor("self"), axis));
  if (call.given("descending") && call.flag("descending")) std::reverse(parts.begin(), parts.end());
  return {call.algebra().cat(parts, static_cast<std::int64_t>(axis))};
}

Tensors topk(const Call& call) {
  const std::size_t axis = axis_of(call);
  Tensors parts = sorted(call, slices(call, call.tensor("self"), axis));
  if (!call.given("largest") || call.flag("largest")) std::reverse(parts.begin(), parts.end());
  const std::int64_t count = call.integer("k");
  if (count < 0 || count > static_cast<std::int64_t>(parts.size()))
    throw Refusal{"reject", "shape", "more values than there are"};
  parts.resize(static_cast<std::size_t>(count));
  return {call.algebra().cat(parts, static_cast<std::int64_t>(axis))};
}

/// The k-th smallest, from 0.
Tensors ranked(const Call& call, std::size_t rank) {
  const std::size_t axis = axis_of(call);
  const Tensors parts = sorted(call, slices(call, call.tensor("self"), axis));
  if (rank >= parts.size()) throw Refusal{"reject", "shape", "a rank beyond the number of values"};
  const bool keep = call.given("keepdim") && call.flag("keepdim");
  return {keep ? parts[rank] : call.algebra().squeeze(parts[rank], static_cast<std::int64_t>(axis))};
}

Tensors aminmax(const Call& call) {
  Algebra& a = call.algebra();
  const Tensor& x = call.tensor("self");
  const bool keep = call.given("keepdim") && call.flag("keepdim");
  std::vector<std::size_t> axes;
  if (call.given("dim")) {
    axes = {axis_of(call)};
  } else {
    for (std::size_t k = x.axes.size(); k-- > 0;) axes.push_back(k);
  }
  Tensor low = x, high = x;
  for (const std::size_t k : axes) {
    const Tensors lows = slices(call, low, k), highs = slices(call, high, k);
    low = lows.at(0);
    high = highs.at(0);
    for (std::size_t i = 1; i < lows.size(); ++i) {
      low = smaller(a, low, lows[i]);
      high = a.maximum(high, highs[i]);
    }
    if (keep) continue;
    low = a.squeeze(low, static_cast<std::int64_t>(k));
    high = a.squeeze(high, static_cast<std::int64_t>(k));
  }
  return {low, high};
}

}  // namespace

void add_order_operators(Operators& ops) {
  ops["sort"] = ops["sort.stable"] = sort;
  ops["topk"] = topk;
  ops["kthvalue"] = [](const Call& call) {
    return ranked(call, static_cast<std::size_t>(call.integer("k") - 1));
  };
  ops["median.dim"] = ops["nanmedian.dim"] = [](const Call& call) {
    return ranked(call, static_cast<std::size_t>(slots(call.tensor("self").axes[axis_of(call)]) - 1) / 2);
  };
  ops["aminmax"] = aminmax;
}

}  // namespace nngpcheck::importer
