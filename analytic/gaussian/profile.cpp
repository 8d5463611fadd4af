#include "nngpcheck/analytic/gaussian/profile.hpp"

#include <algorithm>
#include <cmath>

#include "nngpcheck/analytic/gaussian/normal.hpp"
#include "nngpcheck/analytic/uncertain.hpp"

namespace nngpcheck::analytic {

namespace {

Integral integral(const Profile& phi, bool square) {
  QuadratureOptions options = phi.options();
  options.square = square;
  return gaussian_integral(Function(std::cref(phi)), phi.features(), options);
}

/// Where a function that can only be sampled seems to have kinks and jumps: the places at which quadrature
/// had to halve its panels over and over.
std::vector<double> sampled_kinks(const Function& f, const std::vector<Feature>& features,
                                  const QuadratureOptions& options) {
  constexpr double narrow = narrow_panel;
  const std::vector<double> ends = gaussian_integral(f, features, options).ends;
  std::vector<double> result;
  double narrowest = narrow;
  for (std::size_t i = 0; i + 1 < ends.size(); ++i) {
    const double width = ends[i + 1] - ends[i];
    const double centre = 0.5 * (ends[i] + ends[i + 1]);
    if (width >= narrow) continue;
    if (result.empty() || centre - result.back() > 100 * narrow) {
      result.push_back(centre);
      narrowest = width;
    } else if (width < narrowest) {
      result.back() = centre;
      narrowest = width;
    }
  }
  return result;
}

}  // namespace

Profile::Profile(const netsor::Activation& phi, double mean, double deviation)
    : phi_(phi), mean_(mean), deviation_(deviation) {
  const netsor::Breakpoints found = phi.breakpoints(mean - farthest * deviation, mean + farthest * deviation);
  complete_ = found.complete;
  for (const double point : found.points) {
    kinks_.push_back((point - mean) / deviation);
    features_.push_back({kinks_.back(), 0});
  }
  if (!homogeneous_form(phi)) features_.push_back({-mean / deviation, 1 / deviation});
  if (complete_) return;
  for (const double kink : sampled_kinks(std::cref(*this), features_, options())) {
    kinks_.push_back(kink);  // no feature: panels that end near a kink, but not there, do not see it
  }
  std::sort(kinks_.begin(), kinks_.end());
}

QuadratureOptions Profile::options() const {
  return {.undeclared_kinks = !complete_, .offset = std::abs(mean_) / deviation_};
}

Integral quadrature_mean(const Profile& phi) { return integral(phi, false); }

Integral quadrature_square(const Profile& phi) { return integral(phi, true); }

Roughness roughness(const Profile& phi) {
  const Integral square = quadrature_square(phi);
  Roughness result;
  result.norm = std::sqrt(square.estimate.value + square.estimate.bound);
  result.gradient = std::sqrt(square.gradient);
  double jumps = 0;
  for (const double kink : phi.kinks()) {
    const double rounding = std::abs(kink) + std::abs(phi.mean()) / phi.deviation() + epsilon;
    const double step = phi.kinks_are_complete() ? 8 * epsilon * rounding : narrow_panel;
    const double jump = phi(kink + step) - phi(kink - step);
    jumps += jump * jump * normal_density(kink);
  }
  // What a continuous function changes by over a rounding is no jump.
  if (std::sqrt(jumps) > std::sqrt(epsilon) * result.norm) result.jump = std::sqrt(jumps);
  return result;
}

}  // namespace nngpcheck::analytic
