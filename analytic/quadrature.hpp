// Gaussian expectations by adaptive quadrature: rule 3 for any law and any activation.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "analytic/dual.hpp"

namespace nngpcheck::analytic {

/// A point where an integrand needs care: a jump or kink (width 0), or a smooth feature of that width.
struct Feature {
  double centre = 0;
  double width = 0;
};

struct QuadratureOptions {
  double tolerance = 4e-15;       // of the error, relative to E|f(x)|
  bool undeclared_kinks = false;  // f may have kinks that are no features: look closer
};

/// An integral with a bound on its error (|Kronrod - Gauss|, summed over panels, plus rounding) and the
/// integral of the absolute value.
struct Integral {
  Estimate estimate;
  double absolute = 0;
  std::int64_t evaluations = 0;
};

/// E[f(x)] for x ~ N(0, 1): 31-point Gauss-Kronrod on panels that are split at the features, and
/// then wherever the error is largest until it is within tolerance or the budget of panels is spent.
/// Throws LimitError if f is not finite where the density is positive.
Integral gaussian_integral(const std::function<double(double)>& f, const std::vector<Feature>& features,
                           const QuadratureOptions& options = {});

/// The features of φ(mean + deviation x) as a function of x: kinks, and the region where φ changes.
std::vector<Feature> features(const netsor::Activation& phi, double mean = 0, double deviation = 1);

/// E[φ(u)] for u ~ N(mean, variance), as one integral; `analytic::mean` prefers a formula.
Integral quadrature_mean(const netsor::Activation& phi, double mean, double variance);

/// E[φ(u)²], likewise.
Integral quadrature_square(const netsor::Activation& phi, double mean, double variance);

/// E[φ(u) ψ(v)] as the integral over u of φ(u) E[ψ(v) | u], where the inner expectation is a formula if
/// there is one for φ or ψ, else another integral. The law must be valid. Never uses the closed form of the
/// pair, so the closed forms can be checked against it.
Integral quadrature_dual(const netsor::Activation& phi, const netsor::Activation& psi,
                         const BivariateNormal& law);

}  // namespace nngpcheck::analytic
