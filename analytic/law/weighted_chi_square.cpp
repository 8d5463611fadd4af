#include "nngpcheck/analytic/law/weighted_chi_square.hpp"

#include <algorithm>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>
#include <complex>
#include <numbers>

namespace nngpcheck::analytic {

namespace {

// The s > 0 at which exp(φ), φ(s) = x s - (k/2) Σ log(1 + 2λ s/k) - log s, is least.
double saddle(const WeightedChiSquare& law, double x) {
  const auto slope = [&](double log_s) {
    const double s = std::exp(log_s);
    return x - (law.weights.array() / (1 + 2 * s / law.repeats * law.weights.array())).sum() - 1 / s;
  };
  const double low = 1 / x, high = (1 + 0.5 * law.repeats * static_cast<double>(law.weights.size())) / x;
  std::uintmax_t iterations = 200;
  const auto [left, right] =
      boost::math::tools::toms748_solve(slope, std::log(low) - 1e-3, std::log(high) + 1e-3,
                                        boost::math::tools::eps_tolerance<double>(20), iterations);
  return std::exp(0.5 * (left + right));
}

}  // namespace

// Through the saddle the integrand exp(φ) is all but a Gaussian, and the trapezoidal rule converges
// exponentially: along a parabola that follows the steepest descent or, for many degrees of freedom, where it
// falls fast enough by itself, straight.
double WeightedChiSquare::cdf(double x) const {
  using Complex = std::complex<double>;
  const double t = x - constant;
  if (t <= 0) return 0;
  const double s_0 = saddle(*this, t);
  const auto phi = [&](Complex s) {
    Complex sum = 0;
    for (const double weight : weights) sum += std::log(1.0 + 2 * weight / repeats * s);
    return t * s - 0.5 * repeats * sum - std::log(s);
  };
  const Eigen::ArrayXd moved = 2 / repeats * weights.array() / (1 + 2 * s_0 / repeats * weights.array());
  const double second = 0.5 * repeats * moved.square().sum() + std::pow(s_0, -2);
  const double third = -repeats * moved.cube().sum() - 2 * std::pow(s_0, -3);
  const double freedom = repeats * std::pow(weights.sum(), 2) / weights.squaredNorm();
  const double bend = freedom < 40 ? third / (6 * second) : 0, step = 0.2 / std::sqrt(second);
  double sum = std::exp(phi(s_0)).real();
  for (int k = 1; k < 10000; ++k) {
    const double w = k * step;
    const Complex term = std::exp(phi({s_0 + bend * w * w, w})) * Complex(1, -2 * bend * w);
    sum += 2 * term.real();
    if (std::abs(term) <= 1e-14 * std::abs(sum)) break;
  }
  return std::clamp(step / (2 * std::numbers::pi) * sum, 0.0, 1.0);
}

double WeightedChiSquare::quantile(double level) const {
  const double spread = std::sqrt(2 * weights.squaredNorm() / repeats);
  double low = constant, high = mean() + spread;
  while (cdf(high) < level) high = constant + 2 * (high - constant);
  const auto excess = [&](double x) { return cdf(x) - level; };
  std::uintmax_t iterations = 200;
  const auto [left, right] = boost::math::tools::toms748_solve(
      excess, low, high, -level, excess(high), boost::math::tools::eps_tolerance<double>(40), iterations);
  return 0.5 * (left + right);
}

}  // namespace nngpcheck::analytic
