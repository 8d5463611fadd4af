#include "nngpcheck/analytic/paths/pointwise.hpp"

#include <cmath>
#include <numbers>

#include "nngpcheck/analytic/gaussian/normal.hpp"
#include "nngpcheck/analytic/gaussian/scalar_activation.hpp"
#include "nngpcheck/analytic/paths/expression_slopes.hpp"
#include "nngpcheck/netsor/passes/traits.hpp"
#include "nngpcheck/netsor/program.hpp"

namespace nngpcheck::analytic {

namespace {

using Eigen::ArrayXd;
using Kind = netsor::Activation::Kind;

using Partials = std::optional<std::vector<ArrayXd>>;

/// φ'(x) of a function without jumps.
using Derivative = double (*)(double x);

Derivative derivative_of(Kind kind) {
  switch (kind) {
    case Kind::erf:
      return [](double x) { return 2 * std::numbers::inv_sqrtpi * std::exp(-x * x); };
    case Kind::erf_sigmoid:
      return [](double x) { return std::numbers::inv_sqrtpi * std::exp(-x * x); };
    case Kind::sigmoid:
      return [](double x) { return 1 / ((1 + std::exp(-x)) * (1 + std::exp(x))); };
    case Kind::tanh:
      return [](double x) { return 1 / (std::cosh(x) * std::cosh(x)); };
    case Kind::hardtanh:
      return [](double x) { return std::abs(x) < 1 ? 1.0 : 0.0; };
    case Kind::gelu:
      return [](double x) { return normal_cdf(x) + x * normal_density(x); };
    case Kind::silu:
      return [](double x) { return 1 / (1 + std::exp(-x)) + x / ((1 + std::exp(-x)) * (1 + std::exp(x))); };
    case Kind::softplus:
      return [](double x) { return 1 / (1 + std::exp(-x)); };
    case Kind::elu:
      return [](double x) { return x < 0 ? std::exp(x) : 1.0; };
    case Kind::sin:
      return [](double x) { return std::cos(x); };
    case Kind::cos:
      return [](double x) { return -std::sin(x); };
    case Kind::exp:
      return [](double x) { return std::exp(x); };
    case Kind::gaussian:
      return [](double x) { return -2 * x * std::exp(-x * x); };
    case Kind::identity:
    case Kind::relu:
    case Kind::leaky_relu:
    case Kind::abs:
    case Kind::step:
    case Kind::sign:
    case Kind::square:
    case Kind::relu_squared:
    case Kind::power:
    case Kind::rectified_power:  // homogeneous: `derivative`
    case Kind::expression:
    case Kind::custom:
      return nullptr;
  }
  return nullptr;
}

std::optional<ArrayXd> derivative(const netsor::Expression& phi, const ArrayXd& x) {
  auto slopes = ExpressionSlopes::of(phi);
  if (!slopes) return {};
  return x.unaryExpr([&](double element) {
    double result = 0;
    slopes->gradient({&element, 1}, {&result, 1});
    return result;
  });
}

std::optional<ArrayXd> derivative(const netsor::Activation& phi, const ArrayXd& x) {
  if (const auto form = homogeneous_form(phi)) {
    if (form->power == 0) return {};
    const int rest = form->power - 1;
    return x.unaryExpr([&](double element) {
      const double slope = element > 0 ? form->positive : -form->negative;
      return form->power * slope * integer_power(std::abs(element), rest);
    });
  }
  if (phi.kind() == Kind::expression) return derivative(phi.expression(), x);
  const Derivative slope = derivative_of(phi.kind());
  if (!slope) return {};
  return x.unaryExpr(slope);
}

// ---- Of each instruction: its value and its partial derivatives. ----

// The exponential is vectorised; its absolute rounding is far below any sampling error.
ArrayXd value(const netsor::Map& op, const Arguments& x) {
  const netsor::Activation& phi = op.activation;
  if (phi.kind() == Kind::tanh) return 1 - 2 / ((2 * *x[0]).exp() + 1);
  if (phi.kind() == Kind::sigmoid) return 1 / (1 + (-*x[0]).exp());
  return x[0]->unaryExpr([&](double element) { return evaluate(phi, element); });
}

Partials partials(const netsor::Map& op, const Arguments& x) {
  const std::optional<ArrayXd> slope = derivative(op.activation, *x[0]);
  if (!slope) return {};
  return std::vector{*slope};
}

ArrayXd value(const netsor::Mul&, const Arguments& x) { return *x[0] * *x[1]; }

Partials partials(const netsor::Mul&, const Arguments& x) { return {{*x[1], *x[0]}}; }

ArrayXd value(const netsor::Max&, const Arguments& x) { return x[0]->max(*x[1]); }

Partials partials(const netsor::Max&, const Arguments& x) {
  const ArrayXd first = (*x[0] > *x[1]).cast<double>();
  return {{first, 1 - first}};
}

ArrayXd value(const netsor::Nonlin& op, const Arguments& x) {
  std::vector<double> point(x.size());
  return ArrayXd::NullaryExpr(x[0]->size(), [&](Eigen::Index path) {
    for (std::size_t k = 0; k < point.size(); ++k) point[k] = (*x[k])[path];
    return op.function(point);
  });
}

Partials partials(const netsor::Nonlin& op, const Arguments& x) {
  const auto& expression = op.function.expression();
  auto slopes = expression ? ExpressionSlopes::of(*expression) : std::nullopt;
  if (!slopes) return {};
  std::vector<ArrayXd> result(x.size(), ArrayXd(x[0]->size()));
  std::vector<double> point(x.size()), gradient(x.size());
  for (Eigen::Index path = 0; path < x[0]->size(); ++path) {
    for (std::size_t k = 0; k < point.size(); ++k) point[k] = (*x[k])[path];
    slopes->gradient(point, gradient);
    for (std::size_t k = 0; k < point.size(); ++k) result[k][path] = gradient[k];
  }
  return result;
}

}  // namespace

ArrayXd pointwise(const netsor::Operation& operation, const Arguments& x) {
  return netsor::visit<netsor::Form::pointwise>([&](const auto& op) { return value(op, x); }, operation);
}

std::optional<std::vector<ArrayXd>> partial_derivatives(const netsor::Operation& operation,
                                                        const Arguments& x) {
  return netsor::visit<netsor::Form::pointwise>([&](const auto& op) { return partials(op, x); }, operation);
}

bool has_derivatives(const netsor::Operation& operation) {
  const ArrayXd somewhere = ArrayXd::Ones(1);
  const Arguments x(netsor::bundle_operands(operation).size(), &somewhere);
  return partial_derivatives(operation, x).has_value();
}

}  // namespace nngpcheck::analytic
