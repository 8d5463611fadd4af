// Private to compare/: one round of a check.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <vector>

#include "nngpcheck/compare/statistics/ladder_statistics.hpp"
#include "nngpcheck/compare/statistics/sign_flips.hpp"
#include "nngpcheck/compare/verdict/check_input.hpp"

namespace nngpcheck::compare {

/// N ladders held against the kernel.
struct Sample {
  Ladders ladders;
  LadderDesign design;
  Eigen::MatrixXd differences;            // F = Y − K, N×p
  ColumnStatistics statistics;            // of F
  std::vector<Eigen::Index> fluctuating;  // entries that do; the others are deterministic

  Sample(Ladders drawn, const Target& target);
  double degrees() const { return static_cast<double>(ladders.count() - 1); }
};

/// The residual contrasts of fluctuating entries, one contrast's ladders (or groups of them) under the
/// other's: what whitens, and what shows whether the networks follow K + B/n + C/n². Precondition: some entry
/// fluctuates.
class Residuals {
 public:
  explicit Residuals(const Sample& sample);
  const Whitener& whitener() const { return whitener_; }
  /// A p-value for a mean of zero.
  double p_model(SignFlips& flips) const;

 private:
  Eigen::Index contrasts_;
  Whitener whitener_;
};

/// What a round suspects.
struct Suspicion {
  double p_entry = 1;  // Bonferroni's over all entries
  double p_total = 1;
  Eigen::Index entry = 0;      // the worst one,
  double direction = 1;        // the sign of its difference,
  Eigen::VectorXd projection;  // and the direction u of all together; in R^p, 0 for deterministic entries

  double p() const { return std::min(p_entry, p_total); }
};

/// Without residuals no entry fluctuates.
Suspicion screen(const Sample& sample, const Residuals* residuals, const Target& target, SignFlips& flips);

/// One-sided p-values of the suspicion, on ladders that are independent of it.
struct Confirmation {
  double p_entry = 1;
  double p_projection = 1;

  double p() const { return std::min(p_entry, p_projection); }
};

Confirmation confirm(const Suspicion& suspicion, const Sample& fresh, const Target& target);

/// max_e (|mean_e| + quantile·se_e)/scale_e, and the e that attains it.
struct Bound {
  double value = 0;
  Eigen::Index entry = 0;
};

Bound largest_difference(const Sample& sample, const Target& target, double quantile);

/// max_e se_e/scale_e.
double relative_standard_error(const Sample& sample, const Target& target);

/// max_e (dead_zone_e + quantile·√(se_e² + σ_e²))/scale_e, σ the kernel's standard error.
double detectable_error(const Sample& sample, const Target& target, double quantile);

/// Each network's ‖K̂ − K‖²_F/‖K‖²_F, over the whole matrices; ladders × widths.
Eigen::MatrixXd relative_squared_errors(const Ladders& ladders, const Eigen::VectorXd& kernel);

}  // namespace nngpcheck::compare
