// Does the check err as rarely as it says? On networks of known law; beside every claim stands a wrong law or
// a wrong check that breaks it.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <cmath>
#include <utility>

#include "nngpcheck/compare/verdict/check.hpp"
#include "synthetic_ladders.hpp"

namespace nngpcheck::compare {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

constexpr double false_alarm = 1e-6;  // of one test below, if the check errs as rarely as it says
constexpr Index size = 8;

const MatrixXd truth = smooth_kernel(size);

/// The largest plausible number of events, of at most this probability each.
double at_most(int trials, double probability) {
  return quantile(complement(boost::math::binomial(trials, probability), false_alarm));
}

/// The smallest plausible number of events, of at least this probability each.
double at_least(int trials, double probability) {
  return quantile(boost::math::binomial(trials, probability), false_alarm);
}

/// Each ladder four times: its standard error comes out half as large as it is.
DrawLadders repeating(LinearNetworks& networks) {
  return [&networks](const LadderRequest& request) {
    LadderRequest quarter = request;
    quarter.count /= 4;
    const Ladders few = networks(quarter);
    const Ladders half = concatenate(few, few);
    return concatenate(half, half);
  };
}

/// Decides in its first round, whatever the bound is.
CheckOptions one_round() {
  CheckOptions result;
  result.resolution = 10;
  result.model_misfit = 1e-12;
  return result;
}

struct Counts {
  int screened = 0;
  int rejected = 0;
};

/// Of `trials` checks of the true kernel.
Counts checks_of_the_truth(const DrawLadders& draw, CheckOptions options, int trials) {
  Counts result;
  for (int k = 0; k < trials; ++k) {
    options.seed = static_cast<std::uint64_t>(k);
    const CheckResult check_result = check({truth}, draw, options);
    const CheckRound& round = check_result.rounds.front();
    result.screened += std::min(*round.p_entry, *round.p_total) <= options.screening / 2;
    result.rejected += check_result.verdict == Verdict::disagree;
  }
  return result;
}

TEST(Screening, AlarmsAsRarelyAsItSays) {
  constexpr int trials = 500;
  LinearNetworks networks(truth, seed());
  CheckOptions options = one_round();
  options.screening = 0.1;
  EXPECT_LE(checks_of_the_truth(networks.draw(), options, trials).screened, at_most(trials, 0.1));
  EXPECT_GT(checks_of_the_truth(repeating(networks), options, trials / 4).screened, at_most(trials / 4, 0.1));
}

TEST(Disagreement, IsAsRareAsItSays) {
  constexpr int trials = 500;
  LinearNetworks networks(truth, seed());
  networks.bias = [](double n) { return 2 / n; };
  CheckOptions options = one_round();
  options.rounds = 1;
  options.screening = 0.1;  // the more often it screens, the more the confirmation must hold
  options.false_alarm = 0.01;
  EXPECT_LE(checks_of_the_truth(networks.draw(), options, trials).rejected, at_most(trials, 0.01));
  EXPECT_GT(checks_of_the_truth(repeating(networks), options, trials / 4).rejected,
            at_most(trials / 4, 0.01));
}

TEST(Disagreement, IsAsRareAsItSaysInAllRounds) {
  constexpr int trials = 300;
  LinearNetworks networks(truth, seed());
  networks.bias = [](double n) { return 2 / n; };
  CheckOptions options;
  options.resolution = 0.006;
  options.false_alarm = 0.01;
  options.largest_width = std::int64_t{1} << 40;
  int agreed = 0, rejected = 0;
  for (int k = 0; k < trials; ++k) {
    options.seed = static_cast<std::uint64_t>(k);
    const Verdict verdict = check({truth}, networks.draw(), options).verdict;
    agreed += verdict == Verdict::agree;
    rejected += verdict == Verdict::disagree;
  }
  EXPECT_LE(rejected, at_most(trials, 0.01));
  // Five looks at 1.2 times the precision that is needed; widths may be dropped with probability 1e-3 a
  // round.
  EXPECT_GE(agreed, at_least(trials, 0.98));
}

/// Checks of a kernel of one entry that is off by `off`, small against the resolution: how often the bound,
/// `shortened` by a part of its distance from the estimate, stays below the error.
int misses(double off, double shortened, int trials) {
  const MatrixXd one = MatrixXd::Ones(1, 1);
  LinearNetworks networks(one, seed());
  CheckOptions options = one_round();
  options.rounds = 1;
  options.miss = 0.1;
  options.false_alarm = 1e-100;
  int result = 0;
  for (int k = 0; k < trials; ++k) {
    options.seed = static_cast<std::uint64_t>(k);
    const kernels::Kernel kernel{(1 + off) * one};
    const CheckResult found = check(kernel, networks.draw(), options);
    const CheckRound& first = found.rounds.front();
    const double estimate = std::abs(found.worst.estimated - found.worst.given) / (1 + off);
    const double bound = *first.bound - shortened * (*first.bound - estimate);
    result += bound < off / (1 + off);
  }
  return result;
}

TEST(Bound, CoversAsOftenAsItSays) {
  constexpr int trials = 600;
  const double off = 0.05;  // about ten standard errors, so that its sign is never in doubt
  EXPECT_LE(misses(off, 0, trials), at_most(trials, 0.1));
  EXPECT_GT(misses(off, 0.4, trials), at_most(trials, 0.1));
}

TEST(Bound, CoversTheLargestOfManyErrors) {
  constexpr int trials = 300;
  LinearNetworks networks(truth, seed());
  CheckOptions options = one_round();
  options.rounds = 1;
  options.miss = 0.1;
  options.false_alarm = 1e-100;
  const MatrixXd off = truth + MatrixXd::Constant(size, size, 0.03);
  // Relative to √(K_aa K_bb), off by most at the smallest variance.
  const double largest = 0.03 / off(0, 0);
  int below = 0;
  for (int k = 0; k < trials; ++k) below += check({off}, networks.draw(), options).bound < largest;
  EXPECT_LE(below, at_most(trials, 0.1));
}

TEST(WrongKernels, AreCaughtWithTheStatedPower) {
  constexpr int trials = 40;
  MatrixXd entry = truth;
  entry(2, 3) = entry(3, 2) = 1.02 * truth(2, 3);
  const std::vector<std::pair<const char*, MatrixXd>> wrong = {
      {"scale", 1.01 * truth}, {"entry", entry}, {"constant", truth - MatrixXd::Constant(size, size, 0.02)}};
  CheckOptions options;
  options.resolution = 0.005;
  options.largest_width = std::int64_t{1} << 40;
  for (const auto& [name, kernel] : wrong) {
    LinearNetworks networks(truth, seed());
    networks.bias = [](double n) { return 2 / n; };
    int caught = 0, passed = 0;
    for (int k = 0; k < trials; ++k) {
      options.seed = static_cast<std::uint64_t>(k);
      const Verdict verdict = check({kernel}, networks.draw(), options).verdict;
      caught += verdict == Verdict::disagree;
      passed += verdict == Verdict::agree;
    }
    EXPECT_LE(passed, at_most(trials, options.miss)) << name;
    EXPECT_GE(caught, at_least(trials, 0.99)) << name;
  }
}

/// A kernel with common errors of 1 %, independent between entries, estimated as the mean of 16.
kernels::Kernel sampled_kernel(LinearNetworks& networks) {
  constexpr int randomizations = 16;
  MatrixXd all(randomizations, size * (size + 1) / 2);
  for (Index k = 0; k < all.size(); ++k) all.data()[k] = 0.04 * networks.normal();
  const ColumnStatistics statistics = column_statistics(all);
  return {truth + symmetric_matrix(statistics.mean),
          symmetric_matrix(statistics.standard_error),
          {},
          randomizations};
}

TEST(CommonErrors, AreNotTakenForDisagreement) {
  constexpr int trials = 300;
  CheckOptions options = one_round();
  options.false_alarm = 0.01;
  LinearNetworks networks(truth, seed());
  int rejected = 0, screened = 0, rejected_without = 0;
  for (int k = 0; k < trials; ++k) {
    kernels::Kernel kernel = sampled_kernel(networks);
    const CheckResult result = check(kernel, networks.draw(), options);
    rejected += result.verdict == Verdict::disagree;
    screened += *result.rounds.front().p_entry <= options.screening / 2;
    if (k % 10 != 0) continue;
    kernel.standard_error.resize(0, 0);
    rejected_without += check(kernel, networks.draw(), options).verdict == Verdict::disagree;
  }
  EXPECT_LE(rejected, at_most(trials, 0.01));
  EXPECT_LE(screened, at_most(trials, options.screening / 2));
  EXPECT_GT(rejected_without, at_most(trials / 10, 0.01));
}

TEST(ModelCheck, AlarmsAsRarelyAsItSays) {
  constexpr int trials = 500;
  CheckOptions options = one_round();
  LinearNetworks networks(truth, seed());
  int alarms = 0;
  for (int k = 0; k < trials; ++k) {
    options.seed = static_cast<std::uint64_t>(k);
    alarms += *check({truth}, networks.draw(), options).rounds.front().p_model <= 0.05;
  }
  EXPECT_LE(alarms, at_most(trials, 0.05));
  networks.bias = [](double n) { return std::pow(90 / n, 3); };
  alarms = 0;
  for (int k = 0; k < trials / 10; ++k) {
    alarms += *check({truth}, networks.draw(), options).rounds.front().p_model <= 0.05;
  }
  EXPECT_GT(alarms, at_most(trials / 10, 0.05));
}

TEST(HeavyTails, AreToldFromOthersByOneEntry) {
  constexpr int trials = 60;
  const MatrixXd one = MatrixXd::Ones(1, 1);
  CheckOptions options;
  options.resolution = 0.05;
  options.largest_width = std::int64_t{1} << 16;
  LinearNetworks networks(one, seed()), heavy(one, seed());
  make_heavy(heavy, one);
  int agreed = 0, decided = 0;
  for (int k = 0; k < trials; ++k) {
    options.seed = static_cast<std::uint64_t>(k);
    agreed += check({one}, networks.draw(), options).verdict == Verdict::agree;
    decided += check({2 * one}, heavy.draw(), options).verdict != Verdict::inconclusive;
  }
  EXPECT_GE(agreed, at_least(trials, 0.98));
  EXPECT_LE(decided, at_most(trials, 0.02));
}

}  // namespace
}  // namespace nngpcheck::compare
