// Marginal and bivariate normal laws as callers give them: checked, with bounds on their parameters.
#pragma once

#include <string>

#include "nngpcheck/analytic/gaussian/closed_form.hpp"

namespace nngpcheck::analytic {

/// Throws LimitError, naming `where`, unless mean and variance are finite, the variance is not negative, nor
/// so small that it has lost digits (underflow), and the bounds are not negative either. A variance that is
/// negative by no more than its bound counts as zero.
Normal checked_normal(Estimate mean, Estimate variance, const std::string& where);

/// The covariance, with its bound widened by what it exceeds √(variance_u variance_v), where rounding and the
/// bounds explain that. Throws LimitError, naming `where`, if they do not.
Estimate checked_covariance(const Normal& u, const Normal& v, Estimate covariance, const std::string& where);

/// E[φ(u)] with the bound of `mean_block`. Variance 0 is allowed.
Estimate mean_with_bound(const netsor::Activation& phi, const Normal& u);

/// E[φ(u) ψ(v)] with the bound of `dual_block`, where at least one of the variances is 0.
Estimate degenerate_dual(const netsor::Activation& phi, const netsor::Activation& psi, const Normal& u,
                         const Normal& v);

}  // namespace nngpcheck::analytic
