#include "nngpcheck/analytic/gaussian/normal_law.hpp"

#include <cmath>
#include <functional>
#include <limits>
#include <sstream>

#include "nngpcheck/analytic/error.hpp"
#include "nngpcheck/analytic/gaussian/gaussian_smoothing.hpp"
#include "nngpcheck/analytic/gaussian/profile.hpp"
#include "nngpcheck/analytic/gaussian/quadrature_pair.hpp"
#include "nngpcheck/analytic/uncertain.hpp"

namespace nngpcheck::analytic {

namespace {

constexpr double few_roundings =
    64 * epsilon;                             // relative bound of a formula beyond which quadrature is tried
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
    const Profile profile(phi, mean, deviation);
    QuadratureOptions options = profile.options();
    options.square = true;
    const Function difference = [&](double x) { return profile(x) - centre; };
    const Estimate square = gaussian_integral(difference, profile.features(), options).estimate;
    largest = std::max(largest, std::sqrt(square.value + square.bound));
  }
  return largest;
}

/// By formula if its bound is as good as quadrature's.
Estimate exact_mean(const netsor::Activation& phi, double mean, double variance) {
  const double deviation = std::sqrt(variance);
  if (variance == 0) return {evaluate(phi, mean), 4 * epsilon * std::abs(evaluate(phi, mean))};
  if (has_smoothed(phi)) {
    const Estimate formula = smoothed(phi, mean, deviation);
    if (formula.bound <= few_roundings * std::abs(formula.value) || !std::isfinite(formula.value))
      return formula;
  }
  return quadrature_mean(Profile(phi, mean, deviation)).estimate;
}

}  // namespace

Normal checked_normal(Estimate mean, Estimate variance, const std::string& where) {
  if (!std::isfinite(mean.value) || !std::isfinite(variance.value) || !is_bound(mean.bound) ||
      !is_bound(variance.bound) || variance.value < -variance.bound) {
    throw LimitError(where + ": not a normal law: mean " + number(mean.value) + " ± " + number(mean.bound) +
                     ", variance " + number(variance.value) + " ± " + number(variance.bound));
  }
  if (variance.value > 0 && variance.value < std::numeric_limits<double>::min()) {
    throw LimitError(
        where + ": the variance " + number(variance.value) +
        " underflows: signals shrink from layer to layer; use larger weight variances (with relu, 2 " +
        "keeps them), a normalization, or fewer layers");
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
  const Profile profile(phi, mean.value, std::sqrt(variance.value));
  result.bound += law_shift(std::cref(profile), profile.features(), u);
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
    const auto spread = [](const netsor::Activation& f, const Normal& x) {
      return x.variance.value > 0 ? roughness(Profile(f, x.mean.value, std::sqrt(x.variance.value))).norm
                                  : spread_at_zero_variance(f, x);
    };
    bound += spread(phi, u) * spread(psi, v);
  }
  return {left.value * right.value, bound};
}

}  // namespace nngpcheck::analytic
