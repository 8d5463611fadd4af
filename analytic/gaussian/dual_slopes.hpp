// How Gaussian expectations of activations change with the law.
#pragma once

#include <Eigen/Core>
#include <memory>
#include <vector>

#include "nngpcheck/netsor/activation.hpp"

namespace nngpcheck::analytic {

/// The law of one column.
struct Marginal {
  double mean = 0;
  double variance = 0;
};

/// The derivatives of E[φ(u)] in mean and variance,
///   ∂E/∂mean = E[φ'(u)],   ∂E/∂variance = ½ E[φ''(u)],
/// as distributions: φ may jump. 0 where the variance is 0.
struct MeanSlopes {
  double mean = 0;
  double variance = 0;
};

/// The derivatives of E[φ(u) ψ(v)] (Price's theorem), φ and ψ may jump:
///   ∂E/∂cov = E[φ'(u) ψ'(v)],   ∂E/∂var u = ½ E[φ''(u) ψ(v)],   ∂E/∂mean u = E[φ'(u) ψ(v)].
/// Those in the mean and variance of a column of variance 0, and in its covariances, are given as 0.
struct DualSlopes {
  double covariance = 0;
  double variance_u = 0, variance_v = 0;
  double mean_u = 0, mean_v = 0;
};

MeanSlopes mean_slopes(const netsor::Activation& phi, const Marginal& u);

/// The derivatives of E[φ(u) ψ(u)] in the law of u.
MeanSlopes same_column_slopes(const netsor::Activation& phi, const netsor::Activation& psi,
                              const Marginal& u);

/// Slopes of pairs of columns, by the slopes of closed forms where there is one, else by the Hermite series
///   E = Σ_k a_k b_k ρ^k,   ∂E/∂cov = Σ_k k a_k b_k ρ^{k-1} / (σ_u σ_v),
///   ∂E/∂mean u = Σ_k √(k+1) a_{k+1} b_k ρ^k / σ_u,   ∂E/∂var u = Σ_k √((k+1)(k+2)) a_{k+2} b_k ρ^k / 2σ_u²,
/// and where that converges too slowly from the score of the normal law, with x = (u, v) - mean, Σ its
/// covariance:
///   dE = E[φψ xᵀΣ⁻¹] dmean + ½ E[φψ (xᵀΣ⁻¹ dΣ Σ⁻¹x - tr Σ⁻¹dΣ)].
/// Distinct columns that coincide (ρ = 1) are taken to move together, where only the score is left.
/// Throws LimitError where an expectation is not finite.
class SlopesOfDual {
 public:
  /// Mean slopes are computed only where that is asked for; else they are 0.
  SlopesOfDual(const netsor::Activation& phi, const netsor::Activation& psi,
               const std::vector<Marginal>& rows, const std::vector<Marginal>& columns, bool with_means);
  ~SlopesOfDual();

  /// Of E[φ(u_i) ψ(v_j)] at cov(u_i, v_j) = c.
  DualSlopes at(Eigen::Index i, Eigen::Index j, double c) const;

 private:
  struct Method;
  std::unique_ptr<const Method> method_;
};

}  // namespace nngpcheck::analytic
