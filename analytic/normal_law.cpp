#include "analytic/normal_law.hpp"

#include <cmath>
#include <sstream>

#include "analytic/error.hpp"
#include "analytic/gaussian_smoothing.hpp"
#include "analytic/quadrature_pair.hpp"

namespace nngpcheck::analytic {

namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon();
constexpr double rounding_tolerance = 1e-10;  // relative, of a covariance beyond √(ab)

std::string number(double x) {
  std::ostringstream text;
  text.precision(17);
  text << x;
  return text.str();
}

bool is_bound(double x) { return x >= 0 && std::isfinite(x); }

/// √E[(φ(u) - φ(mean))²] at the worst mean within its bound and the variance's bound as variance.
double spread_at_zero_variance(const netsor::Activation& phi, const Normal& u) {
  const double centre = evaluate(phi, u.mean.value);
  double largest = 0;
  for (const double mean : {u.mean.value, u.mean.value - u.mean.bound, u.mean.value + u.mean.bound}) {
    if (u.variance.bound == 0) {
      largest = std::max(largest, std::abs(evaluate(phi, mean) - centre));
      continue;
    }
    const double deviation = std::sqrt(u.variance.bound);
    const std::vector<Feature> points = features(phi, mean, deviation);
    const auto square = [&](double x) {
      const double difference = evaluate(phi, mean + deviation * x) - centre;
      return difference * difference;
    };
    largest = std::max(largest, std::sqrt(gaussian_integral(square, points).estimate.value));
  }
  return largest;
}

/// Whether the recurrence behind `smoothed` would cancel: rectified powers far from their support.
bool cancels(const netsor::Activation& phi, double mean, double deviation) {
  const std::optional<HomogeneousForm> form = homogeneous_form(phi);
  return form && !is_monomial(*form) && form->power >= 1 && std::abs(mean) > deviation;
}

Estimate exact_mean(const netsor::Activation& phi, double mean, double variance) {
  const double deviation = std::sqrt(variance);
  if (variance == 0) return {evaluate(phi, mean), 2 * epsilon * std::abs(evaluate(phi, mean))};
  if (!has_smoothed(phi) || cancels(phi, mean, deviation))
    return quadrature_mean(phi, mean, variance).estimate;
  const double value = smoothed(phi, mean, deviation);
  double size = std::abs(value);
  for (const double x : {-1.5, -0.5, 0.5, 1.5})
    size = std::max(size, std::abs(evaluate(phi, mean + x * deviation)));
  using Kind = netsor::Activation::Kind;
  if (phi.kind() == Kind::exp) return {value, (4 + std::abs(mean) + variance) * epsilon * value};
  if (phi.kind() == Kind::sin || phi.kind() == Kind::cos) {
    return {value, (4 * std::abs(value) + (4 + variance) * std::abs(value) +
                    2 * std::abs(mean) * std::exp(-0.5 * variance)) *
                       epsilon};
  }
  return {value, 24 * epsilon * size};
}

}  // namespace

Normal checked_normal(Estimate mean, Estimate variance, const std::string& where) {
  if (!std::isfinite(mean.value) || !std::isfinite(variance.value) || !is_bound(mean.bound) ||
      !is_bound(variance.bound) || variance.value < -variance.bound) {
    throw LimitError(where + ": not a normal law: mean " + number(mean.value) + " ± " + number(mean.bound) +
                     ", variance " + number(variance.value) + " ± " + number(variance.bound));
  }
  if (variance.value < 0) variance = {0, variance.bound + variance.value};
  return {mean, variance};
}

Estimate checked_covariance(const Normal& u, const Normal& v, Estimate covariance, const std::string& where) {
  const double limit = std::sqrt(u.variance.value) * std::sqrt(v.variance.value);
  const double size = std::abs(covariance.value);
  if (size <= limit && is_bound(covariance.bound)) return covariance;
  const double allowed = std::sqrt(u.variance.value + u.variance.bound) *
                             std::sqrt(v.variance.value + v.variance.bound) * (1 + rounding_tolerance) +
                         covariance.bound;
  if (!(size <= allowed) || !is_bound(covariance.bound)) {
    throw LimitError(where + ": not a bivariate normal law: covariance " + number(covariance.value) + " ± " +
                     number(covariance.bound) + " exceeds √(" + number(u.variance.value) + " · " +
                     number(v.variance.value) + ") = " + number(limit));
  }
  const bool is_rounding =
      Correlation(Variance(u.variance.value), Variance(v.variance.value), covariance.value).excess == 0;
  if (is_rounding) return covariance;
  return {std::copysign(limit, covariance.value), covariance.bound + (size - limit)};
}

Estimate mean_with_bound(const netsor::Activation& phi, const Normal& u) {
  const auto& [mean, variance] = u;
  Estimate result = exact_mean(phi, mean.value, variance.value);
  if (mean.bound == 0 && variance.bound == 0) return result;
  if (variance.value == 0) {
    result.bound += spread_at_zero_variance(phi, u);
    return result;
  }
  if (phi.kind() == netsor::Activation::Kind::exp) {
    result.bound += result.value * std::expm1(mean.bound + 0.5 * variance.bound);
    return result;
  }
  const double deviation = std::sqrt(variance.value);
  const auto value = [&](double x) { return evaluate(phi, mean.value + deviation * x); };
  result.bound += law_shift(value, features(phi, mean.value, deviation), u);
  return result;
}

Estimate degenerate_dual(const netsor::Activation& phi, const netsor::Activation& psi, const Normal& u,
                         const Normal& v) {
  const auto is_certain = [](const Normal& x) { return x.mean.bound == 0 && x.variance.bound == 0; };
  const Estimate left = mean_with_bound(phi, u);
  const Estimate right = mean_with_bound(psi, v);
  double bound =
      std::abs(left.value) * right.bound + std::abs(right.value) * left.bound + left.bound * right.bound;
  // Where both vary after all, their covariance counts: Cauchy-Schwarz.
  const bool varies_left = u.variance.value > 0 || !is_certain(u);
  const bool varies_right = v.variance.value > 0 || !is_certain(v);
  if (varies_left && varies_right) {
    const double spread_left = u.variance.value > 0 ? roughness(phi, u.mean.value, u.variance.value).norm
                                                    : spread_at_zero_variance(phi, u);
    const double spread_right = v.variance.value > 0 ? roughness(psi, v.mean.value, v.variance.value).norm
                                                     : spread_at_zero_variance(psi, v);
    bound += spread_left * spread_right;
  }
  return {left.value * right.value, bound};
}

}  // namespace nngpcheck::analytic
