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

Tensors cummax(const Call& call, double sign) {
  Algebra& a = call.algebra();
  return cumulative(call, [&](const Tensor& x, const Tensor& y) {
    return a.scaled(a.maximum(a.scaled(x, sign), a.scaled(y, sign)), sign);
  });
}

/// Distances of the rows of x to those of y: (…, p, m), (…, r, m) → (…, p, r).
Tensor distances(const Call& call, const Tensor& x, const Tensor& y, double p) {
  Algebra& a = call.algebra();
  const Tensor difference = a.add(a.unsqueeze(x, -2), a.unsqueeze(y, -3), constant_values(-1));
  const std::vector<std::size_t> last = {difference.axes.size() - 1};
  if (p == 1) return a.sum(a.map("abs", difference), last, false);
  if (p != 2) throw Refusal{"reject", "argument:" + call.name(), "distances of another order than 1 and 2"};
  return a.sqrt(a.sum(a.multiply(difference, difference), last, false));
}

Tensors cdist(const Call& call) {
  return {distances(call, call.tensor("x1"), call.tensor("x2"), call.given("p") ? call.fixed("p") : 2)};
}

/// |x − y + ε| along the last axis.
Tensors pairwise_distance(const Call& call) {
  Algebra& a = call.algebra();
  const double epsilon = call.given("eps") ? call.fixed("eps") : 1e-6;
  const Tensor x = a.add(call.tensor("x1"), Algebra::scalar(constant_values(epsilon)));
  const Tensor result = distances(call, a.unsqueeze(x, -2), a.unsqueeze(call.tensor("x2"), -2),
                                  call.given("p") ? call.fixed("p") : 2);
  return {call.given("keepdim") && call.flag("keepdim") ? a.squeeze(result, -1)
                                                        : a.squeeze(a.squeeze(result, -1), -1)};
}

/// Differences of neighbours, n times.
Tensors diff(const Call& call) {
  Algebra& a = call.algebra();
  Tensor x = call.tensor("self");
  const std::int64_t axis = call.given("dim") ? call.integer("dim") : -1;
  for (std::int64_t k = 0; k < call.optional_integer("n").value_or(1); ++k) {
    std::vector<std::int64_t> here;
    for (std::int64_t p = 0; p + 1 < slots(x.axes[Algebra::axis_number(x, axis)]); ++p) here.push_back(p);
    std::vector<std::int64_t> next = here;
    for (std::int64_t& p : next) ++p;
    x = a.add(a.take(x, axis, next), a.take(x, axis, here), constant_values(-1));
  }
  return {x};
}

/// x + α·(a product), as addmm has it.
Tensors plus_product(const Call& call, const Tensor& product) {
  Algebra& a = call.algebra();
  return {a.add(a.scaled(product, call.given("alpha") ? call.number("alpha") : constant_values(1)),
                call.tensor("self"), call.given("beta") ? call.number("beta") : constant_values(1))};
}

/// Each position, or coordinate, so many times one after the other.
Tensors repeat_interleave(const Call& call) {
  Algebra& a = call.algebra();
  Tensor x = call.tensor("self");
  if (!call.given("dim")) x = a.view(x, {{-1, -1, -1}});
  const std::size_t axis = call.given("dim") ? Algebra::axis_number(x, call.integer("dim")) : 0;
  x = a.unsqueeze(x, static_cast<std::int64_t>(axis) + 1);
  std::vector<Size> sizes(x.axes.size(), Size{-1, -1, -1});
  sizes[axis + 1] = call.size("repeats");
  return {a.merge(a.expand(x, sizes, call.name()), axis, axis + 1)};
}

Tensors cross(const Call& call) {
  Algebra& a = call.algebra();
  const Tensor &x = call.tensor("self"), &y = call.tensor("other");
  const std::int64_t axis = call.given("dim") ? call.integer("dim") : -1;
  const auto rolled = [&](const Tensor& t, std::int64_t by) {
    return a.take(t, axis, {by % 3, (by + 1) % 3, (by + 2) % 3});
  };
  return {a.add(a.multiply(rolled(x, 1), rolled(y, 2)), a.multiply(rolled(x, 2), rolled(y, 1)),
                constant_values(-1))};
}

/// Random numbers that are drawn for each input.
Tensors drawn(const Call&) {
  throw Refusal{"outside", "random_forward", "the network draws random numbers for each input"};
}

}  // namespace

void add_composed_operators(Operators& ops) {
  ops["cosine_similarity"] = cosine_similarity;
  ops["logsumexp"] = logsumexp;
  ops["var_mean.dim"] = ops["var_mean.correction"] = var_mean;
  ops["cumprod"] = cumprod;
  ops["cummax"] = [](const Call& call) { return cummax(call, 1); };
  ops["cummin"] = [](const Call& call) { return cummax(call, -1); };
  ops["cdist"] = ops["_cdist_forward"] = cdist;
  ops["pairwise_distance"] = pairwise_distance;
  ops["diff"] = diff;
  ops["repeat_interleave.self_int"] = repeat_interleave;
  ops["cross"] = ops["linalg_cross"] = cross;
  ops["addmv"] = [](const Call& call) {
    return plus_product(call, call.algebra().einsum("ab", "b", "a", call.tensor("mat"), call.tensor("vec")));
  };
  ops["addr"] = [](const Call& call) {
    return plus_product(call,
                        call.algebra().einsum("a", "b", "ab", call.tensor("vec1"), call.tensor("vec2")));
  };
  ops["addbmm"] = [](const Call& call) {
    return plus_product(
        call, call.algebra().einsum("bij", "bjk", "ik", call.tensor("batch1"), call.tensor("batch2")));
  };
  for (const char* name : {"rand", "randn", "rand_like", "randn_like", "normal_functional",
                           "normal.float_float", "normal.Tensor_Tensor", "bernoulli", "bernoulli.p",
                           "exponential", "uniform", "randint", "randint.low", "randperm", "multinomial"})
    ops[name] = drawn;
  ops["cumsum"] = cumsum;
  ops["rrelu"] = rrelu;
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
