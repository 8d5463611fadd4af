// Rule 4: batch norm followed by a positively homogeneous activation.
//
// A group of B columns x ~ N(μ1, Σ) is standardized coordinate by coordinate: y = Hx with the centring H = I
// - 11ᵀ/B, r² = |y|²/B + ε, ŷ = y/r. For φ of power p and ψ of power q (HomogeneousForm), k = p + q,
//
//   E[φ(ŷ_i) ψ(ŷ_j)] = E[φ(y_i) ψ(y_j) r^{-k}]
//                    = 1/Γ(k/2) ∫_0^∞ s^{k/2-1} e^{-sε} |I + 2sΣ̃/B|^{-1/2} E[φ(u_i) ψ(u_j)] ds,   Σ̃ = HΣH,
//
// where u ~ N(0, Σ̃(I + 2sΣ̃/B)^{-1}) is y tilted by e^{-s|y|²/B}, and its moment is HomogeneousPair's. Two
// groups that share weights are tilted each by its own s: the integral is two-dimensional. With s = e^t the
// trapezoidal rule converges exponentially. (Yang et al. 2019, "A Mean Field Theory of Batch Normalization",
// section on the Laplace method, has the same reduction at ε = 0.)
#pragma once

#include <cstdint>
#include <vector>

#include "nngpcheck/analytic/gaussian/scalar_activation.hpp"
#include "nngpcheck/analytic/uncertain.hpp"

namespace nngpcheck::analytic {

struct BatchNormMoment {
  UncertainMatrix moment;
  std::int64_t evaluations;  // entries × nodes
};

/// One standardized group of columns.
struct BatchNormGroup {
  UncertainMatrix covariance;  // B×B
  double epsilon = 0;
  /// Column i is the same random vector as column equal_to[i] ≤ i, not only up to the covariance's bounds:
  /// where Σ̃ has lost rank, these enter by their square roots and higher roots. Empty: nobody knows of any.
  std::vector<Eigen::Index> equal_to = {};
};

/// E[φ(ŷ_i) ψ(ŷ_j)] for i, j in one group of B columns with this B×B covariance. Exactly symmetric if φ and ψ
/// are the same. The bound covers quadrature, rounding, and the covariance's bounds to first order over the
/// worst signs. Throws LimitError if the covariance is not one or not finite, and if ε = 0 and the columns
/// coincide: then ŷ = 0/0.
BatchNormMoment batch_norm_same_group(const HomogeneousForm& phi, const HomogeneousForm& psi,
                                      const BatchNormGroup& group);

/// E[φ(ŷ_i) ψ(ẑ_j)], B₁×B₂, for i in one group and j in another; `cross` is their B₁×B₂ covariance.
/// Bounds and errors as above.
BatchNormMoment batch_norm_two_groups(const HomogeneousForm& phi, const HomogeneousForm& psi,
                                      const BatchNormGroup& first, const BatchNormGroup& second,
                                      const UncertainMatrix& cross);

}  // namespace nngpcheck::analytic
