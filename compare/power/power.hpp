// How often, and how fast, a check catches wrong kernels.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "nngpcheck/compare/power/mutants.hpp"
#include "nngpcheck/compare/program_check.hpp"

namespace nngpcheck::compare {

/// Which kernels are checked: all, or only the mutants that must be caught, which is faster.
enum class PowerOf { all, must_be_caught };

struct PowerOptions {
  /// Check number r has seeds of its own, made of r and of check.seed, the networks', and of
  /// check.check.seed, the sign flips' (see analytic::seed_of_part). Neighbouring seeds have no check in
  /// common.
  ProgramCheckOptions check;
  std::int64_t repetitions = 20;
  PowerOf of = PowerOf::all;
  int threads = 0;  // each makes checks; 0: one per processor
};

/// What the repeated checks of one kernel said.
struct MutantPower {
  std::string name, change;
  double distance = 0;  // from the right kernel
  std::int64_t disagree = 0, inconclusive = 0, agree = 0;
  double median_ladders = 0;  // until the verdict
  double largest_p = 0;       // of the checks that disagree
  std::string reason = {};    // why the first check that is inconclusive is so
};

struct PowerResult {
  std::int64_t repetitions = 0;
  double resolution = 0;
  std::optional<MutantPower> right;  // the right kernel itself
  std::vector<MutantPower> mutants;  // in the order given
  std::vector<LeftOut> left_out;
  double seconds = 0;

  /// Whether a mutant is wrong by at least δ, so that `agree` would be an error.
  bool must_be_caught(const MutantPower& mutant) const { return mutant.distance >= resolution; }
  /// Whether all of those were caught in all repetitions.
  bool all_caught() const;
};

/// How the networks of one of so many checks at a time are drawn: by one thread, in its share of the memory.
empirical::SamplerOptions share_of_one(empirical::SamplerOptions sampler, int checks);

/// All mutants are checked against the same networks, drawn once per repetition; checks of different
/// repetitions are independent. Throws CompareError unless there is at least one repetition, and as check().
PowerResult power(const netsor::Program& program, const kernels::Kernel& right, const Catalogue& catalogue,
                  const PowerOptions& options = {});

/// P(miss) is at most this with confidence 95 %, if `trials` independent checks missed `missed` times
/// (Clopper and Pearson). Precondition: 0 ≤ missed ≤ trials, 0 < trials.
double miss_bound(std::int64_t missed, std::int64_t trials);

/// A title and Markdown tables: what must be caught, what is below the resolution, what was left out.
std::string power_text(const std::string& name, const PowerResult& result);

/// {"name", "resolution", "repetitions", "all_caught", "right": {…}, "mutants": [{"name", "change",
/// "distance", "must_be_caught", "disagree", "inconclusive", "agree", "median_ladders", "largest_p",
/// "reason"}, …], "left_out": [{"name", "reason"}, …], "seconds"}.
nlohmann::ordered_json to_json(const std::string& name, const PowerResult& result);

}  // namespace nngpcheck::compare
