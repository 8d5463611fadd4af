// The standard normal law, and the correlation of two normal variables without cancellation.
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>

#include "nngpcheck/analytic/gaussian/branch_free.hpp"

namespace nngpcheck::analytic {

/// Standard deviations beyond which the normal density underflows.
inline constexpr double farthest = 38.5;

inline double normal_density(double x) {
  return std::exp(-0.5 * x * x) * (std::numbers::inv_sqrtpi / std::numbers::sqrt2);
}

inline double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

/// e^{x²} erfc(x), x ≥ 0.
double scaled_erfc(double x);

/// A variance as the closed forms want it: mantissa · 4^e with mantissa in [1, 4), so that products of two
/// neither overflow nor underflow. Zero stays zero.
struct Variance {
  Variance() = default;
  explicit Variance(double variance);

  double value = 0;
  double deviation = 0;  // √variance
  double mantissa = 0;
  double unscale = 0;       // 2^{-e}
  double inverse_root = 0;  // 1/√mantissa
};

/// The correlation ρ = c/√(ab) and √(1-ρ²), the latter from ab - c² evaluated without cancellation.
/// Where rounding left |c| > √(ab), ρ = ±1.
struct Correlation {
  Correlation(const Variance& a, const Variance& b, double c);

  double cosine;  // ρ
  double sine;    // √(1-ρ²)
  double excess;  // how far |ρ| was above 1 before
};

/// How far the angle acos ρ can move when ρ moves by at most `shift`: linear inside, a square root at ρ = ±1.
inline double angle_shift(const Correlation& correlation, double shift) {
  const double room = correlation.sine * correlation.sine - shift * (2 + shift);
  const bool inside = room > 2 * shift;
  const double root = std::sqrt(inside ? room : 0.5 * std::min(shift, 2.0));
  const double end = std::min(std::numbers::pi, 2 * root * (1 + (0.5 * std::numbers::pi - 1) * root * root));
  return inside ? shift / root : end;
}

inline Correlation::Correlation(const Variance& a, const Variance& b, double c) {
  const double scaled = c * a.unscale * b.unscale;
  const double square = determinant(a.mantissa, b.mantissa, scaled);
  const double inverse = a.inverse_root * b.inverse_root;
  const bool inside = square > 0;
  cosine = inside ? scaled * inverse : scaled > 0 ? 1.0 : -1.0;
  sine = std::sqrt(positive_part(square)) * inverse;
  excess = 0.5 * positive_part(-square) * inverse * inverse;
}

}  // namespace nngpcheck::analytic
