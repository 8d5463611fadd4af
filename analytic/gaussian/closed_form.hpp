// Closed forms of E[φ(u) ψ(v)] for jointly normal u, v: rule 2.
//
// A closed form is a class with
//   Column row(const Normal&), Column column(const Normal&)   what it needs to know of u alone, of v alone
//   Moment moment(const Column& u, const Column& v, Estimate c)
// so that a block computes the former once per row and column; those of relu, erf and gelu are without
// branches, so that many are computed at once (moment_columns.hpp). Both variances must be positive, and |c|
// ≤ √(ab) up to rounding. The derivatives are Price's theorem,
//   ∂E/∂c = E[φ'(u) ψ'(v)],   ∂E/∂a = ½ E[φ''(u) ψ(v)],   a = var u, b = var v, c = cov(u, v).
#pragma once

#include <cmath>
#include <limits>
#include <numbers>
#include <optional>
#include <variant>
#include <vector>

#include "nngpcheck/analytic/gaussian/normal.hpp"
#include "nngpcheck/analytic/gaussian/scalar_activation.hpp"
#include "nngpcheck/analytic/uncertain.hpp"

namespace nngpcheck::analytic {

/// The law of one column, and bounds on how far its mean and variance may be off.
struct Normal {
  Estimate mean;
  Estimate variance;
};

/// An expectation E and what bounds its error.
struct Moment {
  double value = 0;
  double rounding = 0;  // bound on the error of the value at these arguments
  double slope_c = 0;   // ∂E/∂c
  double slope_a = 0;   // ∂E/∂a
  double slope_b = 0;
  double slope_mean_u = 0;
  double slope_mean_v = 0;
  double slack = 0;  // bound on what the derivatives miss when the arguments move within their bounds
};

/// Value and bound when the arguments are uncertain independently of each other.
inline Estimate with_bounds(const Moment& moment, const Normal& u, const Normal& v, double c_bound) {
  return {moment.value,
          moment.rounding + moment.slack + std::abs(moment.slope_c) * c_bound +
              std::abs(moment.slope_a) * u.variance.bound + std::abs(moment.slope_b) * v.variance.bound +
              std::abs(moment.slope_mean_u) * u.mean.bound + std::abs(moment.slope_mean_v) * v.mean.bound};
}

/// The same where v is u: the covariance is the variance, and errors cancel that are opposite in sign. Deep
/// networks of saturating activations need it: there |∂E/∂c| + 2 |∂E/∂a| exceeds 1, and the sum does not.
inline Estimate with_bounds_on_diagonal(const Moment& moment, const Normal& u) {
  const double slope = moment.slope_a + moment.slope_b + moment.slope_c;
  const double mean_slope = moment.slope_mean_u + moment.slope_mean_v;
  return {moment.value,
          moment.rounding + std::abs(slope) * u.variance.bound + std::abs(mean_slope) * u.mean.bound};
}

/// φ and ψ positively homogeneous of powers p and q, zero means:
///   E = √a^p √b^q (A J(ρ) + B J(-ρ)),   J(ρ) = E[x₊^p y₊^q] for standard normal x, y of correlation ρ,
/// with A = φ₊ψ₊ + φ₋ψ₋ and B = φ₊ψ₋ + φ₋ψ₊ (Cho & Saul 2009, and Appendix A there for p ≠ q). In polar
/// coordinates
///   J = C ∫_0^t sin^p(α) sin^q(t - α) dα,   cos t = -ρ,   C = 2^{n/2} Γ(n/2 + 1) / 2π,   n = p + q,
/// which has no cancellation as ρ → -1, where J ~ t^{n+1}.
class HomogeneousPair {
 public:
  HomogeneousPair(const HomogeneousForm& phi, const HomogeneousForm& psi);

  struct Column {
    Variance variance;
    double bound;         // of the variance
    double scale;         // √variance^power
    double inverse;       // 1/√variance
    double half_inverse;  // 1/(2 variance)
  };

  Column row(const Normal& u) const { return prepare(u, phi_.power); }
  Column column(const Normal& v) const { return prepare(v, psi_.power); }
  Moment moment(const Column& u, const Column& v, Estimate c) const;

  /// Whether both have power 1 and a kink, as relu, leaky_relu and abs, so that relu_moment is the moment.
  bool is_branch_free() const { return method_ == Method::relu; }
  Moment relu_moment(const Column& u, const Column& v, Estimate c) const;

 private:
  /// The moment at unit variances, its derivative in ρ, and the sum of the absolute values of its terms.
  struct Shape {
    double value;
    double slope;
    double magnitude;
  };

  static Column prepare(const Normal& normal, int power);
  Shape shape(const Correlation& correlation) const;
  Shape sectors(const Correlation& correlation) const;
  Shape monomial(const Correlation& correlation) const;

  HomogeneousForm phi_;
  HomogeneousForm psi_;
  double same_;                       // A
  double opposite_;                   // B
  double curvature_;                  // bound on |d slope / dt|
  std::vector<double> coefficients_;  // of `monomial`
  enum class Method { relu, sectors, phi_monomial, psi_monomial } method_;
};

/// φ(u) = u^p, ψ(v) = v^q, any means: the recurrence of Stein's identity,
///   E[u^p v^q] = ν E[u^p v^{q-1}] + (q-1) b E[u^p v^{q-2}] + p c E[u^{p-1} v^{q-1}].
class MonomialPair {
 public:
  MonomialPair(int p, int q) : p_(p), q_(q) {}

  using Column = Normal;
  Column row(const Normal& u) const { return u; }
  Column column(const Normal& v) const { return v; }
  Moment moment(const Column& u, const Column& v, Estimate c) const;

 private:
  int p_;
  int q_;
};

/// φ = φ₀ + φ₁ erf and ψ likewise, zero means (Williams 1996):
///   E[erf u erf v] = (2/π) asin(2c / √((1+2a)(1+2b))).
class ArcsinePair {
 public:
  ArcsinePair(bool phi_sigmoid, bool psi_sigmoid);

  struct Column {
    double variance;
    double unscale;     // power of two that keeps products of variances finite
    double scaled;      // variance · unscale²
    double half_slope;  // 1/(1 + 2 variance)
  };

  Column row(const Normal& u) const;
  Column column(const Normal& v) const { return row(v); }
  static constexpr bool is_branch_free() { return true; }
  Moment moment(const Column& u, const Column& v, Estimate c) const;

 private:
  double both_sigmoid_, one_not_;  // 1 and 0, or 0 and 1
  double factor_;
};

/// gelu and gelu, zero means. With A = 1+a, B = 1+b, D = AB - c², ϑ = π/2 + asin(c/√(AB)) (by Stein's
/// identity from E[Φ(u)Φ(v)] = ϑ/2π; Tsuchida et al. 2021):
///   2π E = c ϑ + (ab - c² + c²/A + c²/B) / √D,   2π ∂E/∂c = ϑ + c (1/A + 1/B + 1/D) / √D.
class GeluPair {
 public:
  struct Column {
    double variance;
    double inverse;  // 1/(1 + variance)
  };

  Column row(const Normal& u) const { return {u.variance.value, 1 / (1 + u.variance.value)}; }
  Column column(const Normal& v) const { return row(v); }
  static constexpr bool is_branch_free() { return true; }
  Moment moment(const Column& u, const Column& v, Estimate c) const;
};

/// sin and cos, any means: products to sums, E cos(w) = e^{-var(w)/2} cos(E w).
class TrigonometricPair {
 public:
  TrigonometricPair(bool phi_is_sine, bool psi_is_sine)
      : phi_is_sine_(phi_is_sine), psi_is_sine_(psi_is_sine) {}

  using Column = Normal;
  Column row(const Normal& u) const { return u; }
  Column column(const Normal& v) const { return v; }
  Moment moment(const Column& u, const Column& v, Estimate c) const;

 private:
  bool phi_is_sine_;
  bool psi_is_sine_;
};

/// exp and exp, any means: e^{μ + ν + (a+b)/2 + c}.
class ExponentialPair {
 public:
  using Column = Normal;
  Column row(const Normal& u) const { return u; }
  Column column(const Normal& v) const { return v; }
  Moment moment(const Column& u, const Column& v, Estimate c) const;
};

/// e^{-u²} and e^{-v²}, any means m = (μ, ν): e^{-mᵀM⁻¹m} / √|M|, M = I + 2 cov(u, v).
class GaussianPair {
 public:
  using Column = Normal;
  Column row(const Normal& u) const { return u; }
  Column column(const Normal& v) const { return v; }
  Moment moment(const Column& u, const Column& v, Estimate c) const;
};

/// sin t - t cos t; its Taylor series for small t, where the difference cancels: Σ_k (-1)^{k-1} 2k
/// t^{2k+1}/(2k+1)!, whose terms from k = 8 on are below ε/2 of the sum there.
inline double sine_minus_t_cosine(double t, double sine, double cosine) {
  const double x = t * t;
  const double series =
      1.0 / 3 -
      x * (1.0 / 30 - x * (1.0 / 840 - x * (1.0 / 45360 -
                                            x * (1.0 / 3991680 - x * (1.0 / 518918400 - x / 93405312000)))));
  return t > 0.6 ? sine - t * cosine : t * x * series;
}

/// 2π J = sin t - t cos t and 2π dJ/dρ = t, and J(-ρ) = J(ρ) - ρ/2, since x₊y₊ - x₊(-y)₊ = x₊y. The angle is
/// good to 3 ε (sine and cosine share the rounding of √(ab), so it cancels in their quotient), with condition
/// at most 3, the scale to 2 ε; constants and products take the rest of 18 ε, and the sum ε of either term.
inline Moment HomogeneousPair::relu_moment(const Column& u, const Column& v, Estimate c) const {
  const Correlation correlation(u.variance, v.variance, c.value);
  const double t = arctangent(correlation.sine, -correlation.cosine);
  const double factor = (same_ + opposite_) * (0.5 / std::numbers::pi);
  const double unit = factor * sine_minus_t_cosine(t, correlation.sine, -correlation.cosine);
  const double scale = u.scale * v.scale;
  const double bent = scale * unit, linear = -0.5 * opposite_ * c.value;
  Moment result;
  result.value = bent + linear;
  result.rounding =
      epsilon * (19 * std::abs(bent) + 3 * std::abs(linear)) + std::numeric_limits<double>::denorm_min();
  result.slope_c = factor * t - 0.5 * opposite_;
  const double flow = c.value * (factor * t);  // Euler: 2a ∂E/∂a + c ∂E/∂c = E
  result.slope_a = (bent - flow) * u.half_inverse;
  result.slope_b = (bent - flow) * v.half_inverse;
  const double shift = c.bound * (u.inverse * v.inverse) +
                       std::abs(correlation.cosine) * (u.bound * u.half_inverse + v.bound * v.half_inverse);
  result.slack = scale * curvature_ * angle_shift(correlation, shift) * shift;
  return result;
}

inline Moment ArcsinePair::moment(const Column& u, const Column& v, Estimate c) const {
  const double scale = u.unscale * v.unscale;
  const double scaled = c.value * scale;
  // D = (1+2a)(1+2b) - 4c² = 1 + 2a + 2b + 4(ab - c²), scaled
  const double discriminant = (1 + 2 * u.variance + 2 * v.variance) * scale * scale +
                              4 * positive_part(determinant(u.scaled, v.scaled, scaled));
  const double root = std::sqrt(discriminant);
  // asin x = atan2(x, √(1-x²)); with two sigmoids π/2 more, the angle of the same point turned
  const double along = both_sigmoid_ * root + one_not_ * (2 * scaled);
  const double angle = arctangent(along, one_not_ * root - both_sigmoid_ * (2 * scaled));
  const double value = (2 / std::numbers::pi) * factor_ * angle;
  // Everything under the root is positive: 6 roundings, of which the root halves the effect, and its own. The
  // angle has condition 1, the arctangent is good to 2 ε, constant and products round three times: 6 ε.
  Moment result{value, 8 * epsilon * std::abs(value)};
  result.slope_c = (4 / std::numbers::pi) * factor_ * scale / root;
  result.slope_a = -result.slope_c * c.value * u.half_slope;
  result.slope_b = -result.slope_c * c.value * v.half_slope;
  return result;
}

inline Moment GeluPair::moment(const Column& u, const Column& v, Estimate covariance) const {
  using std::numbers::pi;
  const double c = covariance.value;
  const double gap = positive_part(determinant(u.variance, v.variance, c));
  const double inverse_d = 1 / (1 + u.variance + v.variance + gap);
  const double q = std::sqrt(inverse_d);
  const double angle = arctangent(1, -c * q);
  const double numerator = gap + c * c * (u.inverse + v.inverse);
  const double value = c * angle + numerator * q;
  const double slope_c = angle + c * q * (u.inverse + v.inverse + inverse_d);
  const auto slope_variance = [&](double inverse_own, double other) {
    return q * (other - c * c * inverse_own * (0.5 + inverse_own)) -
           0.5 * inverse_d * q * numerator * (1 + other);
  };
  // The numerator takes 3 ε, q 1.75 ε, the angle 2 ε, both terms are below 6 ε; their sum, and 2π, add 1.5 ε.
  Moment result{value / (2 * pi), 8 * epsilon * (std::abs(c) * angle + numerator * q) / (2 * pi)};
  result.slope_c = slope_c / (2 * pi);
  result.slope_a = slope_variance(u.inverse, v.variance) / (2 * pi);
  result.slope_b = slope_variance(v.inverse, u.variance) / (2 * pi);
  return result;
}

using ClosedForm = std::variant<HomogeneousPair, MonomialPair, ArcsinePair, GeluPair, TrigonometricPair,
                                ExponentialPair, GaussianPair>;

enum class Means { zero, any };

/// The closed form of the pair that is valid at such means, if there is one.
std::optional<ClosedForm> closed_form(const netsor::Activation& phi, const netsor::Activation& psi,
                                      Means means);

}  // namespace nngpcheck::analytic
