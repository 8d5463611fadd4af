#include "nngpcheck/analytic/gaussian/gaussian_smoothing.hpp"

#include <boost/math/quadrature/gauss.hpp>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "nngpcheck/analytic/gaussian/normal.hpp"
#include "nngpcheck/analytic/gaussian/scalar_activation.hpp"
#include "nngpcheck/analytic/uncertain.hpp"

namespace nngpcheck::analytic {

namespace {

using Kind = netsor::Activation::Kind;
using std::numbers::pi;
using std::numbers::sqrt2;

// Bounds count roundings: 4 ε for a library function, ε for an operation, and ε times the condition number of
// a function for an argument that is rounded: t² for e^{-t²/2} and Φ(-t). Sums add the bounds of their terms.
// Below the normal numbers a rounding is of fixed size.

constexpr double smallest = std::numeric_limits<double>::denorm_min();
bool underflows(double value) { return std::abs(value) < std::numeric_limits<double>::min(); }

Estimate operator+(Estimate x, Estimate y) {
  const double sum = x.value + y.value;
  return {sum, x.bound + y.bound + epsilon * std::abs(sum)};
}
Estimate operator*(double factor, Estimate x) {
  const double product = factor * x.value;
  const double rounding = underflows(product) && factor != 0 && x.value != 0 ? smallest : 0;
  return {product, std::abs(factor) * x.bound + 2 * epsilon * std::abs(product) + rounding};
}

Estimate rounded(double value, double condition) {
  return {value,
          (6 + 2 * condition) * epsilon * std::abs(value) + (underflows(value) && value != 0 ? smallest : 0)};
}

/// Of a value that is not 0 but by underflow. Exponentials may be off by a few of the smallest numbers there.
Estimate rounded_positive(double value, double condition) {
  Estimate result = rounded(value, condition);
  if (underflows(value)) result.bound += 4 * smallest;
  return result;
}

Estimate cdf(double z) { return rounded_positive(normal_cdf(z), z < 0 ? 1 + z * z : 1); }
Estimate density(double z) { return rounded_positive(normal_density(z), z * z); }
Estimate erf(double x) { return rounded(std::erf(x), 1); }

/// M_p = m M_{p-1} + (p-1) s² M_{p-2} from M_0 and M_1: the moments of m + s z, or of its positive part.
Estimate moment_by_recurrence(Estimate previous, Estimate moment, double m, double s, int power) {
  for (int p = 2; p <= power; ++p) {
    const Estimate next = m * moment + ((p - 1) * s * s) * previous;
    previous = moment;
    moment = next;
  }
  return power == 0 ? previous : moment;
}

/// E[((m + s z)₊)^p].
Estimate rectified_moment(double m, double s, int power) {
  const Estimate probability = cdf(m / s);
  return moment_by_recurrence(probability, m * probability + s * density(m / s), m, s, power);
}

Estimate smoothed_homogeneous(const HomogeneousForm& form, double m, double s) {
  if (is_monomial(form)) return form.positive * moment_by_recurrence({1, 0}, {m, 0}, m, s, form.power);
  if (form.power == 0 && form.negative == -form.positive) return form.positive * erf(m / (s * sqrt2));
  Estimate result;
  if (form.positive != 0) result = result + form.positive * rectified_moment(m, s, form.power);
  if (form.negative != 0) result = result + form.negative * rectified_moment(-m, s, form.power);
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
    for (int k = -19; k <= 18; ++k) {
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

/// Σ over the mixture of g(√(λ² + s²)). The rule's own error is below ε of the sum.
template <class Term>
Estimate mix(double s, const Term& g) {
  Estimate sum;
  for (const MixtureNode& node : logistic_mixture())
    sum = sum + node.weight * g(std::sqrt(node.scale_squared + s * s));
  sum.bound += epsilon * std::abs(sum.value);
  return sum;
}

/// E[e^x f(-x)] = e^{m + s²/2} E[f(x')], x' ~ N(-(m + s²), s²): the law that e^x tilts.
template <class Mirrored>
Estimate tilted(double m, double s, const Mirrored& f) {
  const double exponent = m + 0.5 * s * s;
  Estimate result = f(-(m + s * s));
  const double factor = std::exp(exponent);
  const double relative = (6 + 3 * std::abs(m) + 3 * s * s) * epsilon;
  result.bound = factor * (result.bound + relative * std::abs(result.value));
  if (underflows(factor)) result.bound += 4 * smallest * std::abs(result.value);
  result.value *= factor;
  if (underflows(result.value)) result.bound += smallest;
  return result;
}

/// Left of here the mass of sigmoid's mean is in the tail, where sigmoid(x) = e^x sigmoid(-x).
bool is_tail(double m, double s) { return m < -0.5 * s * s; }

Estimate smoothed_sigmoid(double m, double s) {
  if (m > 0) {
    const Estimate rest = smoothed_sigmoid(-m, s);
    return rounded(1 - rest.value, 0) + Estimate{0, rest.bound};
  }
  const auto centre = [s](double x) { return mix(s, [x](double r) { return cdf(x / r); }); };
  return is_tail(m, s) ? tilted(m, s, centre) : centre(m);
}

Estimate smoothed_silu(double m, double s) {
  const auto centre = [s](double x) {
    return mix(s, [x, s](double r) { return x * cdf(x / r) + s * (s / r) * density(x / r); });
  };
  return is_tail(m, s) ? -1 * tilted(m, s, centre) : centre(m);
}

Estimate smoothed_hardtanh(double m, double s) {
  if (s >= 1) {  // ½ ∫ erf((m + t)/(s√2)) dt over (-1, 1): no cancellation, however large s
    double size = 0;
    const double value =
        0.5 * boost::math::quadrature::gauss<double, 15>::integrate(
                  [m, s](double t) { return std::erf((m + t) / (s * sqrt2)); }, -1.0, 1.0, &size);
    return {value, 12 * epsilon * 0.5 * size};
  }
  if (m > 0.5) return Estimate{1, 0} + -1 * rectified_moment(1 - m, s, 1) + rectified_moment(-1 - m, s, 1);
  if (m < -0.5) return Estimate{-1, 0} + rectified_moment(1 + m, s, 1) + -1 * rectified_moment(m - 1, s, 1);
  return Estimate{m, 0} + -1 * rectified_moment(m - 1, s, 1) + rectified_moment(-m - 1, s, 1);
}

/// E[(e^x - 1) 1{x < 0}].
Estimate smoothed_negative_elu(double m, double s) {
  if (std::abs(m) + 8 * s < 1) {  // the terms below would cancel
    Estimate sum;
    double factor = 1;
    for (int k = 1; k <= 16; ++k) {
      factor *= -1.0 / k;
      sum = sum + factor * rectified_moment(-m, s, k);
    }
    sum.bound += std::abs(factor) / 17 * integer_power(std::abs(m) + 8 * s, 17);  // the next term
    return sum;
  }
  const double z = m / s;
  const double lower = z + s;
  const double exponent = m + 0.5 * s * s;
  const Estimate tilted =
      lower > 0 ? rounded(0.5 * std::exp(-0.5 * z * z) * scaled_erfc(lower / sqrt2), z * z)
                : rounded(std::exp(exponent) * normal_cdf(-lower), std::abs(m) + 0.5 * s * s + 1);
  return tilted + -1 * cdf(-z);
}

}  // namespace

bool has_smoothed(const netsor::Activation& phi) {
  return phi.kind() != Kind::custom && phi.kind() != Kind::expression;
}

Estimate smoothed(const netsor::Activation& phi, double m, double s) {
  if (s == 0) return rounded(evaluate(phi, m), 0);
  const double widened = std::sqrt(1 + 2 * s * s);
  switch (phi.kind()) {
    case Kind::erf:
      return erf(m / widened);
    case Kind::erf_sigmoid:
      return cdf(sqrt2 * m / widened);
    case Kind::sigmoid:
      return smoothed_sigmoid(m, s);
    case Kind::tanh:
      return mix(2 * s, [m](double r) { return erf(sqrt2 * m / r); });
    case Kind::silu:
      return smoothed_silu(m, s);
    case Kind::softplus:
      return mix(s, [m](double r) { return m * cdf(m / r) + r * density(m / r); });
    case Kind::hardtanh:
      return smoothed_hardtanh(m, s);
    case Kind::gelu: {
      const double r = std::sqrt(1 + s * s);
      return m * cdf(m / r) + s * (s / r) * density(m / r);
    }
    case Kind::elu:
      return rectified_moment(m, s, 1) + smoothed_negative_elu(m, s);
    case Kind::sin:
      return rounded(std::exp(-0.5 * s * s) * std::sin(m), s * s);
    case Kind::cos:
      return rounded(std::exp(-0.5 * s * s) * std::cos(m), s * s);
    case Kind::exp:
      return rounded_positive(std::exp(m + 0.5 * s * s), std::abs(m) + s * s);
    case Kind::gaussian:
      return rounded_positive(std::exp(-m * m / (widened * widened)) / widened, m * m / (widened * widened));
    default:
      return smoothed_homogeneous(*homogeneous_form(phi), m, s);
  }
}

}  // namespace nngpcheck::analytic
