#include "nngpcheck/analytic/gaussian/scalar_activation.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace nngpcheck::analytic {

using Kind = netsor::Activation::Kind;

double integer_power(double x, int power) {
  double result = 1;
  for (double square = x; power > 0; power >>= 1, square *= square) {
    if (power & 1) result *= square;
  }
  return result;
}

namespace {

constexpr double reach = 40;

double logistic(double x) {
  const double decay = std::exp(-std::abs(x));
  return (x >= 0 ? 1 : decay) / (1 + decay);
}

}  // namespace

double evaluate(const netsor::Activation& phi, double x) {
  switch (phi.kind()) {
    case Kind::identity:
      return x;
    case Kind::relu:
      return std::max(x, 0.0);
    case Kind::leaky_relu:
      return x < 0 ? phi.parameter() * x : x;
    case Kind::abs:
      return std::abs(x);
    case Kind::step:
      return x > 0 ? 1 : 0;
    case Kind::sign:
      return (x > 0) - (x < 0);
    case Kind::square:
      return x * x;
    case Kind::relu_squared:
      return x > 0 ? x * x : 0;
    case Kind::power:
      return integer_power(x, static_cast<int>(phi.parameter()));
    case Kind::rectified_power:
      return integer_power(std::max(x, 0.0), static_cast<int>(phi.parameter()));
    case Kind::erf:
      return std::erf(x);
    case Kind::erf_sigmoid:
      return 0.5 * std::erfc(-x);
    case Kind::sigmoid:
      return logistic(x);
    case Kind::tanh:
      return std::tanh(x);
    case Kind::hardtanh:
      return std::clamp(x, -1.0, 1.0);
    case Kind::gelu:
      return 0.5 * x * std::erfc(-x / std::numbers::sqrt2);
    case Kind::silu:
      return x * logistic(x);
    case Kind::softplus:
      return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
    case Kind::elu:
      return x < 0 ? std::expm1(x) : x;
    case Kind::sin:
      return std::sin(x);
    case Kind::cos:
      return std::cos(x);
    case Kind::exp:
      return std::exp(x);
    case Kind::gaussian:
      return std::exp(-x * x);
    case Kind::expression:
      return phi.expression()(x);
    case Kind::custom:
      return phi.function()(x);
  }
  return 0;
}

std::optional<HomogeneousForm> homogeneous_form(const netsor::Activation& phi) {
  const int power = static_cast<int>(phi.parameter());
  switch (phi.kind()) {
    case Kind::identity:
      return HomogeneousForm{1, -1, 1};
    case Kind::relu:
      return HomogeneousForm{1, 0, 1};
    case Kind::leaky_relu:
      return HomogeneousForm{1, -phi.parameter(), 1};
    case Kind::abs:
      return HomogeneousForm{1, 1, 1};
    case Kind::step:
      return HomogeneousForm{1, 0, 0};
    case Kind::sign:
      return HomogeneousForm{1, -1, 0};
    case Kind::square:
      return HomogeneousForm{1, 1, 2};
    case Kind::relu_squared:
      return HomogeneousForm{1, 0, 2};
    case Kind::power:
      return HomogeneousForm{1, power % 2 == 0 ? 1.0 : -1.0, power};
    case Kind::rectified_power:
      return HomogeneousForm{1, 0, power};
    default:
      return {};
  }
}

bool is_monomial(const HomogeneousForm& form) {
  return form.power >= 1 && form.negative == (form.power % 2 == 0 ? form.positive : -form.positive);
}

}  // namespace nngpcheck::analytic
