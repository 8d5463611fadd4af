#include "nngpcheck/analytic/gaussian/closed_form.hpp"

#include <array>
#include <cmath>
#include <numbers>

#include "nngpcheck/analytic/uncertain.hpp"

namespace nngpcheck::analytic {

namespace {

using Kind = netsor::Activation::Kind;
using std::numbers::pi;

constexpr int largest_power = 20;
using Table = std::array<std::array<double, largest_power + 1>, largest_power + 1>;

/// E[u^i v^j] for i ≤ p, j ≤ q.
void fill_moments(Table& table, int p, int q, double mean_u, double mean_v, double a, double b, double c) {
  table[0][0] = 1;
  for (int i = 1; i <= p; ++i) {
    table[i][0] = mean_u * table[i - 1][0] + (i > 1 ? (i - 1) * a * table[i - 2][0] : 0);
  }
  for (int j = 1; j <= q; ++j) {
    for (int i = 0; i <= p; ++i) {
      table[i][j] = mean_v * table[i][j - 1] + (j > 1 ? (j - 1) * b * table[i][j - 2] : 0) +
                    (i > 0 ? i * c * table[i - 1][j - 1] : 0);
    }
  }
}

bool is_erf(Kind kind) { return kind == Kind::erf || kind == Kind::erf_sigmoid; }
bool is_trigonometric(Kind kind) { return kind == Kind::sin || kind == Kind::cos; }

}  // namespace

Moment MonomialPair::moment(const Column& u, const Column& v, Estimate c) const {
  Table moments;
  fill_moments(moments, p_, q_, u.mean.value, v.mean.value, u.variance.value, v.variance.value, c.value);
  const double value = moments[p_][q_];
  double magnitude = std::abs(value);
  if (u.mean.value != 0 || v.mean.value != 0) {
    Table magnitudes;
    fill_moments(magnitudes, p_, q_, std::abs(u.mean.value), std::abs(v.mean.value), u.variance.value,
                 v.variance.value, std::abs(c.value));
    magnitude = magnitudes[p_][q_];
  }
  // Each of the p + q steps rounds a term four times at most, by ε/2: two products, two sums. Twice that.
  const auto derivative = [&](int i, int j) { return i < 0 || j < 0 ? 0 : moments[i][j]; };
  Moment result{value, (4 + 4 * (p_ + q_)) * epsilon * magnitude};
  result.slope_c = p_ * q_ * derivative(p_ - 1, q_ - 1);
  result.slope_a = 0.5 * p_ * (p_ - 1) * derivative(p_ - 2, q_);
  result.slope_b = 0.5 * q_ * (q_ - 1) * derivative(p_, q_ - 2);
  result.slope_mean_u = p_ * derivative(p_ - 1, q_);
  result.slope_mean_v = q_ * derivative(p_, q_ - 1);
  return result;
}

ArcsinePair::ArcsinePair(bool phi_sigmoid, bool psi_sigmoid)
    : both_sigmoid_(phi_sigmoid && psi_sigmoid),
      one_not_(1 - both_sigmoid_),
      factor_((phi_sigmoid ? 0.5 : 1) * (psi_sigmoid ? 0.5 : 1)) {}

ArcsinePair::Column ArcsinePair::row(const Normal& u) const {
  const Variance variance(u.variance.value);
  const bool large = variance.value > 1;
  return {variance.value, large ? variance.unscale : 1, large ? variance.mantissa : variance.value,
          1 / (1 + 2 * variance.value)};
}

Moment TrigonometricPair::moment(const Column& u, const Column& v, Estimate covariance) const {
  const double a = u.variance.value;
  const double b = v.variance.value;
  const double c = covariance.value;
  const double difference = u.mean.value - v.mean.value;
  const double sum = u.mean.value + v.mean.value;
  const double half_minus = 0.5 * std::exp(-0.5 * ((a - c) + (b - c)));  // ½ e^{-var(u - v)/2}
  const double half_plus = 0.5 * std::exp(-0.5 * ((a + c) + (b + c)));
  double minus = 0;  // the part of E with the phase of u - v, and its derivative in the phase
  double minus_slope = 0;
  double plus = 0;
  double plus_slope = 0;
  if (phi_is_sine_ == psi_is_sine_) {
    const double sign = phi_is_sine_ ? -1 : 1;
    minus = half_minus * std::cos(difference);
    minus_slope = -half_minus * std::sin(difference);
    plus = sign * half_plus * std::cos(sum);
    plus_slope = -sign * half_plus * std::sin(sum);
  } else {
    const double sign = phi_is_sine_ ? 1 : -1;
    minus = sign * half_minus * std::sin(difference);
    minus_slope = sign * half_minus * std::cos(difference);
    plus = half_plus * std::sin(sum);
    plus_slope = half_plus * std::cos(sum);
  }
  // Of the exponent two sums round by ε/2 of |a - c| + |b - c|; exponential and cosine are good to ε, and the
  // sum of the phases rounds by half an ε of it. The rest is room for products.
  const double error_minus = 8 + 2 * (std::abs(a - c) + std::abs(b - c));  // in units of rounding
  const double error_plus = 8 + 2 * (std::abs(a + c) + std::abs(b + c));
  const double phase_error = 2 * (std::abs(u.mean.value) + std::abs(v.mean.value)) * (half_minus + half_plus);
  Moment result{minus + plus,
                epsilon * (std::abs(minus) * error_minus + std::abs(plus) * error_plus + phase_error)};
  if (phi_is_sine_ && psi_is_sine_) {  // rearranged so that nothing cancels for small covariance and means
    const double product = 2 * half_minus * std::sin(u.mean.value) * std::sin(v.mean.value);
    const double gap =
        (c > 0 ? -half_minus * std::expm1(-2 * c) : half_plus * std::expm1(2 * c)) * std::cos(sum);
    result.value = product + gap;
    result.rounding = epsilon * (std::abs(product) * error_minus +
                                 std::abs(gap) * (c > 0 ? error_minus : error_plus) + phase_error);
  }
  result.slope_c = minus - plus;
  result.slope_a = result.slope_b = -0.5 * result.value;
  result.slope_mean_u = minus_slope + plus_slope;
  result.slope_mean_v = plus_slope - minus_slope;
  return result;
}

Moment ExponentialPair::moment(const Column& u, const Column& v, Estimate c) const {
  const double half = 0.5 * (u.variance.value + v.variance.value);
  const double value = std::exp(u.mean.value + v.mean.value + (half + c.value));
  const double size = std::abs(u.mean.value) + std::abs(v.mean.value) + half + std::abs(c.value);
  const double shift = u.mean.bound + v.mean.bound + 0.5 * (u.variance.bound + v.variance.bound) + c.bound;
  // The exponent's sum rounds four times, half an ε of `size` each; the exponential is good to ε.
  Moment result{value, (4 + 4 * size) * epsilon * value};
  result.slope_c = result.slope_mean_u = result.slope_mean_v = value;
  result.slope_a = result.slope_b = 0.5 * value;
  result.slack = value * (std::expm1(shift) - shift);
  return result;
}

Moment GaussianPair::moment(const Column& u, const Column& v, Estimate covariance) const {
  const double a = u.variance.value;
  const double b = v.variance.value;
  const double c = covariance.value;
  const double m = u.mean.value;
  const double n = v.mean.value;
  const double d = 1 + 2 * a + 2 * b + 4 * std::max(0.0, determinant(a, b, c));
  const double x = ((1 + 2 * b) * m - 2 * c * n) / d;  // M⁻¹ (μ, ν)
  const double y = ((1 + 2 * a) * n - 2 * c * m) / d;
  const double value = std::exp(-(m * x + n * y)) / std::sqrt(d);
  const double size = ((1 + 2 * b) * m * m + (1 + 2 * a) * n * n + 4 * std::abs(c * m * n)) / d;
  // 1/d takes 3.5 ε, each term of the exponent that and 3 roundings more, relative to `size`; the exponential
  // ε.
  Moment result{value, (8 + 8 * size) * epsilon * value};
  result.slope_c = value * (4 * c / d + 4 * x * y);
  result.slope_a = value * (2 * x * x - (1 + 2 * b) / d);
  result.slope_b = value * (2 * y * y - (1 + 2 * a) / d);
  result.slope_mean_u = -2 * x * value;
  result.slope_mean_v = -2 * y * value;
  return result;
}

std::optional<ClosedForm> closed_form(const netsor::Activation& phi, const netsor::Activation& psi,
                                      Means means) {
  const Kind left = phi.kind();
  const Kind right = psi.kind();
  const std::optional<HomogeneousForm> left_form = homogeneous_form(phi);
  const std::optional<HomogeneousForm> right_form = homogeneous_form(psi);
  if (left_form && right_form) {
    if (is_monomial(*left_form) && is_monomial(*right_form))
      return MonomialPair(left_form->power, right_form->power);
    if (means == Means::zero) return HomogeneousPair(*left_form, *right_form);
    return {};
  }
  if (is_trigonometric(left) && is_trigonometric(right)) {
    return TrigonometricPair(left == Kind::sin, right == Kind::sin);
  }
  if (left == Kind::exp && right == Kind::exp) return ExponentialPair();
  if (left == Kind::gaussian && right == Kind::gaussian) return GaussianPair();
  if (means == Means::any) return {};
  if (is_erf(left) && is_erf(right))
    return ArcsinePair(left == Kind::erf_sigmoid, right == Kind::erf_sigmoid);
  if (left == Kind::gelu && right == Kind::gelu) return GeluPair();
  return {};
}

}  // namespace nngpcheck::analytic
