#include "nngpcheck/analytic/paths/expression_slopes.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace nngpcheck::analytic {

namespace {

using netsor::Operator;

bool may_jump(Operator op) {
  switch (op) {
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
      return true;
    default:
      return false;
  }
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
          const netsor::Expression::Node& part = nodes[node.arguments[k]];
          const bool even = part.op == Operator::power && nodes[part.arguments[1]].op == Operator::constant &&
                            std::fmod(nodes[part.arguments[1]].value, 2) == 0;
          const bool squared = part.op == Operator::multiply && part.arguments[0] == part.arguments[1];
          return argument(k) || even || squared || part.op == Operator::abs || part.op == Operator::relu;
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

/// x/|x| jumps; 1/x has a pole, across which nothing has an expectation.
bool quotients_are_continuous(std::span<const netsor::Expression::Node> nodes) {
  const std::vector<bool> positive = positive_nodes(nodes);
  return std::all_of(nodes.begin(), nodes.end(), [&](const netsor::Expression::Node& node) {
    return node.op != Operator::divide || nodes[node.arguments[0]].op == Operator::constant ||
           nodes[node.arguments[1]].op == Operator::constant || positive[node.arguments[1]];
  });
}

/// f'(a) of a function of one variable, with its value f.
double slope(Operator op, double a, double f) {
  switch (op) {
    case Operator::negate:
      return -1;
    case Operator::abs:
      return a < 0 ? -1 : 1;
    case Operator::relu:
      return a > 0 ? 1 : 0;
    case Operator::sqrt:
      return 0.5 / f;
    case Operator::cbrt:
      return 1 / (3 * f * f);
    case Operator::exp:
      return f;
    case Operator::expm1:
      return f + 1;
    case Operator::log:
      return 1 / a;
    case Operator::log1p:
      return 1 / (1 + a);
    case Operator::log2:
      return std::numbers::log2e / a;
    case Operator::log10:
      return std::numbers::log10e / a;
    case Operator::sin:
      return std::cos(a);
    case Operator::cos:
      return -std::sin(a);
    case Operator::tan:
      return 1 + f * f;
    case Operator::asin:
      return 1 / std::sqrt(1 - a * a);
    case Operator::acos:
      return -1 / std::sqrt(1 - a * a);
    case Operator::atan:
      return 1 / (1 + a * a);
    case Operator::sinh:
      return std::cosh(a);
    case Operator::cosh:
      return std::sinh(a);
    case Operator::tanh:
      return 1 / (std::cosh(a) * std::cosh(a));
    case Operator::asinh:
      return 1 / std::sqrt(a * a + 1);
    case Operator::acosh:
      return 1 / std::sqrt(a * a - 1);
    case Operator::atanh:
      return 1 / (1 - a * a);
    case Operator::erf:
      return 2 * std::numbers::inv_sqrtpi * std::exp(-a * a);
    case Operator::erfc:
      return -2 * std::numbers::inv_sqrtpi * std::exp(-a * a);
    case Operator::sigmoid:
      return 1 / ((1 + std::exp(-a)) * (1 + std::exp(a)));
    case Operator::softplus:
      return 1 / (1 + std::exp(-a));
    default:
      return 0;
  }
}

/// ∂f/∂a and ∂f/∂b of a function of two.
std::pair<double, double> slopes(Operator op, double a, double b, double f) {
  switch (op) {
    case Operator::add:
      return {1, 1};
    case Operator::subtract:
      return {1, -1};
    case Operator::multiply:
      return {b, a};
    case Operator::divide:
      return {1 / b, -f / b};
    case Operator::power:
      return {b == 0 ? 0 : b * std::pow(a, b - 1), a == 0 ? 0 : f * std::log(a)};
    case Operator::minimum:
      return {a < b ? 1 : 0, a < b ? 0 : 1};
    case Operator::maximum:
      return {a > b ? 1 : 0, a > b ? 0 : 1};
    default:
      return {0, 0};
  }
}

}  // namespace

ExpressionSlopes::ExpressionSlopes(const netsor::Expression& expression)
    : expression_(expression), values_(expression.nodes().size()), adjoints_(expression.nodes().size()) {}

std::optional<ExpressionSlopes> ExpressionSlopes::of(const netsor::Expression& expression) {
  const auto nodes = expression.nodes();
  if (std::any_of(nodes.begin(), nodes.end(), [](const auto& node) { return may_jump(node.op); })) return {};
  if (!quotients_are_continuous(nodes)) return {};
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
    if (netsor::arity(node.op) == 1) adjoints_[first] += adjoint * slope(node.op, values_[first], values_[k]);
    if (netsor::arity(node.op) != 2) continue;
    const auto [left, right] = slopes(node.op, values_[first], values_[second], values_[k]);
    // A constant exponent has no derivative to be asked for, such as that of (-1)^2.
    if (left != 0) adjoints_[first] += adjoint * left;
    if (nodes[second].op != Operator::constant) adjoints_[second] += adjoint * right;
  }
}

}  // namespace nngpcheck::analytic
