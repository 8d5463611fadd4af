// Is an analytic kernel the infinite-width limit of random networks? (Reasons: docs/statistics.md.)
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "nngpcheck/compare/statistics/ladder_statistics.hpp"
#include "nngpcheck/compare/statistics/ladders.hpp"
#include "nngpcheck/compare/statistics/rates.hpp"
#include "nngpcheck/compare/statistics/rounding.hpp"
#include "nngpcheck/compare/verdict/diagnosis.hpp"
#include "nngpcheck/kernels/kernel.hpp"
#include "nngpcheck/support/progress.hpp"

namespace nngpcheck::compare {

/// Networks first, …, first + count − 1 at each of these widths, and the entries of their kernels between
/// these inputs, in this order (none: between all). Networks of different numbers or widths are independent.
/// The check never asks twice for the same network.
struct LadderRequest {
  std::vector<std::int64_t> widths;
  std::uint64_t first = 0;
  std::int64_t count = 0;
  std::vector<Eigen::Index> inputs = {};
  std::string purpose = {};  // in words, for whoever shows progress
};

using DrawLadders = std::function<Ladders(const LadderRequest&)>;

/// What is known of the networks between some inputs before any is drawn. Plans read it, verdicts do not.
struct Foresight {
  /// n Var K̂_ab, and n E‖K̂ − K‖²_F/‖K‖²_F, to first order in 1/n.
  Eigen::MatrixXd variance;
  double relative_variance = 0;
  /// In how many directions K̂ fluctuates: (Σ λ)²/Σ λ² of the eigenvalues of its covariance, at least 1.
  double directions = 1;
  /// That drawing so many networks of a width takes.
  std::function<double(std::int64_t width, std::int64_t networks)> seconds;
};

/// Foresight of the networks between these inputs, if there is any. Finding it is part of the check's time.
using Foresee = std::function<std::optional<Foresight>(const std::vector<Eigen::Index>& inputs)>;

/// What is claimed of the kernel is one of two contracts, with entries measured in √(K_aa K_bb) of the given
/// kernel:
///
///  - exact: it is the limit, up to its own error bars. `disagree`: it is not, with a false alarm ≤ α.
///  `agree`: no
///    entry is off by more than the resolution δ, with a miss ≤ β.
///  - within a tolerance t: a kernel whose entries are all within t/2 is called wrong with probability ≤ α,
///  one with
///    an entry off by more than t is passed with probability ≤ β; in between either may come.
struct CheckOptions {
  /// Where the search for widths begins: narrow ones are dropped and wider ones appended where the networks
  /// ask for it, up to `largest_width`.
  std::vector<std::int64_t> widths = {64, 128, 256, 512, 1024, 2048, 4096, 8192};
  std::int64_t ladders = 64;  // of the first round; at least 8
  /// δ of the exact contract.
  double resolution = 0.01;
  /// t; without one the contract is exact.
  std::optional<double> tolerance = {};
  /// α: the probability of `disagree` if the kernel is right is at most this.
  double false_alarm = 1e-6;
  /// β: the probability that an entry is off by more than the bound of `agree` is at most this.
  double miss = 1e-3;
  /// α₁: the share of rounds that call for a confirmation if the kernel is right.
  double screening = 1e-2;
  /// The level at which networks are found not to follow K + B/n + C/n².
  double model_misfit = 1e-3;
  int rounds = 5;
  /// The most that the networks' precision (one over the squared standard error) grows from round to round.
  double largest_growth = 64;
  /// The widest networks that may be drawn; those of `widths` if there is none.
  std::optional<std::int64_t> largest_width = {};
  std::int64_t most_ladders = 4096;
  /// The largest slope of log fluctuations on log width that is taken for −1/2 (see Dispersion).
  double largest_dispersion_slope = -0.45;
  /// Seconds. A round that is not expected to end within them is not begun; a confirmation is.
  double time = 120;
  /// How many inputs, chosen at random, each round looks at; without a number all of up to 128, else 64.
  std::optional<Eigen::Index> inputs = {};
  /// The number of the group that each input belongs to, such as its sequence, for the diagnosis; none: no
  /// groups.
  std::vector<Eigen::Index> groups = {};
  Foresee foresee = {};  // asked once, for the inputs of the first round
  Precision precision = Precision::float64;
  std::uint64_t seed = 0;  // of the sign flips, and of the choice of inputs
  Progress progress = {};
  /// Seconds since some time; a steady clock where there is none.
  std::function<double()> clock = {};

  /// What `agree` asks of the bound: δ, or t.
  double largest_bound() const { return tolerance.value_or(resolution); }
  /// What is part of the kernel's error bound: 0, or t/2.
  double allowance() const { return tolerance.value_or(0) / 2; }
};

/// How many of so many inputs a round looks at.
Eigen::Index looks_at(const CheckOptions& options, Eigen::Index inputs);

/// Throws CompareError, naming the option, the problem and what is valid.
void validate(const CheckOptions& options);

enum class Verdict { agree, disagree, inconclusive };

/// One entry of the kernel. The standard error is the networks' alone.
struct EntryEvidence {
  EntryPosition position;
  double given = 0;
  double estimated = 0;
  double standard_error = 0;
  double scale = 0;  // √(K_aa K_bb), given
};

/// What is foretold, if the kernel is right.
struct Forecast {
  double seconds = 0;   // from the beginning to the verdict; ∞ if the options do not allow what it takes
  double resolves = 0;  // the bound that can be reached within the time
};

/// What a round found. The p-values of tests that were not made are missing.
struct CheckRound {
  std::vector<std::int64_t> widths;
  std::int64_t ladders = 0;
  std::uint64_t first_network = 0;
  std::optional<Dispersion> fluctuations;        // of all rounds of these widths or multiples so far
  std::optional<double> p_model;                 // do the networks follow K + B/n + C/n²?
  std::optional<double> p_entry, p_total;        // screening: the worst entry, all entries together
  std::optional<double> confirmed_p_entry;       // the same entry, on fresh networks, in the same direction
  std::optional<double> confirmed_p_projection;  // the same direction in R^p, on fresh networks
  std::optional<double> bound;  // no entry is off by more, with probability of a miss ≤ β/rounds
};

struct CheckResult {
  Verdict verdict = Verdict::inconclusive;
  /// Why it is inconclusive, and what would help; which test rejected, if it disagrees; else "".
  std::string reason;
  /// What no verdict could show, because of the kernel's own error bars; else "".
  std::string caveat;
  /// Seconds that a verdict should take beyond those that were allowed.
  std::optional<double> needs;
  std::optional<Forecast> foreseen;  // before the first network, where the options have foresight
  std::optional<Forecast> forecast;  // after the pilot, which knows the clock

  /// No entry of `kernel.value` is off by more than bound·√(K_aa K_bb), with probability ≥ 1 − β. ∞ where no
  /// such statement can be made: heavy tails, or a finite-width bias that is not understood.
  double bound = std::numeric_limits<double>::infinity();
  /// agree, inconclusive: the entry that attains the bound. disagree: the one that the screening found worst,
  /// as estimated on the fresh networks of the confirmation alone, so that selection does not inflate it.
  EntryEvidence worst;
  /// An upper bound of the probability of such evidence if the kernel is right; disagree only.
  std::optional<double> p_value;
  /// What is wrong, where one explanation fits; disagree only.
  std::optional<Diagnosis> diagnosis;
  /// The known mistakes that make this kernel, for whoever knows them; the check does not.
  std::vector<std::string> mistakes;
  /// An error of this size (relative to √(K_aa K_bb)) in any one entry gives `disagree` in one round like the
  /// last one with probability ≥ 1 − β.
  double detectable = std::numeric_limits<double>::infinity();

  /// How many inputs the kernel has, and those that the last round looked at, in increasing order. An input
  /// whose row is wrong is noticed only where it is looked at: a share f of them is missed with probability ≤
  /// (1 − f)^k.
  Eigen::Index all_inputs = 0;
  std::vector<Eigen::Index> inputs;
  /// The networks' own estimate of the limit between these inputs, of which `worst` is an entry.
  Eigen::MatrixXd estimate;
  Eigen::MatrixXd estimate_standard_error;
  /// Of ‖K̂ − K‖²_F/‖K‖²_F, for the networks of the estimate. See fit_rate: a slope is no evidence that the
  /// kernel is right.
  std::optional<Rate> rate;

  std::vector<CheckRound> rounds;
  std::vector<std::string> labels;
  double resolution = 0, false_alarm = 0, miss = 0;  // as asked for
  std::optional<double> tolerance;
  std::optional<double> seconds;  // for whoever measures them; the check does not
};

/// The sequential check. Foresight, or a pilot of 8 ladders, finds the widths and the size of the first
/// round; the pilot's clock says what a verdict takes. Each round draws N fresh ladders, extrapolates them to
/// Y, and compares E[Y] to K:
///
///  - Widths are moved up by an octave, and the round made anew, if the networks do not follow K + B/n + C/n²
///  (sign
///    flips on the residual contrasts, of this round or of all ladders behind a rejection), or if the slope
///    of the ladders' dispersion is too large by three standard errors (heavy tails). Where no wider ones are
///    left, or in time, that is the verdict. Doubtful tails decide nothing until more ladders do.
///  - Screening, at level α₁: any entry's t with Bonferroni's correction, or the total of all entries.
///  - If it trips, N fresh ladders are tested for the same entry and the same direction; 2 min q ≤ α₂ with
///    α₂ = α/(α₁ rounds) is `disagree`. At most `rounds` are screened: false alarms ≤ rounds·α₁·α₂ = α.
///  - If max_e (|Y − K|_e + t se_e)/√(K_aa K_bb) ≤ δ, or t, it is `agree`.
///  - Otherwise the precision grows to what telling the two apart should need.
///
/// κ is common to all ladders and to the confirmation: fresh networks do not average it out. In the
/// screening of single entries its standard error is added in quadrature to the networks'. Elsewhere
/// |κ_e| ≤ z·standard_error is part of the error bound, with z such that all of them hold with probability
/// 1 − α/2; α₂ is halved. Within a tolerance, t/2 of √(K_aa K_bb) is part of the error bound; if the rest of
/// it reaches as far in some entry, nothing can be decided. The bound of `agree` is about the numbers in
/// `value`, whatever their error bars.
///
/// An entry whose K_aa K_bb is 0 is measured by the largest diagonal entry. An entry that does not fluctuate
/// (standard error ≤ 1e-12 √(K_aa K_bb); float32: 1e-7) is right up to its error bar and rounding (1e-10;
/// float32: 1e-5) or wrong, and left out of the tests; rounding is part of every error bound.
///
/// Of many inputs each round looks at some, chosen anew, and a confirmation at the same; the bound of `agree`
/// is about these.
///
/// Anything but a clean decision is `inconclusive`. Same networks and options, same result, unless time runs
/// out.
///
/// Throws CompareError if the options or the kernel are invalid, or a drawn kernel is not finite or of
/// another shape; Stopped; what `draw` throws passes through.
CheckResult check(const kernels::Kernel& kernel, const DrawLadders& draw, const CheckOptions& options = {});

}  // namespace nngpcheck::compare
