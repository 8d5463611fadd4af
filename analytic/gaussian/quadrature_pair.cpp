#include "nngpcheck/analytic/gaussian/quadrature_pair.hpp"

#include <cmath>
#include <sstream>

#include "nngpcheck/analytic/error.hpp"
#include "nngpcheck/analytic/gaussian/conditional_mean.hpp"
#include "nngpcheck/analytic/gaussian/gaussian_smoothing.hpp"
#include "nngpcheck/analytic/uncertain.hpp"

namespace nngpcheck::analytic {

namespace {

using Kind = netsor::Activation::Kind;

constexpr double rough = 1e-4;                    // relative accuracy of numbers that only enter bounds
constexpr std::int64_t largest_work = 2'000'000;  // evaluations for one pair, a fraction of a second
constexpr double largest_error = 1e-3;  // relative to √(E[φ²] E[ψ²]); beyond it there is no number to give

/// E[e^u ψ(v)] = E[e^u] E[ψ(v + cov(u, v))]: the peak of the integrand may lie far out.
Integral tilted_mean(const Profile& exponential, const Profile& psi, const Correlation& correlation) {
  const double a = exponential.deviation();
  const double exponent = exponential.mean() + 0.5 * a * a;
  const double factor = std::exp(exponent);
  const double shift = correlation.cosine * a * psi.deviation();
  Integral result = quadrature_mean(Profile(psi.phi(), psi.mean() + shift, psi.deviation()));
  const double rounding = (6 + 2 * std::abs(exponential.mean()) + a * a) * epsilon;
  result.estimate.bound = factor * (result.estimate.bound + rounding * std::abs(result.estimate.value));
  result.estimate.value *= factor;
  result.absolute *= factor;
  return result;
}

std::string described(const Profile& profile) {
  std::ostringstream text;
  text << profile.phi().name() << " at variance " << profile.deviation() * profile.deviation();
  if (profile.mean() != 0) text << " and mean " << profile.mean();
  return text.str();
}

std::string described(const Profile& phi, const Profile& psi) {
  const std::string left = described(phi);
  const std::string right = described(psi);
  return left == right ? left : left + " times " + right;
}

}  // namespace

Integral quadrature_dual(const Profile& phi, const Profile& psi, const Correlation& correlation) {
  if (phi.phi().kind() == Kind::exp) return tilted_mean(phi, psi, correlation);
  if (psi.phi().kind() == Kind::exp) return tilted_mean(psi, phi, correlation);
  if (has_smoothed(phi.phi()) && !has_smoothed(psi.phi())) return quadrature_dual(psi, phi, correlation);
  const double slope = correlation.cosine * psi.deviation();  // of E[v | u] in standard units of u
  const double spread = correlation.sine * psi.deviation();
  std::vector<Feature> all = phi.features();
  for (const Feature& feature : psi.features()) {
    if (correlation.cosine == 0) break;
    all.push_back({feature.centre / correlation.cosine,
                   std::hypot(feature.width, correlation.sine) / std::abs(correlation.cosine)});
  }
  ConditionalMean inner(psi);
  const auto integrand = [&](double x) {
    const double outer = phi(x);
    if (outer == 0) return Estimate{};
    const Estimate mean = inner(psi.mean() + slope * x, spread);
    return Estimate{outer * mean.value, std::abs(outer) * mean.bound};
  };
  const QuadratureOptions options{.undeclared_kinks = !phi.kinks_are_complete() || !psi.kinks_are_complete(),
                                  .offset = std::abs(phi.mean()) / phi.deviation(),
                                  .largest_work = largest_work,
                                  .work = &inner.work()};
  Integral result = gaussian_integral(UncertainFunction(integrand), all, options);
  result.evaluations = inner.work();
  return result;
}

Estimate quadrature_dual(const netsor::Activation& phi, const netsor::Activation& psi,
                         const BivariateNormal& law) {
  const QuadraturePair pair(phi, psi);
  return pair.moment(pair.row({{law.mean_u, 0}, {law.variance_u, 0}}),
                     pair.column({{law.mean_v, 0}, {law.variance_v, 0}}), {law.covariance, 0});
}

double law_shift(const Function& f, const std::vector<Feature>& features, const Normal& u) {
  const QuadratureOptions options{.tolerance = rough};
  double result = 0;
  if (u.mean.bound > 0) {
    const Estimate slope =
        gaussian_integral(Function([&](double x) { return x * f(x); }), features, options).estimate;
    result += (std::abs(slope.value) + slope.bound) * u.mean.bound / std::sqrt(u.variance.value);
  }
  if (u.variance.bound > 0) {
    const Estimate slope =
        gaussian_integral(Function([&](double x) { return (x * x - 1) * f(x); }), features, options).estimate;
    result += (std::abs(slope.value) + slope.bound) * u.variance.bound / (2 * u.variance.value);
  }
  return result;
}

Estimate square_with_bounds(const netsor::Activation& phi, const Normal& u) {
  if (phi.kind() == Kind::exp) {
    const ExponentialPair pair;
    return with_bounds_on_diagonal(pair.moment(u, u, u.variance), u);
  }
  const Profile profile(phi, u.mean.value, std::sqrt(u.variance.value));
  const Integral square = quadrature_square(profile);
  if (!square.converged && square.estimate.bound > largest_error * square.estimate.value) {
    throw LimitError("the expectation of the square of " + described(profile) +
                     " takes more work than is allowed; reduce the variance or use a smoother activation");
  }
  Estimate result = square.estimate;
  const auto f = [&](double x) { return profile(x) * profile(x); };
  result.bound += law_shift(f, profile.features(), u);
  return result;
}

QuadraturePair::Column QuadraturePair::prepare(const netsor::Activation& phi, const Normal& normal) {
  const double deviation = std::sqrt(normal.variance.value);
  const Profile profile(phi, normal.mean.value, deviation);
  if (phi.kind() != Kind::exp) return {normal, profile, roughness(profile)};
  const double norm = std::exp(normal.mean.value + normal.variance.value);
  return {normal, profile, {norm, deviation * norm, 0}};
}

Estimate QuadraturePair::moment(const Column& u, const Column& v, Estimate c) const {
  const auto& [mean_u, variance_u] = u.normal;
  const auto& [mean_v, variance_v] = v.normal;
  const Correlation correlation(Variance(variance_u.value), Variance(variance_v.value), c.value);
  const Integral integral = quadrature_dual(u.profile, v.profile, correlation);
  work_ = integral.evaluations;
  const Roughness& left = u.roughness;
  const Roughness& right = v.roughness;
  Estimate result = integral.estimate;
  if (!integral.converged && result.bound > largest_error * left.norm * right.norm) {
    throw LimitError("E[φ(u) φ(v)] of " + described(u.profile, v.profile) + " at correlation " +
                     std::to_string(correlation.cosine) + " takes more than " + std::to_string(largest_work) +
                     " evaluations; reduce the variance or use an activation that varies more slowly");
  }
  const double own_left = left.gradient + left.jump;
  const double own_right = right.gradient + right.jump;
  // |∂E/∂ρ| = |Σ k a_k b_k ρ^{k-1}| in Hermite coefficients
  const double room = correlation.sine * correlation.sine / (1 + std::abs(correlation.cosine));  // 1 - |ρ|
  const double slope = std::min(own_left * own_right, left.norm * right.norm / room);
  result.bound += 4 * epsilon * slope;  // ρ is rounded: two roots, a product and a quotient
  const double shift_u = variance_u.bound / (2 * variance_u.value);
  const double shift_v = variance_v.bound / (2 * variance_v.value);
  const double shift_c = c.bound / u.profile.deviation() / v.profile.deviation();
  // The arguments mean + deviation x are rounded, as if the means were.
  const double shift_mean_u =
      (mean_u.bound + epsilon * std::abs(mean_u.value)) / u.profile.deviation() + epsilon;
  const double shift_mean_v =
      (mean_v.bound + epsilon * std::abs(mean_v.value)) / v.profile.deviation() + epsilon;
  // Cauchy-Schwarz on Price's theorem; jumps move with the angle.
  double change = std::min(slope, left.gradient * right.gradient) * shift_c;
  change += shift_u * own_left * std::hypot(own_right, right.norm);
  change += shift_v * own_right * std::hypot(own_left, left.norm);
  change += shift_mean_u * own_left * right.norm;
  change += shift_mean_v * own_right * left.norm;
  if (left.jump > 0 || right.jump > 0) {
    const double shift = shift_c + shift_u + shift_v;
    change += (left.jump * own_right + own_left * right.jump) * shift;
    change += left.jump * right.jump * angle_shift(correlation, shift);
    change *= 2;  // an estimate, see docs/theory.md: jumps and slopes may fall together where u and v nearly
                  // are one
  }
  result.bound += change;
  return result;
}

}  // namespace nngpcheck::analytic
