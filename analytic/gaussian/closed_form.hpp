// Closed forms of E[φ(u) ψ(v)] for jointly normal u, v: rule 2.
//
// A closed form is a class with
//   Column row(const Normal&), Column column(const Normal&)   what it needs to know of u alone, of v alone
//   Moment moment(const Column& u, const Column& v, Estimate c)
// so that a block computes the former once per row and column. Both variances must be positive, and
// |c| ≤ √(ab) up to rounding. The derivatives are Price's theorem,
//   ∂E/∂c = E[φ'(u) ψ'(v)],   ∂E/∂a = ½ E[φ''(u) ψ(v)],   a = var u, b = var v, c = cov(u, v).
#pragma once

#include <limits>
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
Estimate with_bounds(const Moment& moment, const Normal& u, const Normal& v, double c_bound);

/// The same where v is u: the covariance is the variance, and errors cancel that are opposite in sign. Deep
/// networks of saturating activations need it: there |∂E/∂c| + 2 |∂E/∂a| exceeds 1, and the sum does not.
Estimate with_bounds_on_diagonal(const Moment& moment, const Normal& u);

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
  Moment moment(const Column& u, const Column& v, Estimate c) const;

 private:
  bool both_sigmoid_;
  double factor_;
};

/// gelu and gelu, zero means. With A = 1+a, B = 1+b, D = AB - c², ϑ = π/2 + asin(c/√(AB)) (by Stein's
/// identity from E[Φ(u)Φ(v)] = ϑ/2π; Tsuchida et al. 2021):
///   2π E = c ϑ + (ab - c² + c²/A + c²/B) / √D,   2π ∂E/∂c = ϑ + c (1/A + 1/B + 1/D) / √D.
class GeluPair {
 public:
  using Column = Normal;
  Column row(const Normal& u) const { return u; }
  Column column(const Normal& v) const { return v; }
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

using ClosedForm = std::variant<HomogeneousPair, MonomialPair, ArcsinePair, GeluPair, TrigonometricPair,
                                ExponentialPair, GaussianPair>;

enum class Means { zero, any };

/// The closed form of the pair that is valid at such means, if there is one.
std::optional<ClosedForm> closed_form(const netsor::Activation& phi, const netsor::Activation& psi,
                                      Means means);

}  // namespace nngpcheck::analytic
