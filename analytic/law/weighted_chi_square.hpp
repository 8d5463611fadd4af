// The law of a weighted sum of squares of normals.
#pragma once

#include <Eigen/Core>

namespace nngpcheck::analytic {

/// Q = (1/k) Σ_j Σ_i λ_i z_ij² + constant, z_ij standard normal, j = 1..k; λ_i ≥ 0, not all 0. k need be no
/// integer.
struct WeightedChiSquare {
  Eigen::VectorXd weights;
  double constant = 0;
  double repeats = 1;

  double mean() const { return weights.sum() + constant; }

  /// P(Q ≤ x), to about 1e-10: by inverting its Laplace transform, Π_i (1 + 2 λ_i s/k)^(-k/2)/s.
  double cdf(double x) const;

  /// Precondition: 0 < level < 1.
  double quantile(double level) const;
};

}  // namespace nngpcheck::analytic
