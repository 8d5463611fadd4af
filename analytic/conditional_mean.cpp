#include "analytic/conditional_mean.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "analytic/gaussian_smoothing.hpp"
#include "analytic/normal.hpp"

namespace nngpcheck::analytic {

namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon();
constexpr double reach = 9;  // the normal law has 2e-19 beyond
constexpr double farthest = 38.5;
constexpr double accurate = 1e-13;     // a formula whose relative bound is larger has cancelled
constexpr double largest_gap = 2e-15;  // of two trapezoidal rules

}  // namespace

ConditionalMean::ConditionalMean(const Profile& psi) : psi_(psi) {
  for (const double kink : psi.kinks()) kinks_.push_back(psi.mean() + psi.deviation() * kink);
}

Estimate ConditionalMean::operator()(double m, double s) {
  if (s == 0 || has_smoothed(psi_.phi())) {
    ++work_;
    const Estimate formula = s == 0 ? Estimate{evaluate(psi_.phi(), m), 0} : smoothed(psi_.phi(), m, s);
    if (formula.bound <= accurate * std::abs(formula.value)) return formula;
  }
  Estimate result;
  if (!has_kink_between(m - reach * s, m + reach * s) && by_trapezoid(m, s, result)) return result;
  return by_panels(m, s);
}

bool ConditionalMean::has_kink_between(double low, double high) const {
  const auto next = std::lower_bound(kinks_.begin(), kinks_.end(), low);
  return next != kinks_.end() && *next <= high;
}

/// Steps ½ and ¼: their difference bounds the error of the latter, which is about the fourth power of that of
/// the former.
bool ConditionalMean::by_trapezoid(double m, double s, Estimate& result) {
  constexpr int half = static_cast<int>(4 * reach);
  static const std::array<double, 2 * half + 1> weights = [] {
    std::array<double, 2 * half + 1> w;
    for (int k = -half; k <= half; ++k) w[k + half] = 0.25 * normal_density(0.25 * k);
    return w;
  }();
  double fine = 0, even = 0, size = 0, variation = 0, before = 0, edges = 0;
  for (int k = -half; k <= half; ++k) {
    const double value = evaluate(psi_.phi(), m + 0.25 * k * s);
    const double term = weights[k + half] * value;
    fine += term;
    if (k % 2 == 0) even += 2 * term;
    size += std::abs(term);
    if (k > -half) variation += std::max(weights[k + half], weights[k + half - 1]) * std::abs(value - before);
    before = value;
    if (std::abs(k) == half) edges += std::abs(term);
  }
  work_ += weights.size();
  const double gap = std::abs(fine - even);
  if (!(gap <= largest_gap * size && edges <= epsilon * size)) return false;
  const double shift = 2 * epsilon * (std::abs(m) + s) / (0.25 * s);  // of an argument, in steps
  result = {fine, gap + edges + epsilon * (6 + 0.5 * weights.size()) * size + shift * variation};
  return true;
}

Estimate ConditionalMean::by_panels(double m, double s) {
  std::vector<Feature> features;
  const auto first = std::lower_bound(kinks_.begin(), kinks_.end(), m - farthest * s);
  const auto last = std::upper_bound(kinks_.begin(), kinks_.end(), m + farthest * s);
  for (auto kink = first; kink != last; ++kink) features.push_back({(*kink - m) / s, 0});
  if (!homogeneous_form(psi_.phi())) features.push_back({-m / s, 1 / s});
  const Integral inner =
      gaussian_integral(Function([&](double z) { return evaluate(psi_.phi(), m + s * z); }), features,
                        {.offset = std::abs(m) / s, .largest_work = 20'000});
  work_ += inner.evaluations;
  return inner.estimate;
}

}  // namespace nngpcheck::analytic
