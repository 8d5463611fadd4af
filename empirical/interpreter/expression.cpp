#include "nngpcheck/empirical/interpreter/expression.hpp"

#include <algorithm>
#include <span>
#include <vector>

namespace nngpcheck::empirical {

namespace {

using netsor::Expression;
using netsor::Operator;

// Entries at a time, a multiple of `vector_multiple`: intermediate values stay in the cache and take no
// memory that grows with the width.
constexpr std::int64_t chunk = 8192;

/// Comparisons are 1 or 0 in the precision of their operands.
at::Tensor number(const at::Tensor& truth, const at::Tensor& like) { return truth.to(like.scalar_type()); }

at::Tensor apply_one(Operator op, const at::Tensor& a) {
  switch (op) {
    case Operator::negate:
      return at::neg(a);
    case Operator::logical_not:
      return number(a.eq(0), a);
    case Operator::abs:
      return at::abs(a);
    case Operator::sign:
      return at::sign(a);
    case Operator::floor:
      return at::floor(a);
    case Operator::ceil:
      return at::ceil(a);
    case Operator::rint:
      return at::round(a);
    case Operator::trunc:
      return at::trunc(a);
    case Operator::relu:
      return at::clamp_min(a, 0);
    case Operator::sqrt:
      return at::sqrt(a);
    case Operator::cbrt:
      return at::sign(a).mul_(at::abs(a).pow_(1.0 / 3));
    case Operator::exp:
      return at::exp(a);
    case Operator::expm1:
      return at::expm1(a);
    case Operator::log:
      return at::log(a);
    case Operator::log1p:
      return at::log1p(a);
    case Operator::log2:
      return at::log2(a);
    case Operator::log10:
      return at::log10(a);
    case Operator::sin:
      return at::sin(a);
    case Operator::cos:
      return at::cos(a);
    case Operator::tan:
      return at::tan(a);
    case Operator::asin:
      return at::asin(a);
    case Operator::acos:
      return at::acos(a);
    case Operator::atan:
      return at::atan(a);
    case Operator::sinh:
      return at::sinh(a);
    case Operator::cosh:
      return at::cosh(a);
    case Operator::tanh:
      return at::tanh(a);
    case Operator::asinh:
      return at::asinh(a);
    case Operator::acosh:
      return at::acosh(a);
    case Operator::atanh:
      return at::atanh(a);
    case Operator::erf:
      return at::erf(a);
    case Operator::erfc:
      return at::erfc(a);
    case Operator::sigmoid:
      return at::sigmoid(a);
    case Operator::softplus:  // at::softplus is x beyond 20
      return at::abs(a).neg_().exp_().log1p_().add_(at::clamp_min(a, 0));
    default:
      return a;
  }
}

at::Tensor apply_two(Operator op, const at::Tensor& a, const at::Tensor& b) {
  switch (op) {
    case Operator::add:
      return at::add(a, b);
    case Operator::subtract:
      return at::sub(a, b);
    case Operator::multiply:
      return at::mul(a, b);
    case Operator::divide:
      return at::div(a, b);
    case Operator::power:
      return at::pow(a, b);
    case Operator::atan2:
      return at::atan2(a, b);
    case Operator::minimum:
      return at::minimum(a, b);
    case Operator::maximum:
      return at::maximum(a, b);
    case Operator::less:
      return number(a.lt(b), a);
    case Operator::less_equal:
      return number(a.le(b), a);
    case Operator::greater:
      return number(a.gt(b), a);
    case Operator::greater_equal:
      return number(a.ge(b), a);
    case Operator::equal:
      return number(a.eq(b), a);
    case Operator::not_equal:
      return number(a.ne(b), a);
    case Operator::logical_and:
      return number(at::logical_and(a, b), a);
    case Operator::logical_or:
      return number(at::logical_or(a, b), a);
    default:
      return a;
  }
}

/// Constants are filled tensors, so that every operation rounds as it does between variables.
at::Tensor evaluate(std::span<const Expression::Node> nodes, const std::vector<at::Tensor>& x) {
  std::vector<at::Tensor> values(nodes.size());
  for (std::size_t k = 0; k < nodes.size(); ++k) {
    const Expression::Node& node = nodes[k];
    const auto argument = [&](int i) -> const at::Tensor& { return values[node.arguments[i]]; };
    if (node.op == Operator::constant) {
      values[k] = at::full_like(x[0], node.value);
    } else if (node.op == Operator::variable) {
      values[k] = x[node.variable];
    } else if (node.op == Operator::select) {
      values[k] = at::where(argument(0).ne(0), argument(1), argument(2));
    } else if (netsor::arity(node.op) == 1) {
      values[k] = apply_one(node.op, argument(0));
    } else {
      values[k] = apply_two(node.op, argument(0), argument(1));
    }
  }
  return values.back();
}

}  // namespace

void apply_expression(const Expression& f, std::span<const at::Tensor> x, at::Tensor& y) {
  std::vector<at::Tensor> from;
  for (const at::Tensor& one : x) from.push_back(one.contiguous().view({-1}));
  at::Tensor to = y.is_contiguous() ? y.view({-1}) : at::empty_like(from[0]);
  for (std::int64_t first = 0; first < to.numel(); first += chunk) {
    const std::int64_t count = std::min(chunk, to.numel() - first);
    std::vector<at::Tensor> part;
    for (const at::Tensor& one : from) part.push_back(one.narrow(0, first, count));
    to.narrow(0, first, count).copy_(evaluate(f.nodes(), part));
  }
  if (!y.is_contiguous()) y.copy_(to.view(y.sizes()));
}

}  // namespace nngpcheck::empirical
