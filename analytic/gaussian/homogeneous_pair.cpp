#include <array>
#include <boost/math/quadrature/gauss.hpp>
#include <cmath>
#include <numbers>

#include "nngpcheck/analytic/gaussian/closed_form.hpp"
#include "nngpcheck/analytic/uncertain.hpp"

namespace nngpcheck::analytic {

namespace {

using std::numbers::pi;

constexpr int largest_order = 40;  // two powers of 20
using Orders = std::array<double, largest_order + 1>;

/// E[x₊^n] for x ~ N(0, 1).
double half_moment(int n) {
  static const Orders values = [] {
    Orders result;
    for (int k = 0; k <= largest_order; ++k) {
      result[k] = std::exp2(0.5 * k) * std::tgamma(0.5 * (k + 1)) / (2 * std::sqrt(pi));
    }
    return result;
  }();
  return values[n];
}

/// C of HomogeneousPair, a function of n = p + q.
double sector_constant(int n) {
  static const Orders values = [] {
    Orders result;
    for (int k = 0; k <= largest_order; ++k)
      result[k] = std::exp2(0.5 * k) * std::tgamma(0.5 * k + 1) / (2 * pi);
    return result;
  }();
  return values[n];
}

/// A correlation as the angle t of HomogeneousPair, cos t = -ρ.
struct Angle {
  double t;
  double sine;
  double cosine;

  Angle supplement() const { return {std::atan2(sine, -cosine), sine, -cosine}; }
  double one_minus_cosine() const { return cosine > 0 ? sine * sine / (1 + cosine) : 1 - cosine; }
};

template <unsigned Points>
double sector_quadrature(int p, int q, double t) {
  return boost::math::quadrature::gauss<double, Points>::integrate(
      [=](double x) { return integer_power(std::sin(x), p) * integer_power(std::sin(t - x), q); }, 0.0, t);
}

/// ∫_0^t sin^p(α) sin^q(t - α) dα, p ≤ q.
double sector_integral(int p, int q, const Angle& angle) {
  const auto [t, sine, cosine] = angle;
  if (t == 0) return 0;
  if (p == 0 && q == 0) return t;
  if (p == 0 && q == 1) return angle.one_minus_cosine();
  if (p == 1 && q == 1) return 0.5 * sine_minus_t_cosine(t, sine, cosine);
  if (p == 1 && q == 2) return angle.one_minus_cosine() * angle.one_minus_cosine() / 3;
  if (p == 0 && q == 2 && t > 1) return 0.5 * (t - sine * cosine);
  if (p == 2 && q == 2 && t > 1.2) return (t * (1 + 2 * cosine * cosine) - 3 * sine * cosine) / 8;
  if (p + q <= 8) return sector_quadrature<20>(p, q, t);
  if (p + q <= 16) return sector_quadrature<30>(p, q, t);
  return sector_quadrature<60>(p, q, t);
}

/// J of HomogeneousPair.
double sector_moment(int p, int q, const Angle& angle) {
  return sector_constant(p + q) * (p <= q ? sector_integral(p, q, angle) : sector_integral(q, p, angle));
}

/// dJ/dρ; for p = q = 0, where it is infinite at ρ = ±1, nothing needs it.
double sector_slope(int p, int q, const Angle& angle) {
  if (p > 0 && q > 0) return p * q * sector_moment(p - 1, q - 1, angle);
  if (p == 0 && q == 0) return 0;
  const int n = p + q;
  return n * half_moment(n - 1) * integer_power(angle.sine, n - 1) / std::sqrt(2 * pi);
}

/// A bound on |d/dt dJ/dρ|.
double sector_curvature(int p, int q) {
  const int n = p + q;
  if (n == 0) return 0;  // `moment` treats it apart
  if (p == 0 || q == 0) return n * (n - 1) * half_moment(n - 1) / std::sqrt(2 * pi);
  if (p == 1 && q == 1) return 0.5 / pi;
  if (p == 1 || q == 1) return p * q * (n - 2) * half_moment(n - 3) / std::sqrt(2 * pi);
  return p * q * (p - 1) * (q - 1) * half_moment(n - 4);
}

/// n (n-1) ... over 2^j j!: the number of ways to pair off 2j of n factors.
double pairings(int n, int j) {
  double result = 1;
  for (int i = 1; i <= j; ++i) result *= 0.5 * (n - 2 * i + 2) * (n - 2 * i + 1) / i;
  return result;
}

}  // namespace

HomogeneousPair::HomogeneousPair(const HomogeneousForm& phi, const HomogeneousForm& psi)
    : phi_(phi),
      psi_(psi),
      same_(phi.positive * psi.positive + phi.negative * psi.negative),
      opposite_(phi.positive * psi.negative + phi.negative * psi.positive),
      curvature_((std::abs(same_) + std::abs(opposite_)) * sector_curvature(phi.power, psi.power)),
      method_(is_monomial(phi)                   ? Method::phi_monomial
              : is_monomial(psi)                 ? Method::psi_monomial
              : phi.power == 1 && psi.power == 1 ? Method::relu
                                                 : Method::sectors) {
  if (method_ != Method::phi_monomial && method_ != Method::psi_monomial) return;
  const HomogeneousForm& factor = method_ == Method::phi_monomial ? phi : psi;
  const HomogeneousForm& other = method_ == Method::phi_monomial ? psi : phi;
  for (int j = 0; 2 * j <= factor.power; ++j) {
    const int r = factor.power - 2 * j;
    coefficients_.push_back(factor.positive * pairings(factor.power, j) * half_moment(other.power + r) *
                            (other.positive + (r % 2 == 0 ? other.negative : -other.negative)));
  }
}

HomogeneousPair::Column HomogeneousPair::prepare(const Normal& normal, int power) {
  const Variance variance(normal.variance.value);
  return {variance, normal.variance.bound, integer_power(variance.deviation, power), 1 / variance.deviation,
          0.5 / normal.variance.value};
}

HomogeneousPair::Shape HomogeneousPair::shape(const Correlation& correlation) const {
  switch (method_) {
    case Method::sectors:
      return sectors(correlation);
    default:
      return monomial(correlation);
  }
}

HomogeneousPair::Shape HomogeneousPair::sectors(const Correlation& correlation) const {
  const Angle angle{std::atan2(correlation.sine, -correlation.cosine), correlation.sine, -correlation.cosine};
  const Angle supplement = angle.supplement();
  const int p = phi_.power;
  const int q = psi_.power;
  const double slope = same_ * sector_slope(p, q, angle) - opposite_ * sector_slope(p, q, supplement);
  if (opposite_ == -same_ && p + q <= 1) {  // odd in ρ: without the difference of two near-equal numbers
    const double value = p + q == 0 ? same_ / pi * std::atan2(correlation.cosine, correlation.sine)
                                    : same_ * correlation.cosine / std::sqrt(2 * pi);
    return {value, slope, std::abs(value)};
  }
  const double first = same_ == 0 ? 0 : same_ * sector_moment(p, q, angle);
  const double second = opposite_ == 0 ? 0 : opposite_ * sector_moment(p, q, supplement);
  return {first + second, slope, std::abs(first) + std::abs(second)};
}

/// With y = ρx + √(1-ρ²) z: E[f(x) y^q] = Σ_j pairings(q, j) (1-ρ²)^j ρ^r E[f(x) x^r], r = q - 2j.
HomogeneousPair::Shape HomogeneousPair::monomial(const Correlation& correlation) const {
  const double square = correlation.sine * correlation.sine;
  const int power = method_ == Method::phi_monomial ? phi_.power : psi_.power;
  Shape result{0, 0, 0};
  for (int j = 0; 2 * j <= power; ++j) {
    const int r = power - 2 * j;
    const double coefficient = coefficients_[j];
    const double term = coefficient * integer_power(square, j) * integer_power(correlation.cosine, r);
    result.value += term;
    result.magnitude += std::abs(term);
    if (r > 0)
      result.slope += coefficient * r * integer_power(square, j) * integer_power(correlation.cosine, r - 1);
    if (j > 0)
      result.slope -=
          coefficient * 2 * j * integer_power(square, j - 1) * integer_power(correlation.cosine, r + 1);
  }
  return result;
}

Moment HomogeneousPair::moment(const Column& u, const Column& v, Estimate c) const {
  if (is_branch_free()) return relu_moment(u, v, c);
  const Correlation correlation(u.variance, v.variance, c.value);
  const Shape unit = shape(correlation);
  const double scale = u.scale * v.scale;
  const int n = phi_.power + psi_.power;
  Moment result;
  result.value = scale * unit.value;
  // The angle is good to 3 ε (sine and cosine share the rounding of √(ab), so it cancels in their quotient),
  // with condition at most n + 1, the scale to nε; constants and products take the rest. Where sectors are
  // summed by quadrature, this is an estimate: its roundings, one for each of up to 60 points, do not all
  // have one sign.
  result.rounding = (10 + 4 * n) * epsilon * scale * unit.magnitude;
  if (unit.value != 0 && std::abs(result.value) < std::numeric_limits<double>::min())
    result.rounding += std::numeric_limits<double>::denorm_min();
  result.slope_c = scale * unit.slope * u.inverse * v.inverse;
  const double flow = c.value * result.slope_c;  // Euler: 2a ∂E/∂a + c ∂E/∂c = pE
  result.slope_a = (phi_.power * result.value - flow) * u.half_inverse;
  result.slope_b = (psi_.power * result.value - flow) * v.half_inverse;
  const double shift = c.bound * u.inverse * v.inverse +
                       std::abs(correlation.cosine) * (u.bound * u.half_inverse + v.bound * v.half_inverse);
  if (shift == 0) return result;
  const double turn = angle_shift(correlation, shift);
  result.slack = n == 0 ? std::abs(same_ - opposite_) * (0.5 / pi) * turn : scale * curvature_ * turn * shift;
  return result;
}

}  // namespace nngpcheck::analytic
