#include "nngpcheck/analytic/gaussian/normal.hpp"

namespace nngpcheck::analytic {

double scaled_erfc(double x) {
  if (x < 10) {
    // e^{x²} with x² in two parts: the rounding error of x² alone would be amplified x² times.
    const double square = x * x;
    return std::exp(square) * (1 + std::fma(x, x, -square)) * std::erfc(x);
  }
  const double inverse = 1 / (2 * x * x);
  double term = 1;
  double sum = 1;
  for (int k = 1; k <= 12; ++k) {  // asymptotic: at x = 10 the last term is below 1e-16
    term *= -(2 * k - 1) * inverse;
    sum += term;
  }
  return sum * std::numbers::inv_sqrtpi / x;
}

Variance::Variance(double variance) : value(variance), deviation(std::sqrt(variance)) {
  if (variance == 0) return;
  int exponent = 0;
  std::frexp(variance, &exponent);
  const int half = (exponent - 1) >> 1;
  mantissa = std::ldexp(variance, -2 * half);
  unscale = std::ldexp(1.0, -half);
  inverse_root = 1 / std::sqrt(mantissa);
}

}  // namespace nngpcheck::analytic
