// The standard normal law, and the correlation of two normal variables without cancellation.
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>

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
  explicit Variance(double variance);

  double value = 0;
  double deviation = 0;  // √variance
  double mantissa = 0;
  double unscale = 0;  // 2^{-e}
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
double angle_shift(const Correlation& correlation, double shift);

inline Correlation::Correlation(const Variance& a, const Variance& b, double c) {
  const double scaled = c * a.unscale * b.unscale;
  const double product = a.mantissa * b.mantissa;
  const double square = scaled * scaled;
  const double determinant =
      (product - square) + (std::fma(a.mantissa, b.mantissa, -product) - std::fma(scaled, scaled, -square));
  const double inverse = 1 / std::sqrt(product);
  if (determinant > 0) {
    cosine = scaled * inverse;
    sine = std::sqrt(determinant) * inverse;
    excess = 0;
  } else {
    cosine = scaled > 0 ? 1 : -1;
    sine = 0;
    excess = std::max(0.0, -0.5 * determinant * inverse * inverse);
  }
}

}  // namespace nngpcheck::analytic
