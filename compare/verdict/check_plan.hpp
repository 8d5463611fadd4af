// Private to compare/: how many ladders at which widths, what they cost, and what they will show.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "nngpcheck/compare/verdict/check_input.hpp"

namespace nngpcheck::compare {

struct Plan {
  std::vector<std::int64_t> widths;
  std::int64_t ladders = 0;

  /// Up to a factor, one over the squared standard error of the extrapolation, for widths in the same
  /// proportions.
  double precision() const { return static_cast<double>(ladders) * static_cast<double>(widths.back()); }
};

/// The plan without its narrowest width, and with twice its widest one as far as the options allow; nothing
/// if neither leaves enough widths.
std::optional<Plan> moved_up(const Plan& plan, const CheckOptions& options);

/// The plan whose precision is `factor` times that of `plan`, or as near as the options allow; nothing if
/// they allow less than half as much again. Precision is bought by doubling all widths up to 2^17, or the
/// options' largest (the same price as more ladders, with less bias, and closer to Gaussian), then by more
/// ladders.
std::optional<Plan> grown(const Plan& plan, double factor, const CheckOptions& options);

/// The plan with `factor` times as many ladders, or as many as the options allow; nothing if that is less
/// than half as many again.
std::optional<Plan> with_more_ladders(const Plan& plan, double factor, const CheckOptions& options);

/// What drawing takes, as observed; before that, as foreseen. Every draw takes as long to start as the
/// shortest one took.
class Cost {
 public:
  Cost() = default;
  explicit Cost(std::function<double(std::int64_t width, std::int64_t networks)> foreseen)
      : foreseen_(std::move(foreseen)) {}

  void observe(std::int64_t width, std::int64_t networks, double seconds);
  bool observed() const { return !observed_.empty(); }
  bool known() const { return foreseen_ || !observed_.empty(); }
  /// Seconds. Of the wider half of the widths observed, and beyond them, what was foreseen times by how much
  /// that was wrong; or a power of the width between 1 and 2: fitted to all that took longer than to start,
  /// since single times are noisy. Precondition: known().
  double of(std::int64_t width, std::int64_t networks) const;
  double of(const Plan& plan) const;

 private:
  struct Draw {
    double networks = 0, seconds = 0;
  };
  double start() const;
  double each(const Draw& draw) const;
  std::function<double(std::int64_t width)> foreseen_shape() const;

  std::function<double(std::int64_t width, std::int64_t networks)> foreseen_;
  std::map<std::int64_t, Draw> observed_;  // the last of each width
  double shortest_ = std::numeric_limits<double>::infinity();
};

/// Throws CompareError if the ladders' kernels do not fit the memory, naming what would.
void require_memory(const Plan& plan, const Target& target);

/// How far networks fluctuate: Var K̂_e ≈ variance_e/n, estimated with so many degrees of freedom.
struct Fluctuations {
  Eigen::VectorXd variance;
  double degrees = 0;
  /// E‖K̂ − E K̂‖²_F ≈ (relative/n)·‖E K̂‖²_F, over the entries.
  double relative = 0;
  /// (Σ λ)²/Σ λ² of the eigenvalues of the entries' covariance: how many entries fluctuate by themselves.
  double directions = 1;
};

/// From the wider half of the widths. Precondition: at least one width of at least two networks.
Fluctuations fluctuations_of(const Ladders& pilot);

/// As foreseen: nothing is estimated.
Fluctuations fluctuations_of(const Foresight& foresight);

/// max_e se_e/scale_e of the plan's extrapolation, as it should be. The largest of many noisy variances would
/// be too large: they are drawn to their mean (Morris 1983), by the share of their spread that is noise. At
/// narrow widths fluctuations are taken for log-normal, which those of deep relu networks nearly are.
double foreseen_standard_error(const Fluctuations& fluctuations, const Plan& plan, const Target& target);

/// The relative standard errors that should do for a verdict with so many ladders.
class Demand {
 public:
  /// `directions` as in Fluctuations.
  Demand(const Target& target, const CheckOptions& options, double directions);

  /// For a right kernel: a certificate of the largest bound that `agree` may have.
  double to_agree(std::int64_t ladders) const;
  /// How often a right kernel gets that certificate with networks of this standard error.
  double chance_to_agree(double relative_standard_error, std::int64_t ladders) const;
  /// As to_agree, and as surely where the standard error is estimated from these ladders and may come out
  /// larger.
  double to_agree_at_once(std::int64_t ladders) const;
  /// And for one that is wrong by so much: `disagree`. A kernel whose own error bars take up more than half
  /// of that cannot be told from a right one by better networks, and asks for nothing more.
  double to_decide(std::int64_t ladders) const;
  /// The precision that the next round should have, as a multiple of that of a round of so many ladders: what
  /// does for right kernels, which is cheaper; twice where that did not; and where that did not `again`, what
  /// does for all. At least 2; in two equal steps where the options do not allow as much in one.
  double growth(double relative_standard_error, std::int64_t ladders, bool again = false) const;
  /// The bound that a right kernel should get.
  double bound(double relative_standard_error, std::int64_t ladders) const;

 private:
  double certificate(std::int64_t ladders) const;
  double room_to_agree() const;

  const CheckOptions& options_;
  double tests_;  // entries
  double directions_;
  double usual_deviation_;  // the largest of a right kernel's, in standard errors, in 95 of 100 rounds
  double typical_error_;    // of the value, up to which it is right, relative
  double dead_zone_;        // largest, relative
};

}  // namespace nngpcheck::compare
