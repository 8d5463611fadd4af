#include "nngpcheck/analytic/gaussian/conditional_mean.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "nngpcheck/analytic/gaussian/gaussian_smoothing.hpp"
#include "nngpcheck/analytic/gaussian/normal.hpp"
#include "nngpcheck/analytic/uncertain.hpp"

namespace nngpcheck::analytic {

namespace {

constexpr double reach =
    9;  // the normal law has 2e-19 beyond, where smooth functions have as little as at the edge
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

namespace {

/// The trapezoidal rule for E[f(z)] of this step, from -reach to reach.
struct Trapezoid {
  double step;
  std::vector<double> weights = {};

  explicit Trapezoid(double h) : step(h) {
    for (int k = -half(); k <= half(); ++k) weights.push_back(step * normal_density(step * k));
  }

  int half() const { return static_cast<int>(reach / step); }
};

/// What it makes of ψ(m + s z): the sum of its terms, of their sizes, of the differences between neighbours,
/// and of the outermost two.
struct Terms {
  double sum = 0, size = 0, variation = 0, edges = 0;

  Terms(const Trapezoid& rule, const netsor::Activation& psi, double m, double s) {
    const int half = rule.half();
    double before = 0;
    for (int k = -half; k <= half; ++k) {
      const auto n = static_cast<std::size_t>(k + half);
      const double weight = rule.weights[n];
      const double value = evaluate(psi, m + rule.step * k * s);
      sum += weight * value;
      size += weight * std::abs(value);
      if (n > 0) variation += std::max(weight, rule.weights[n - 1]) * std::abs(value - before);
      if (std::abs(k) == half) edges += weight * std::abs(value);
      before = value;
    }
  }
};

}  // namespace

/// At least E[|ψ(m + s z)|; reach ≤ |z| ≤ farthest], for a ψ that is monotone in size between neighbouring
/// points.
double size_beyond(const netsor::Activation& psi, double m, double s) {
  constexpr double step = 0.25;
  double result = 0;
  for (const double side : {-s, s}) {
    double before = std::abs(evaluate(psi, m + side * reach));
    for (double z = reach; z < farthest; z += step) {
      const double value = std::abs(evaluate(psi, m + side * (z + step)));
      result += step * normal_density(z) * std::max(before, value);
      before = value;
    }
  }
  return result;
}

/// Steps ¼ and √2/4. A frequency aliases to its remainder by 2π/step: where one rule takes an oscillation for
/// a slower one, the other, whose step is no rational multiple, takes it for another.
bool ConditionalMean::by_trapezoid(double m, double s, Estimate& result) {
  static const Trapezoid fine_rule(0.25), coarse_rule(0.25 * std::numbers::sqrt2);
  const Terms fine(fine_rule, psi_.phi(), m, s), coarse(coarse_rule, psi_.phi(), m, s);
  work_ += std::ssize(fine_rule.weights) + std::ssize(coarse_rule.weights);
  const double gap = std::abs(fine.sum - coarse.sum);
  if (!(gap <= largest_gap * fine.size && fine.edges + coarse.edges <= epsilon * fine.size)) return false;
  // Smooth functions end at the edge; beyond kinks there may be more than that shows.
  const bool kinks = has_kink_between(m - farthest * s, m + farthest * s);
  const double beyond = kinks ? size_beyond(psi_.phi(), m, s) : 0;
  if (psi_.kinks_are_complete() && fine.edges + coarse.edges + beyond > epsilon * fine.size) return false;
  const double shift = 2 * epsilon * (std::abs(m) + s) / (fine_rule.step * s);  // of an argument, in steps
  const double roundings = 6 + 0.5 * static_cast<double>(fine_rule.weights.size());
  result = {fine.sum, gap + fine.edges + coarse.edges + beyond + epsilon * roundings * fine.size +
                          shift * fine.variation};
  return true;
}

Estimate ConditionalMean::by_panels(double m, double s) {
  std::vector<Feature> features;
  const auto first = std::lower_bound(kinks_.begin(), kinks_.end(), m - farthest * s);
  const auto last = std::upper_bound(kinks_.begin(), kinks_.end(), m + farthest * s);
  const bool complete = psi_.kinks_are_complete();  // else where they are is not known well enough
  for (auto kink = first; complete && kink != last; ++kink) features.push_back({(*kink - m) / s, 0});
  if (!homogeneous_form(psi_.phi())) features.push_back({-m / s, 1 / s});
  const Integral inner =
      gaussian_integral(Function([&](double z) { return evaluate(psi_.phi(), m + s * z); }), features,
                        {.undeclared_kinks = !complete, .offset = std::abs(m) / s, .largest_work = 20'000});
  work_ += inner.evaluations;
  return inner.estimate;
}

}  // namespace nngpcheck::analytic
