#include "nngpcheck/analytic/gaussian/quadrature.hpp"

#include <algorithm>
#include <array>
#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <cmath>
#include <limits>
#include <numeric>
#include <sstream>

#include "nngpcheck/analytic/error.hpp"
#include "nngpcheck/analytic/gaussian/normal.hpp"
#include "nngpcheck/analytic/uncertain.hpp"

namespace nngpcheck::analytic {

namespace {

using Kronrod = boost::math::quadrature::gauss_kronrod<double, 31>;
using Gauss = boost::math::quadrature::gauss<double, 15>;

constexpr std::size_t points = 31;

/// The Kronrod rule on [-1, 1] in ascending order, and on its nodes: null rules, which give 0 for polynomials
/// of degree below 30, 29 and 28, and the derivative of the polynomial through values.
///
/// The first null rule is Kronrod - Gauss. Where a panel does not resolve an oscillation, one rule may give
/// next to nothing by accident; they are orthogonal, of equal norm, so that all of them seldom do (Laurie,
/// "Null rules and orthogonal expansions", 1994).
struct Rule {
  std::array<double, points> nodes, kronrod;
  std::array<std::array<double, points>, 3> null{};
  std::array<std::array<double, points>, points> derivative;  // [j][i]: at node i, of node j's polynomial

  Rule() {
    constexpr std::size_t middle = points / 2;
    for (std::size_t i = 0; i <= middle; ++i) {
      for (const std::size_t n : {middle - i, middle + i}) {
        nodes[n] = (n < middle ? -1 : 1) * Kronrod::abscissa()[i];
        kronrod[n] = Kronrod::weights()[i];
        null[0][n] = kronrod[n] - (i % 2 == 0 ? Gauss::weights()[i / 2] : 0);
      }
    }
    std::array<double, points> products;
    products.fill(1);
    for (std::size_t i = 0; i < points; ++i) {
      for (std::size_t j = 0; j < points; ++j) {
        if (j != i) products[i] *= nodes[i] - nodes[j];
      }
    }
    for (std::size_t i = 0; i < points; ++i) {
      derivative[i][i] = 0;
      for (std::size_t j = 0; j < points; ++j) {
        if (j == i) continue;
        derivative[j][i] = products[i] / products[j] / (nodes[i] - nodes[j]);
        derivative[i][i] += 1 / (nodes[i] - nodes[j]);
      }
    }
    // Null rules of lower degree are this one times polynomials.
    const auto norm = [this](std::size_t k) {
      return std::sqrt(std::inner_product(null[k].begin(), null[k].end(), null[k].begin(), 0.0));
    };
    for (std::size_t i = 0; i < points; ++i) {
      null[1][i] = nodes[i] * null[0][i];
      null[2][i] = nodes[i] * null[1][i];
    }
    const double shared = std::pow(norm(1) / norm(0), 2);
    for (std::size_t i = 0; i < points; ++i) null[2][i] -= shared * null[0][i];
    for (const std::size_t k : {1, 2}) {
      const double scale = norm(0) / norm(k);
      for (double& weight : null[k]) weight *= scale;
    }
  }
};

const Rule& rule() {
  static const Rule instance;
  return instance;
}

struct Panel {
  double left = 0, right = 0;
  double value = 0, error = 0, rounding = 0, absolute = 0, gradient = 0, noise = 0;

  /// What halving the panel can gain.
  double excess() const { return std::max(0.0, error - rounding); }
  bool operator<(const Panel& other) const { return excess() < other.excess(); }
};

[[noreturn]] void throw_not_finite(double x) {
  std::ostringstream text;
  text << "the integrand of a Gaussian expectation is not finite, " << x
       << " standard deviations from the mean: the expectation overflows or does not exist";
  throw LimitError(text.str());
}

/// E[f] or E[f²] over panels.
class Integrator {
 public:
  Integrator(const UncertainFunction& f, const QuadratureOptions& options) : f_(f), options_(options) {}

  Panel panel(double left, double right) {
    const double centre = 0.5 * (left + right);
    const double half = 0.5 * (right - left);
    std::array<double, points> density, value, bound, slopes{};
    for (std::size_t i = 0; i < points; ++i) {
      const double x = centre + half * rule().nodes[i];
      density[i] = half * normal_density(x);
      const Estimate f = density[i] == 0 ? Estimate{} : at(x);
      value[i] = f.value;
      bound[i] = f.bound;
    }
    for (std::size_t j = 0; j < points; ++j) {
      for (std::size_t i = 0; i < points; ++i) slopes[i] += rule().derivative[j][i] * value[j];
    }
    Panel result{left, right};
    const bool jumps = options_.undeclared_kinks && right - left < narrow_panel;
    std::array<double, 3> null{};
    for (std::size_t i = 0; i < points; ++i) {
      const double slope = std::min(std::abs(slopes[i] / half), steepest_beside(i, value, half));
      const double x = centre + half * rule().nodes[i];
      const double weight = rule().kronrod[i] * density[i];
      const double own =
          bound[i] + 4 * epsilon * std::abs(value[i]) + 2 * epsilon * (std::abs(x) + options_.offset) * slope;
      const double term = options_.square ? value[i] * value[i] : value[i];
      const double error = options_.square ? 2 * std::abs(value[i]) * own : own;
      result.value += weight * term;
      result.absolute += weight * std::abs(term);
      // the density: x² to within 3 roundings, the exponential, the weight; and the sum over the nodes
      const double of_weight = epsilon * (2 + 1.5 * x * x);
      result.rounding += weight * (error + (of_weight + 0.5 * points * epsilon) * std::abs(term));
      if (term != 0 &&
          std::abs(weight * term) < std::numeric_limits<double>::min()) {  // roundings of fixed size
        result.rounding += 2 * std::numeric_limits<double>::denorm_min() * (1 + std::abs(term));
      }
      if (!jumps) result.gradient += weight * slope * slope;
      result.noise += weight * std::pow(own + of_weight * std::abs(value[i]), 2);
      for (std::size_t k = 0; k < null.size(); ++k) null[k] += rule().null[k][i] * density[i] * term;
    }
    for (const double k : null) result.error = std::max(result.error, std::abs(k));
    if (options_.undeclared_kinks) result.error += end_error(result, value, density);
    return result;
  }

  std::int64_t evaluations() const { return evaluations_; }

 private:
  /// The larger difference quotient to a neighbouring node. Where a panel does not resolve f, the slopes of
  /// its polynomial at one end are made of the values at the other, and would pass for rounding.
  static double steepest_beside(std::size_t i, const std::array<double, points>& value, double half) {
    const auto quotient = [&](std::size_t k) {
      return std::abs((value[k + 1] - value[k]) / (half * (rule().nodes[k + 1] - rule().nodes[k])));
    };
    return std::max(i > 0 ? quotient(i - 1) : 0, i + 1 < points ? quotient(i) : 0);
  }

  Estimate at(double x) {
    ++evaluations_;
    const Estimate result = f_(x);
    if (!std::isfinite(options_.square ? result.value * result.value : result.value)) throw_not_finite(x);
    return result;
  }

  /// Extrapolation from the outermost nodes of a panel to its ends: a kink between them, which neither rule
  /// sees, shows as a difference from f.
  double end_error(const Panel& panel, const std::array<double, points>& value,
                   const std::array<double, points>& density) {
    constexpr std::size_t used = 6;
    constexpr double end = 1 - 1e-6;
    static const std::array<double, used> weights = [] {  // Lagrange's
      std::array<double, used> result;
      for (std::size_t i = 0; i < used; ++i) {
        result[i] = 1;
        for (std::size_t j = 0; j < used; ++j) {
          const double node = rule().nodes[points - 1 - j];
          if (j != i) result[i] *= (end - node) / (rule().nodes[points - 1 - i] - node);
        }
      }
      return result;
    }();
    const double centre = 0.5 * (panel.left + panel.right);
    const double half = 0.5 * (panel.right - panel.left);
    double largest = 0;
    for (const bool right : {false, true}) {
      double predicted = 0;
      for (std::size_t i = 0; i < used; ++i) {
        const std::size_t n = right ? points - 1 - i : i;
        predicted += weights[i] * density[n] * (options_.square ? value[n] * value[n] : value[n]);
      }
      const double x = centre + (right ? half : -half) * end;
      const double weight = half * normal_density(x);
      const double f = weight == 0 ? 0 : at(x).value;
      largest = std::max(largest, std::abs(weight * (options_.square ? f * f : f) - predicted));
    }
    return 2 * (1 - rule().nodes[points - 1]) * largest;
  }

  const UncertainFunction& f_;
  const QuadratureOptions& options_;
  std::int64_t evaluations_ = 0;
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
    sum.rounding += panel.rounding;
    sum.absolute += panel.absolute;
    sum.gradient += panel.gradient;
    sum.noise += panel.noise;
  }
  return sum;
}

Integral integrate(std::vector<double> ends, const UncertainFunction& f, const QuadratureOptions& options) {
  if (static_cast<std::int64_t>(points * ends.size()) > options.largest_work) {
    throw LimitError("a Gaussian expectation has " + std::to_string(ends.size()) +
                     " kinks, jumps or peaks, more than quadrature can resolve");
  }
  Integrator integrator(f, options);
  const auto work = [&] { return options.work ? *options.work : integrator.evaluations(); };
  std::vector<Panel> panels;  // a heap: the panel with the largest error first
  for (std::size_t i = 0; i + 1 < ends.size(); ++i) panels.push_back(integrator.panel(ends[i], ends[i + 1]));
  std::make_heap(panels.begin(), panels.end());
  Panel sum = total(panels);
  while (sum.error > options.tolerance * sum.absolute + sum.rounding && panels.front().excess() > 0 &&
         work() < options.largest_work) {
    std::pop_heap(panels.begin(), panels.end());
    const Panel worst = panels.back();
    const double centre = 0.5 * (worst.left + worst.right);
    if (!(worst.left < centre && centre < worst.right)) break;
    panels.back() = integrator.panel(worst.left, centre);
    const Panel right = integrator.panel(centre, worst.right);
    sum.error += panels.back().error + right.error - worst.error;
    sum.absolute += panels.back().absolute + right.absolute - worst.absolute;
    sum.rounding += panels.back().rounding + right.rounding - worst.rounding;
    std::push_heap(panels.begin(), panels.end());
    panels.push_back(right);
    std::push_heap(panels.begin(), panels.end());
    ends.push_back(centre);
  }
  // smallest terms first, so that adding them costs no more than one rounding each of what is already there
  std::sort(panels.begin(), panels.end(),
            [](const Panel& x, const Panel& y) { return x.absolute < y.absolute; });
  sum = total(panels);
  std::sort(ends.begin(), ends.end());
  const double adding = 0.5 * epsilon * static_cast<double>(panels.size()) * sum.absolute;
  return {{sum.value, sum.error + sum.rounding + adding},
          sum.absolute,
          sum.gradient,
          std::sqrt(sum.noise),
          std::move(ends),
          integrator.evaluations(),
          sum.error <= options.tolerance * sum.absolute + sum.rounding};
}

UncertainFunction with_exact_values(const Function& f) {
  return [&f](double x) { return Estimate{f(x), 0}; };
}

}  // namespace

Integral gaussian_integral(const UncertainFunction& f, const std::vector<Feature>& features,
                           const QuadratureOptions& options) {
  return integrate(panel_ends(features), f, options);
}

Integral gaussian_integral(const Function& f, const std::vector<Feature>& features,
                           const QuadratureOptions& options) {
  return integrate(panel_ends(features), with_exact_values(f), options);
}

Integral gaussian_integral_on(const std::vector<double>& ends, const Function& f,
                              const QuadratureOptions& options) {
  return integrate(ends, with_exact_values(f), options);
}

}  // namespace nngpcheck::analytic
