// Private to compare/: what a check is given, validated and as vectors of entries.
#pragma once

#include <Eigen/Core>
#include <string>
#include <vector>

#include "nngpcheck/compare/verdict/check.hpp"

namespace nngpcheck::compare {

/// The p entries of the kernel between some inputs. |limit − value| ≤ error_bound up to the common error κ;
/// within a tolerance t, up to t/2 more.
struct Target {
  std::vector<Eigen::Index> inputs;  // increasing
  Eigen::VectorXd value;
  Eigen::VectorXd scale;           // √(K_aa K_bb), or the largest diagonal entry where that is 0
  Eigen::VectorXd error_bound;     // of the kernel, and rounding of the networks, and t/2 √(K_aa K_bb)
  Eigen::VectorXd standard_error;  // of κ
  double degrees = 0;              // of freedom of standard_error
  /// error_bound + z·standard_error: holds for all entries with probability ≥ 1 − (α − false_alarm).
  Eigen::VectorXd dead_zone;
  double false_alarm = 0;           // what is left of α for the networks
  double deterministic = 0;         // relative standard error up to which an entry does not fluctuate
  std::vector<std::string> labels;  // of all inputs

  Eigen::Index entries() const { return value.size(); }
  /// Where entry e stands in the whole kernel.
  EntryPosition position(Eigen::Index e) const;
};

/// Of all inputs. Throws CompareError, saying what is wrong with the kernel.
Target make_target(const kernels::Kernel& kernel, const CheckOptions& options);

/// The entries of `all` between these of its inputs; everything that holds for all entries holds for them.
Target between(const Target& all, const std::vector<Eigen::Index>& inputs);

/// "(dog, lazy)", or "(0, 3)" without labels.
std::string entry_name(EntryPosition position, const std::vector<std::string>& labels);

/// "0.81 %": two significant digits, rounded up, so that a bound holds as printed.
std::string percent_at_most(double fraction);

/// Draws and validates. Throws CompareError if the answer is of another shape than asked for or not finite.
Ladders draw_ladders(const DrawLadders& draw, const LadderRequest& request, const Target& target);

}  // namespace nngpcheck::compare
