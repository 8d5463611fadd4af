// Operators that are composed of others.
#include <algorithm>

#include "nngpcheck/import/call.hpp"
#include "nngpcheck/support/spelling.hpp"

namespace nngpcheck::importer {

namespace {

using Tensors = std::vector<Tensor>;

/// x·y/(|x||y|); PyTorch's ε is for vectors of length 0.
Tensors cosine_similarity(const Call& call) {
  Algebra& a = call.algebra();
  const Tensor &x = call.tensor("x1"), &y = call.tensor("x2");
  const std::int64_t dim = call.given("dim") ? call.integer("dim") : 1;
  const auto summed = [&](const Tensor& t) { return a.sum(t, {Algebra::axis_number(t, dim)}, false); };
  const Tensor lengths =
      a.multiply(a.rsqrt(summed(a.multiply(x, x)), 0), a.rsqrt(summed(a.multiply(y, y)), 0));
  return {a.multiply(summed(a.multiply(x, y)), lengths)};
}

Tensors logsumexp(const Call& call) {
  Algebra& a = call.algebra();
  const Tensor& x = call.tensor("self");
  return {a.function("log", a.sum(a.map("exp", x), call.axes("dim", x), call.flag("keepdim")))};
}

Tensors var_mean(const Call& call) {
  Algebra& a = call.algebra();
  const Tensor& x = call.tensor("self");
  const auto axes = call.axes("dim", x);
  Tensor mean = a.mean(x, axes, call.flag("keepdim"));
  return {(*find_operator("aten.var.correction"))(call)[0], std::move(mean)};
}

/// Along an axis, what there is so far combined with each next part.
template <class Combine>
Tensors cumulative(const Call& call, const Combine& combine) {
  Algebra& a = call.algebra();
  const Tensor& x = call.tensor("self");
  const std::int64_t axis = call.integer("dim");
  Tensors parts;
  for (std::int64_t k = 0; k < slots(x.axes[Algebra::axis_number(x, axis)]); ++k) {
    const Tensor next = a.take(x, axis, {k});
    parts.push_back(parts.empty() ? next : combine(parts.back(), next));
  }
  return {a.cat(parts, axis)};
}

Tensors cumsum(const Call& call) {
  return cumulative(call, [&](const Tensor& x, const Tensor& y) { return call.algebra().add(x, y); });
}

Tensors cumprod(const Call& call) {
  return cumulative(call, [&](const Tensor& x, const Tensor& y) { return call.algebra().multiply(x, y); });
}

Tensors rrelu(const Call& call) {
  if (call.given("training") && call.flag("training"))
    throw Refusal{"outside", "random_forward", "rrelu in training draws random slopes for each input"};
  const double low = call.given("lower") ? call.fixed("lower") : 1.0 / 8,
               high = call.given("upper") ? call.fixed("upper") : 1.0 / 3;
  return {call.algebra().map("leaky_relu_" + support::shortest((low + high) / 2), call.tensor("self"))};
}

/// Linear interpolation along each spatial axis, with PyTorch's two conventions of where the positions lie.
Tensors upsample_linear(const Call& call) {
  Algebra& a = call.algebra();
  Tensor x = call.tensor("input");
  const auto sizes = call.result_sizes();
  const bool corners = call.flag("align_corners");
  for (std::size_t k = 2; k < x.axes.size(); ++k) {
    const std::int64_t length = slots(x.axes[k]), wanted = sizes.at(k)[0];
    const auto axis = static_cast<std::int64_t>(k);
    Tensors parts;
    for (std::int64_t p = 0; p < wanted; ++p) {
      const double scale = corners ? static_cast<double>(length - 1) /
                                         static_cast<double>(std::max<std::int64_t>(1, wanted - 1))
                                   : static_cast<double>(length) / static_cast<double>(wanted);
      const double at = corners ? scale * static_cast<double>(p)
                                : std::max(0.0, scale * (static_cast<double>(p) + 0.5) - 0.5);
      const std::int64_t low = std::min(static_cast<std::int64_t>(at), length - 1),
                         high = std::min(low + 1, length - 1);
      const double part = at - static_cast<double>(low);
      parts.push_back(
          a.add(a.scaled(a.take(x, axis, {low}), 1 - part), a.take(x, axis, {high}), constant_values(part)));
    }
    x = a.cat(parts, axis);
  }
  return {x};
}

}  // namespace

void add_composed_operators(Operators& ops) {
  ops["cosine_similarity"] = cosine_similarity;
  ops["logsumexp"] = logsumexp;
  ops["var_mean.dim"] = ops["var_mean.correction"] = var_mean;
  ops["cumprod"] = cumprod;
  ops["cumsum"] = cumsum;
  ops["rrelu"] = rrelu;
  for (const char* name : {"upsample_linear1d.vec", "upsample_bilinear2d.vec", "upsample_trilinear3d.vec"})
    ops[name] = upsample_linear;
  ops["outer"] = [](const Call& call) -> Tensors {
    return {call.algebra().einsum("i", "j", "ij", call.tensor("self"), call.tensor("vec2"))};
  };
  ops["hstack"] = [](const Call& call) -> Tensors {
    const Tensors parts = call.tensors("tensors");
    return {call.algebra().cat(parts, parts.at(0).axes.size() > 1 ? 1 : 0)};
  };
  ops["vstack"] = [](const Call& call) -> Tensors {
    return {call.algebra().cat(call.tensors("tensors"), 0)};
  };
}

}  // namespace nngpcheck::importer
