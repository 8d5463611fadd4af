#include "analytic/quadrature_pair.hpp"

#include <cmath>
#include <limits>

namespace nngpcheck::analytic {

namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon();
constexpr double rough = 1e-4;  // relative accuracy of numbers that only enter bounds

/// √E[((φ(u + h) - φ(u - h)) / 2h)²] · deviation.
double difference_norm(const netsor::Activation& phi, double mean, double deviation, double h) {
  std::vector<Feature> points;
  for (const Feature& feature : features(phi)) {
    for (const double offset : {-h, 0.0, h}) {
      points.push_back({(feature.centre + offset - mean) / deviation, feature.width / deviation});
    }
  }
  const auto square = [&](double x) {
    const double u = mean + deviation * x;
    const double slope = (evaluate(phi, u + h) - evaluate(phi, u - h)) / (2 * h);
    return slope * slope;
  };
  return deviation * std::sqrt(gaussian_integral(square, points, {.tolerance = rough}).estimate.value);
}

}  // namespace

Roughness roughness(const netsor::Activation& phi, double mean, double variance) {
  const double deviation = std::sqrt(variance);
  if (phi.kind() == netsor::Activation::Kind::exp) {
    const double norm = std::exp(mean + variance);
    return {norm, deviation * norm, 0};
  }
  Roughness result;
  result.norm = std::sqrt(quadrature_square(phi, mean, variance).estimate.value);
  const double coarse_step = 1e-3 * std::min(deviation, 1.0);
  const double coarse = difference_norm(phi, mean, deviation, coarse_step);
  const double fine = difference_norm(phi, mean, deviation, coarse_step / 8);
  if (fine > 1.5 * coarse) {  // a jump: both ~ √(jump² density / 2h) · deviation
    result.jump = fine * std::sqrt(2 * coarse_step / 8 / deviation);
    result.gradient = result.norm;
  } else {
    result.gradient = 1.02 * std::max(coarse, fine);
  }
  return result;
}

double law_shift(const std::function<double(double)>& f, const std::vector<Feature>& features,
                 const Normal& u) {
  const QuadratureOptions options{.tolerance = rough};
  double result = 0;
  if (u.mean.bound > 0) {
    const Estimate slope = gaussian_integral([&](double x) { return x * f(x); }, features, options).estimate;
    result += (std::abs(slope.value) + slope.bound) * u.mean.bound / std::sqrt(u.variance.value);
  }
  if (u.variance.bound > 0) {
    const Estimate slope =
        gaussian_integral([&](double x) { return (x * x - 1) * f(x); }, features, options).estimate;
    result += (std::abs(slope.value) + slope.bound) * u.variance.bound / (2 * u.variance.value);
  }
  return result;
}

Estimate square_with_bounds(const netsor::Activation& phi, const Normal& u) {
  Estimate result = quadrature_square(phi, u.mean.value, u.variance.value).estimate;
  result.bound += 4 * epsilon * result.value;
  const double deviation = std::sqrt(u.variance.value);
  const auto square = [&](double x) {
    const double value = evaluate(phi, u.mean.value + deviation * x);
    return value * value;
  };
  result.bound += law_shift(square, features(phi, u.mean.value, deviation), u);
  return result;
}

Estimate QuadraturePair::moment(const Column& u, const Column& v, Estimate c) const {
  const auto& [mean_u, variance_u] = u.normal;
  const auto& [mean_v, variance_v] = v.normal;
  Estimate result =
      quadrature_dual(phi_, psi_, {variance_u.value, variance_v.value, c.value, mean_u.value, mean_v.value})
          .estimate;
  const Roughness& left = u.roughness;
  const Roughness& right = v.roughness;
  const double own_left = left.gradient + left.jump;
  const double own_right = right.gradient + right.jump;
  const Correlation correlation(Variance(variance_u.value), Variance(variance_v.value), c.value);
  // |∂E/∂ρ| = |Σ k a_k b_k ρ^{k-1}| in Hermite coefficients
  const double room = correlation.sine * correlation.sine / (1 + std::abs(correlation.cosine));  // 1 - |ρ|
  const double slope = std::min(own_left * own_right, left.norm * right.norm / room);
  result.bound += epsilon * (30 * left.norm * right.norm + 4 * slope);
  const double shift_u = variance_u.bound / (2 * variance_u.value);
  const double shift_v = variance_v.bound / (2 * variance_v.value);
  const double shift_c = c.bound / std::sqrt(variance_u.value) / std::sqrt(variance_v.value);
  // Cauchy-Schwarz on Price's theorem; jumps move with the angle.
  double change = std::min(slope, left.gradient * right.gradient) * shift_c;
  change += shift_u * own_left * std::hypot(own_right, right.norm);
  change += shift_v * own_right * std::hypot(own_left, left.norm);
  change += mean_u.bound / std::sqrt(variance_u.value) * own_left * right.norm;
  change += mean_v.bound / std::sqrt(variance_v.value) * own_right * left.norm;
  if (left.jump > 0 || right.jump > 0) {
    const double shift = shift_c + shift_u + shift_v;
    change += (left.jump * own_right + own_left * right.jump) * shift;
    change += left.jump * right.jump * angle_shift(correlation, shift);
    change *= 2;
  }
  result.bound += change;
  return result;
}

}  // namespace nngpcheck::analytic
