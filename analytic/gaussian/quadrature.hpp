// Gaussian expectations of any function by adaptive quadrature.
//
// What is counted as error (docs/theory.md, "Error bars"): the largest of three null rules on every panel, one of them
// Kronrod - Gauss, and rounding, where φ(x) is taken to be φ at an argument within 2ε of x, to within 4ε.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "nngpcheck/analytic/uncertain.hpp"

namespace nngpcheck::analytic {

/// A point where an integrand needs care: a jump or kink (width 0), or a smooth feature of that width.
struct Feature {
  double centre = 0;
  double width = 0;
};

/// Panels that are narrower, in a function that may have undeclared kinks, are those around a kink or jump.
inline constexpr double narrow_panel = 1e-5;

struct QuadratureOptions {
  double tolerance = 4e-15;             // of the error, relative to the integral of the absolute value
  bool undeclared_kinks = false;        // f may have kinks that are no features: look closer
  bool square = false;                  // E[f(x)²] instead of E[f(x)]
  double offset = 0;                    // f rounds its argument as if it were |x| + offset
  std::int64_t largest_work = 200'000;  // evaluations of f, or of whatever `work` counts
  const std::int64_t* work = nullptr;
};

struct Integral {
  Estimate estimate;
  double absolute = 0;       // the integral of the absolute value
  double gradient = 0;       // E[f'(x)²], without what f jumps by at the ends of panels, or in narrow ones
  double noise = 0;          // √E[(f's rounding)²], that of the density included
  std::vector<double> ends;  // of the panels, ascending
  std::int64_t evaluations = 0;
  bool converged = true;  // within tolerance; otherwise the bound says how far it came
};

using Function = std::function<double(double)>;
using UncertainFunction = std::function<Estimate(double)>;  // whose values have errors of their own

/// E[f(x)] for x ~ N(0, 1): 31-point Gauss-Kronrod on panels that are split at the features, and then
/// wherever the error is largest, until it is within tolerance or rounding, or the work is done. Throws
/// LimitError if f is not finite where the density is positive, or the features alone take more work.
Integral gaussian_integral(const Function& f, const std::vector<Feature>& features,
                           const QuadratureOptions& options = {});
Integral gaussian_integral(const UncertainFunction& f, const std::vector<Feature>& features,
                           const QuadratureOptions& options = {});

/// The same on panels that begin with these ends, between the first and the last.
Integral gaussian_integral_on(const std::vector<double>& ends, const Function& f,
                              const QuadratureOptions& options);

}  // namespace nngpcheck::analytic
