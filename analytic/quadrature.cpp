#include "analytic/quadrature.hpp"

#include <algorithm>
#include <array>
#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <cmath>
#include <limits>

#include "analytic/error.hpp"
#include "analytic/gaussian_smoothing.hpp"
#include "analytic/normal.hpp"
#include "analytic/scalar_activation.hpp"

namespace nngpcheck::analytic {

namespace {

using Function = std::function<double(double)>;
using Kronrod = boost::math::quadrature::gauss_kronrod<double, 31>;
using Gauss = boost::math::quadrature::gauss<double, 15>;

constexpr double epsilon = std::numeric_limits<double>::epsilon();
constexpr double farthest = 38.5;  // beyond it the density underflows
constexpr std::size_t largest_number_of_panels = 3000;

struct Panel {
  double left = 0, right = 0;
  double value = 0, error = 0, absolute = 0;

  bool operator<(const Panel& other) const { return error < other.error; }
};

/// f(x) times the density of x.
double weighted(const Function& f, double x) {
  const double density = normal_density(x);
  if (density == 0) return 0;
  const double value = f(x);
  if (std::isfinite(value)) return value * density;
  throw LimitError("the integrand of a Gaussian expectation is not finite, " + std::to_string(x) +
                   " standard deviations from the mean: the expectation overflows or does not exist");
}

Panel integrate_panel(const Function& f, double left, double right) {
  const double centre = 0.5 * (left + right);
  const double half = 0.5 * (right - left);
  const auto& nodes = Kronrod::abscissa();
  const auto& weights = Kronrod::weights();
  const auto& gauss_weights = Gauss::weights();  // the Gauss nodes are every second Kronrod node
  const double middle = weighted(f, centre);
  double kronrod = middle * weights[0];
  double gauss = middle * gauss_weights[0];
  double absolute = std::abs(kronrod);
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    const double low = weighted(f, centre - half * nodes[i]);
    const double high = weighted(f, centre + half * nodes[i]);
    kronrod += weights[i] * (low + high);
    absolute += weights[i] * (std::abs(low) + std::abs(high));
    if (i % 2 == 0) gauss += gauss_weights[i / 2] * (low + high);
  }
  return {left, right, half * kronrod, half * std::abs(kronrod - gauss), half * absolute};
}

/// Extrapolation from the outermost nodes of a panel to its end: a kink between them, which neither rule
/// sees, shows as a difference from f.
struct EndCheck {
  double end = 1 - 1e-6;
  std::array<double, 6> nodes;
  std::array<double, 6> weights;  // Lagrange's

  EndCheck() {
    const auto& all = Kronrod::abscissa();
    std::copy(all.end() - nodes.size(), all.end(), nodes.begin());
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      weights[i] = 1;
      for (std::size_t j = 0; j < nodes.size(); ++j) {
        if (j != i) weights[i] *= (end - nodes[j]) / (nodes[i] - nodes[j]);
      }
    }
  }

  double error(const Function& f, const Panel& panel) const {
    const double centre = 0.5 * (panel.left + panel.right);
    const double half = 0.5 * (panel.right - panel.left);
    double largest = 0;
    for (const double side : {-half, half}) {
      double predicted = 0;
      for (std::size_t i = 0; i < nodes.size(); ++i) {
        predicted += weights[i] * weighted(f, centre + side * nodes[i]);
      }
      largest = std::max(largest, std::abs(weighted(f, centre + side * end) - predicted));
    }
    return 2 * half * (1 - nodes.back()) * largest;
  }
};

/// Ascending points from -farthest to farthest, geometrically closer towards each feature.
std::vector<double> panel_ends(const std::vector<Feature>& features) {
  std::vector<double> ends = {-farthest, -12, -6, -2.5, 0, 2.5, 6, 12, farthest};
  for (const Feature& feature : features) {
    if (!(std::abs(feature.centre) < farthest)) continue;
    ends.push_back(feature.centre);
    if (feature.width <= 0) continue;
    for (double distance = 2 * feature.width; distance < 2.5; distance *= 4) {
      ends.push_back(feature.centre - distance);
      ends.push_back(feature.centre + distance);
    }
  }
  std::sort(ends.begin(), ends.end());
  std::erase_if(ends, [](double x) { return std::abs(x) > farthest; });
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
  return ends;
}

Panel total(const std::vector<Panel>& panels) {
  Panel sum;
  for (const Panel& panel : panels) {
    sum.value += panel.value;
    sum.error += panel.error;
    sum.absolute += panel.absolute;
  }
  return sum;
}

bool may_have_others(const netsor::Activation& phi) { return !phi.breakpoints(-40, 40).complete; }

/// E[ψ(m + s z)], by formula or quadrature; keeps the largest error bound that it met.
struct InnerMean {
  const netsor::Activation& psi;
  double largest_error = 0;
  std::int64_t evaluations = 0;

  double operator()(double m, double s) {
    if (s == 0 || has_smoothed(psi)) {
      ++evaluations;
      return s == 0 ? evaluate(psi, m) : smoothed(psi, m, s);
    }
    const Integral inner = gaussian_integral([&](double z) { return evaluate(psi, m + s * z); },
                                             features(psi, m, s), {.undeclared_kinks = may_have_others(psi)});
    largest_error = std::max(largest_error, inner.estimate.bound);
    evaluations += inner.evaluations;
    return inner.estimate.value;
  }
};

/// E[e^u ψ(v)] = E[e^u] E[ψ(v + cov(u, v))]: the peak of the integrand may lie far out.
Integral tilted_mean(const netsor::Activation& psi, const BivariateNormal& law) {
  const double exponent = law.mean_u + 0.5 * law.variance_u;
  const double factor = std::exp(exponent);
  Integral result = quadrature_mean(psi, law.mean_v + law.covariance, law.variance_v);
  const double rounding = (4 + 2 * std::abs(exponent)) * epsilon;
  result.estimate.bound = factor * (result.estimate.bound + rounding * std::abs(result.estimate.value));
  result.estimate.value *= factor;
  result.absolute *= factor;
  return result;
}

BivariateNormal swapped(const BivariateNormal& law) {
  return {law.variance_v, law.variance_u, law.covariance, law.mean_v, law.mean_u};
}

}  // namespace

Integral gaussian_integral(const Function& f, const std::vector<Feature>& features,
                           const QuadratureOptions& options) {
  static const EndCheck end_check;
  const auto integrate = [&](double left, double right) {
    Panel panel = integrate_panel(f, left, right);
    if (options.undeclared_kinks) panel.error += end_check.error(f, panel);
    return panel;
  };
  const std::vector<double> ends = panel_ends(features);
  std::vector<Panel> panels;  // a heap: the panel with the largest error first
  for (std::size_t i = 0; i + 1 < ends.size(); ++i) panels.push_back(integrate(ends[i], ends[i + 1]));
  std::make_heap(panels.begin(), panels.end());
  std::size_t count = panels.size();
  Panel sum = total(panels);
  while (sum.error > options.tolerance * sum.absolute && panels.size() < largest_number_of_panels) {
    std::pop_heap(panels.begin(), panels.end());
    const Panel worst = panels.back();
    const double centre = 0.5 * (worst.left + worst.right);
    if (!(worst.left < centre && centre < worst.right)) break;
    panels.back() = integrate(worst.left, centre);
    sum.error += panels.back().error - worst.error;
    std::push_heap(panels.begin(), panels.end());
    panels.push_back(integrate(centre, worst.right));
    sum.error += panels.back().error;
    std::push_heap(panels.begin(), panels.end());
    count += 2;
  }
  sum = total(panels);
  return {{sum.value, sum.error + 4 * epsilon * sum.absolute},
          sum.absolute,
          static_cast<std::int64_t>(31 * count)};
}

std::vector<Feature> features(const netsor::Activation& phi, double mean, double deviation) {
  std::vector<Feature> result;
  for (const double kink : kinks(phi)) result.push_back({(kink - mean) / deviation, 0});
  if (!homogeneous_form(phi)) result.push_back({-mean / deviation, 1 / deviation});
  return result;
}

Integral quadrature_mean(const netsor::Activation& phi, double mean, double variance) {
  const double deviation = std::sqrt(variance);
  return gaussian_integral([&](double x) { return evaluate(phi, mean + deviation * x); },
                           features(phi, mean, deviation), {.undeclared_kinks = may_have_others(phi)});
}

Integral quadrature_square(const netsor::Activation& phi, double mean, double variance) {
  const double deviation = std::sqrt(variance);
  const auto square = [&](double x) {
    const double value = evaluate(phi, mean + deviation * x);
    return value * value;
  };
  return gaussian_integral(square, features(phi, mean, deviation), {.undeclared_kinks = may_have_others(phi)});
}

Integral quadrature_dual(const netsor::Activation& phi, const netsor::Activation& psi,
                         const BivariateNormal& law) {
  if (phi.kind() == netsor::Activation::Kind::exp) return tilted_mean(psi, law);
  if (psi.kind() == netsor::Activation::Kind::exp) return tilted_mean(phi, swapped(law));
  if (has_smoothed(phi) && !has_smoothed(psi)) return quadrature_dual(psi, phi, swapped(law));
  const Variance a(law.variance_u);
  const Variance b(law.variance_v);
  const Correlation correlation(a, b, law.covariance);
  const double slope = correlation.cosine * b.deviation;  // of E[v | u] in standard units of u
  const double spread = correlation.sine * b.deviation;
  std::vector<Feature> all = features(phi, law.mean_u, a.deviation);
  for (const Feature& feature : features(psi)) {
    if (slope == 0) break;
    all.push_back(
        {(feature.centre - law.mean_v) / slope, std::hypot(feature.width, spread) / std::abs(slope)});
  }
  InnerMean inner{psi};
  const auto integrand = [&](double x) {
    const double outer = evaluate(phi, law.mean_u + a.deviation * x);
    return outer == 0 ? 0.0 : outer * inner(law.mean_v + slope * x, spread);
  };
  Integral result = gaussian_integral(integrand, all, {.undeclared_kinks = may_have_others(phi) || may_have_others(psi)});
  if (inner.largest_error > 0) {
    result.estimate.bound += inner.largest_error * quadrature_mean(phi, law.mean_u, law.variance_u).absolute;
    result.evaluations = inner.evaluations;
  }
  return result;
}

}  // namespace nngpcheck::analytic
