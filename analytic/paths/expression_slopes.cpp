#include "nngpcheck/analytic/paths/expression_slopes.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace nngpcheck::analytic {

namespace {

using netsor::Operator;

/// Whether the tree of node k shows so, where `positive` says of the nodes before which are above 0.
bool not_below_zero(std::span<const netsor::Expression::Node> nodes, const std::vector<bool>& positive,
                    std::size_t k) {
  const netsor::Expression::Node& node = nodes[k];
  const auto argument = [&](std::size_t place) -> const netsor::Expression::Node& {
    return nodes[node.arguments[place]];
  };
  const bool even = node.op == Operator::power && argument(1).op == Operator::constant &&
                    std::fmod(argument(1).value, 2) == 0;
  const bool squared = node.op == Operator::multiply && node.arguments[0] == node.arguments[1];
  return positive[k] || even || squared || node.op == Operator::abs || node.op == Operator::relu;
}

/// Of each node, whether its tree shows that it is above 0.
std::vector<bool> positive_nodes(std::span<const netsor::Expression::Node> nodes) {
  std::vector<bool> result;
  for (const netsor::Expression::Node& node : nodes) {
    const auto argument = [&](std::size_t k) { return result[node.arguments[k]]; };
    switch (node.op) {
      case Operator::constant:
        result.push_back(node.value > 0);
        break;
      case Operator::exp:
      case Operator::cosh:
      case Operator::sigmoid:
      case Operator::softplus:
        result.push_back(true);
        break;
      case Operator::sqrt:
        result.push_back(argument(0));
        break;
      case Operator::add: {
        // Something above 0 and something that is not below: x² + 1.
        const auto not_below = [&](std::size_t k) {
          return not_below_zero(nodes, result, node.arguments[k]);
        };
        result.push_back((argument(0) && not_below(1)) || (argument(1) && not_below(0)));
        break;
      }
      case Operator::multiply:
      case Operator::divide:
        result.push_back(argument(0) && argument(1));
        break;
      case Operator::power:
        result.push_back(argument(0));
        break;
      case Operator::maximum:
        result.push_back(argument(0) || argument(1));
        break;
      case Operator::minimum:
        result.push_back(argument(0) && argument(1));
        break;
      default:
        result.push_back(false);
    }
  }
  return result;
}

/// ∂f/∂a and ∂f/∂b of an operator, with its value f.
struct Slopes {
  double first = 0, second = 0;
};

/// Nothing of an operator that may jump.
std::optional<Slopes> slopes(Operator op, double a, double b, double f) {
  switch (op) {
    case Operator::constant:
    case Operator::variable:
      return Slopes{};
    case Operator::negate:
      return Slopes{-1};
    case Operator::abs:
      return Slopes{a < 0 ? -1.0 : 1.0};
    case Operator::relu:
      return Slopes{a > 0 ? 1.0 : 0.0};
    case Operator::sqrt:
      return Slopes{0.5 / f};
    case Operator::cbrt:
      return Slopes{1 / (3 * f * f)};
    case Operator::exp:
      return Slopes{f};
    case Operator::expm1:
      return Slopes{f + 1};
    case Operator::log:
      return Slopes{1 / a};
    case Operator::log1p:
      return Slopes{1 / (1 + a)};
    case Operator::log2:
      return Slopes{std::numbers::log2e / a};
    case Operator::log10:
      return Slopes{std::numbers::log10e / a};
    case Operator::sin:
      return Slopes{std::cos(a)};
    case Operator::cos:
      return Slopes{-std::sin(a)};
    case Operator::tan:
      return Slopes{1 + f * f};
    case Operator::asin:
      return Slopes{1 / std::sqrt(1 - a * a)};
    case Operator::acos:
      return Slopes{-1 / std::sqrt(1 - a * a)};
    case Operator::atan:
      return Slopes{1 / (1 + a * a)};
    case Operator::sinh:
      return Slopes{std::cosh(a)};
    case Operator::cosh:
      return Slopes{std::sinh(a)};
    case Operator::tanh:
      return Slopes{1 / (std::cosh(a) * std::cosh(a))};
    case Operator::asinh:
      return Slopes{1 / std::sqrt(a * a + 1)};
    case Operator::acosh:
      return Slopes{1 / std::sqrt(a * a - 1)};
    case Operator::atanh:
      return Slopes{1 / (1 - a * a)};
    case Operator::erf:
      return Slopes{2 * std::numbers::inv_sqrtpi * std::exp(-a * a)};
    case Operator::erfc:
      return Slopes{-2 * std::numbers::inv_sqrtpi * std::exp(-a * a)};
    case Operator::sigmoid:
      return Slopes{1 / ((1 + std::exp(-a)) * (1 + std::exp(a)))};
    case Operator::softplus:
      return Slopes{1 / (1 + std::exp(-a))};
    case Operator::add:
      return Slopes{1, 1};
    case Operator::subtract:
      return Slopes{1, -1};
    case Operator::multiply:
      return Slopes{b, a};
    case Operator::divide:
      return Slopes{1 / b, -f / b};
    case Operator::power:
      return Slopes{b == 0 ? 0 : b * std::pow(a, b - 1), a == 0 ? 0 : f * std::log(a)};
    case Operator::minimum:
      return Slopes{a < b ? 1.0 : 0.0, a < b ? 0.0 : 1.0};
    case Operator::maximum:
      return Slopes{a > b ? 1.0 : 0.0, a > b ? 0.0 : 1.0};
    case Operator::logical_not:
    case Operator::sign:
    case Operator::floor:
    case Operator::ceil:
    case Operator::rint:
    case Operator::trunc:
    case Operator::atan2:
    case Operator::less:
    case Operator::less_equal:
    case Operator::greater:
    case Operator::greater_equal:
    case Operator::equal:
    case Operator::not_equal:
    case Operator::logical_and:
    case Operator::logical_or:
    case Operator::select:
      return {};
  }
  return {};
}

/// Whether what a node does to its arguments is continuous, or goes to infinity so fast that nothing has an
/// expectation across: x/|x| jumps; of log|x| and |x|^-0.3 the derivative has no integral. A variable that
/// stands alone in a logarithm or a power is in its domain.
bool is_tame(std::span<const netsor::Expression::Node> nodes, const std::vector<bool>& positive,
             std::size_t k) {
  const netsor::Expression::Node& node = nodes[k];
  const auto constant = [&](std::size_t argument) {
    return nodes[node.arguments[argument]].op == Operator::constant;
  };
  const auto inside = [&](std::size_t argument) {
    return positive[node.arguments[argument]] || nodes[node.arguments[argument]].op == Operator::variable;
  };
  switch (node.op) {
    case Operator::divide:
      return constant(0) || constant(1) || positive[node.arguments[1]];
    case Operator::log:
    case Operator::log2:
    case Operator::log10:
      return inside(0);
    case Operator::log1p:
      return inside(0) || not_below_zero(nodes, positive, node.arguments[0]);
    case Operator::power:
      return inside(0) || (constant(1) && nodes[node.arguments[1]].value >= 0);
    default:
      return true;
  }
}

}  // namespace

ExpressionSlopes::ExpressionSlopes(const netsor::Expression& expression)
    : expression_(expression), values_(expression.nodes().size()), adjoints_(expression.nodes().size()) {}

std::optional<ExpressionSlopes> ExpressionSlopes::of(const netsor::Expression& expression) {
  const auto nodes = expression.nodes();
  const std::vector<bool> positive = positive_nodes(nodes);
  for (std::size_t k = 0; k < nodes.size(); ++k) {
    if (!slopes(nodes[k].op, 1, 1, 1) || !is_tame(nodes, positive, k)) return {};
  }
  return ExpressionSlopes(expression);
}

void ExpressionSlopes::gradient(std::span<const double> variables, std::span<double> result) {
  const auto nodes = expression_.nodes();
  expression_.evaluate(variables, values_);
  std::fill(adjoints_.begin(), adjoints_.end(), 0);
  std::fill(result.begin(), result.end(), 0);
  adjoints_.back() = 1;
  for (std::size_t k = nodes.size(); k-- > 0;) {
    const netsor::Expression::Node& node = nodes[k];
    const double adjoint = adjoints_[k];
    if (adjoint == 0) continue;
    const std::size_t first = node.arguments[0], second = node.arguments[1];
    if (node.op == Operator::variable) result[node.variable] += adjoint;
    const int arity = netsor::arity(node.op);
    if (arity == 0) continue;
    const auto [left, right] =
        slopes(node.op, values_[first], arity == 2 ? values_[second] : 0, values_[k]).value();
    // A constant exponent has no derivative to be asked for, such as that of (-1)^2.
    if (left != 0) adjoints_[first] += adjoint * left;
    if (arity == 2 && nodes[second].op != Operator::constant) adjoints_[second] += adjoint * right;
  }
}

}  // namespace nngpcheck::analytic
