#include "analytic/gaussian_smoothing.hpp"

#include <boost/math/quadrature/gauss.hpp>
#include <cmath>
#include <numbers>
#include <vector>

#include "analytic/normal.hpp"
#include "analytic/scalar_activation.hpp"

namespace nngpcheck::analytic {

namespace {

using Kind = netsor::Activation::Kind;
using std::numbers::pi;
using std::numbers::sqrt2;

/// E[((m + s z)₊)^p] by R_p = m R_{p-1} + (p-1) s² R_{p-2}.
double rectified_moment(double m, double s, int power) {
  const double z = m / s;
  double previous = normal_cdf(z);
  if (power == 0) return previous;
  double moment = m * previous + s * normal_density(z);
  for (int p = 2; p <= power; ++p) {
    const double next = m * moment + (p - 1) * s * s * previous;
    previous = moment;
    moment = next;
  }
  return moment;
}

double monomial_moment(double m, double s, int power) {
  double previous = 1;
  double moment = m;
  for (int p = 2; p <= power; ++p) {
    const double next = m * moment + (p - 1) * s * s * previous;
    previous = moment;
    moment = next;
  }
  return moment;
}

double smoothed_homogeneous(const HomogeneousForm& form, double m, double s) {
  if (is_monomial(form)) return form.positive * monomial_moment(m, s, form.power);
  if (form.power == 0 && form.negative == -form.positive) return form.positive * std::erf(m / (s * sqrt2));
  double result = 0;
  if (form.positive != 0) result += form.positive * rectified_moment(m, s, form.power);
  if (form.negative != 0) result += form.negative * rectified_moment(-m, s, form.power);
  return result;
}

struct MixtureNode {
  double scale_squared;  // λ²
  double weight;
};

/// Kolmogorov's density k(x) = 8x Σ_j (-1)^{j-1} j² e^{-2j²x²}, or for small x its theta transform
/// √(2π)/x² Σ_{j odd} ((jπ)²/(4x²) - 1) e^{-(jπ)²/(8x²)}.
double kolmogorov_density(double x) {
  double sum = 0;
  if (x > 1) {
    for (int j = 1; j <= 6; ++j) sum += (j % 2 == 1 ? 1 : -1) * j * j * std::exp(-2.0 * j * j * x * x);
    return 8 * x * sum;
  }
  for (int j = 1; j <= 11; j += 2) {
    const double term = j * j * pi * pi / (4 * x * x);
    sum += (term - 1) * std::exp(-term / 2);
  }
  return std::sqrt(2 * pi) / (x * x) * sum;
}

const std::vector<MixtureNode>& logistic_mixture() {
  static const std::vector<MixtureNode> nodes = [] {
    constexpr double step = 0.1;
    std::vector<MixtureNode> result;
    for (int k = -19; k <= 15; ++k) {
      const double x = std::exp(k * step);
      result.push_back({4 * x * x, step * x * kolmogorov_density(x)});
    }
    double total = 0;
    for (const MixtureNode& node : result) total += node.weight;
    for (MixtureNode& node : result) node.weight /= total;
    return result;
  }();
  return nodes;
}

/// Σ over the mixture of g(√(λ² + s²)).
template <class Function>
double mix(double s, const Function& g) {
  double sum = 0;
  for (const MixtureNode& node : logistic_mixture())
    sum += node.weight * g(std::sqrt(node.scale_squared + s * s));
  return sum;
}

double smoothed_hardtanh(double m, double s) {
  if (s >= 1) {  // ½ ∫ erf((m + t)/(s√2)) dt over (-1, 1): no cancellation, however large s
    return 0.5 * boost::math::quadrature::gauss<double, 15>::integrate(
                     [m, s](double t) { return std::erf((m + t) / (s * sqrt2)); }, -1.0, 1.0);
  }
  if (m > 0.5) return 1 - rectified_moment(1 - m, s, 1) + rectified_moment(-1 - m, s, 1);
  if (m < -0.5) return -1 + rectified_moment(1 + m, s, 1) - rectified_moment(m - 1, s, 1);
  return m - rectified_moment(m - 1, s, 1) + rectified_moment(-m - 1, s, 1);
}

/// E[(e^x - 1) 1{x < 0}].
double smoothed_negative_elu(double m, double s) {
  if (std::abs(m) + 8 * s < 1) {  // the terms below would cancel
    double sum = 0;
    double factor = 1;
    for (int k = 1; k <= 16; ++k) {
      factor *= -1.0 / k;
      sum += factor * rectified_moment(-m, s, k);
    }
    return sum;
  }
  const double z = m / s;
  const double lower = z + s;
  const double tilted = lower > 0 ? 0.5 * std::exp(-0.5 * z * z) * scaled_erfc(lower / sqrt2)
                                  : std::exp(m + 0.5 * s * s) * normal_cdf(-lower);
  return tilted - normal_cdf(-z);
}

}  // namespace

bool has_smoothed(const netsor::Activation& phi) {
  return phi.kind() != Kind::custom && phi.kind() != Kind::expression;
}

double smoothed(const netsor::Activation& phi, double m, double s) {
  if (s == 0) return evaluate(phi, m);
  switch (phi.kind()) {
    case Kind::erf:
      return std::erf(m / std::sqrt(1 + 2 * s * s));
    case Kind::erf_sigmoid:
      return 0.5 * std::erfc(-m / std::sqrt(1 + 2 * s * s));
    case Kind::sigmoid:
      return mix(s, [m](double r) { return normal_cdf(m / r); });
    case Kind::tanh:
      return mix(2 * s, [m](double r) { return std::erf(sqrt2 * m / r); });
    case Kind::silu:
      return mix(s, [m, s](double r) { return m * normal_cdf(m / r) + s * (s / r) * normal_density(m / r); });
    case Kind::softplus:
      return mix(s, [m](double r) { return m * normal_cdf(m / r) + r * normal_density(m / r); });
    case Kind::hardtanh:
      return smoothed_hardtanh(m, s);
    case Kind::gelu: {
      const double r = std::sqrt(1 + s * s);
      return m * normal_cdf(m / r) + s * (s / r) * normal_density(m / r);
    }
    case Kind::elu:
      return rectified_moment(m, s, 1) + smoothed_negative_elu(m, s);
    case Kind::sin:
      return std::exp(-0.5 * s * s) * std::sin(m);
    case Kind::cos:
      return std::exp(-0.5 * s * s) * std::cos(m);
    case Kind::exp:
      return std::exp(m + 0.5 * s * s);
    case Kind::gaussian:
      return std::exp(-m * m / (1 + 2 * s * s)) / std::sqrt(1 + 2 * s * s);
    default:
      return smoothed_homogeneous(*homogeneous_form(phi), m, s);
  }
}

}  // namespace nngpcheck::analytic
