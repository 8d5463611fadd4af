// What a check promises: its two contracts, its time, its widths, and its choice of inputs. Networks of known
// law; draws have fixed seeds.
#include <algorithm>
#include <cmath>
#include <set>

#include "nngpcheck/compare/error.hpp"
#include "nngpcheck/compare/verdict/check.hpp"
#include "nngpcheck/compare/verdict/evidence.hpp"
#include "scratch.hpp"
#include "synthetic_ladders.hpp"

namespace nngpcheck::compare {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using testing::HasSubstr;

const MatrixXd truth = smooth_kernel(6);

CheckOptions within(double tolerance) {
  CheckOptions result = untimed();
  result.tolerance = tolerance;
  return result;
}

/// One entry off by so much of √(K_aa K_bb), measured as the check measures it: by the given kernel.
MatrixXd off_in_one_entry(double error) {
  MatrixXd result = truth;
  result(1, 3) -= error * std::sqrt(truth(1, 1) * truth(3, 3));
  result(3, 1) = result(1, 3);
  return result;
}

TEST(Tolerance, ToleratesHalfOfItAndPassesNothingBeyond) {
  constexpr double t = 0.05;
  for (std::uint64_t s = 0; s < 20; ++s) {
    const auto verdict = [&](const MatrixXd& kernel) {
      LinearNetworks networks(truth, seed() + s);
      return check({kernel}, networks.draw(), within(t)).verdict;
    };
    EXPECT_EQ(verdict(truth), Verdict::agree) << s;
    EXPECT_NE(verdict(truth / (1 - 0.4 * t)), Verdict::disagree) << s;
    EXPECT_NE(verdict(off_in_one_entry(0.4 * t)), Verdict::disagree) << s;
    EXPECT_NE(verdict(off_in_one_entry(1.1 * t)), Verdict::agree) << s;
    EXPECT_EQ(verdict(off_in_one_entry(2 * t)), Verdict::disagree) << s;
    EXPECT_EQ(verdict(truth / (1 - 1.5 * t)), Verdict::disagree) << s;
  }
}

TEST(Tolerance, IsNotTheResolution) {
  // Of the same kernel, the exact contract says what it is: wrong.
  LinearNetworks networks(truth, seed());
  const kernels::Kernel kernel{off_in_one_entry(0.02)};
  const CheckResult exact = check(kernel, networks.draw(), untimed());
  EXPECT_EQ(exact.verdict, Verdict::disagree) << exact.reason;
  const CheckResult tolerant = check(kernel, networks.draw(), within(0.05));
  EXPECT_EQ(tolerant.verdict, Verdict::agree) << tolerant.reason;
  EXPECT_LE(tolerant.bound, 0.05);
  EXPECT_GE(tolerant.bound, 0.02);
}

TEST(Tolerance, DecidesNothingBelowTheKernelsOwnErrors) {
  LinearNetworks networks(truth, seed());
  const MatrixXd one_percent = 0.01 * truth, three_percent = 3 * one_percent;
  const CheckResult wide = check({truth, {}, three_percent}, networks.draw(), within(0.05));
  EXPECT_EQ(wide.verdict, Verdict::inconclusive);
  EXPECT_THAT(wide.reason, HasSubstr("the kernel's own error bar reaches 3.1 %"));
  EXPECT_THAT(wide.reason, HasSubstr("half the tolerance of 5 %"));
  EXPECT_TRUE(networks.requests.empty());
  const CheckResult few = check({truth, 0.01 * one_percent, {}, 4}, networks.draw(), within(0.05));
  EXPECT_EQ(few.verdict, Verdict::inconclusive);
  EXPECT_THAT(few.reason, HasSubstr("a standard error from 4 repeats counts"));
  EXPECT_EQ(check({truth, 0.01 * one_percent, {}, 16}, networks.draw(), within(0.05)).verdict,
            Verdict::agree);
  EXPECT_EQ(check({truth, {}, one_percent}, networks.draw(), within(0.05)).verdict, Verdict::agree);
}

TEST(ExactContract, SaysWhatTheKernelsOwnErrorsHide) {
  LinearNetworks networks(truth, seed());
  const CheckResult result = check({truth, 1e-4 * truth, {}, 4}, networks.draw(), untimed());
  EXPECT_EQ(result.verdict, Verdict::agree) << result.reason;
  EXPECT_THAT(verdict_text("x", result), HasSubstr("but the kernel's own error bar reaches"));
  EXPECT_EQ(check({truth, 1e-4 * truth, {}, 16}, networks.draw(), untimed()).caveat, "");
}

/// Networks that take time, and a check that looks at their clock.
CheckOptions timed(LinearNetworks& networks, double seconds_per_width, double time) {
  networks.seconds_per_width = seconds_per_width;
  CheckOptions result;
  result.largest_width = std::int64_t{1} << 20;
  result.clock = [&networks] { return networks.seconds; };
  result.time = time;
  return result;
}

TEST(Time, IsForeseenByThePilot) {
  // Eight octaves hold nearly twice the widest width; 64 ladders take 104 s.
  LinearNetworks networks(truth, seed());
  CheckOptions options = timed(networks, 1e-4, 1e6);
  options.resolution = 0.002;
  const CheckResult result = check({truth}, networks.draw(), options);
  EXPECT_EQ(result.verdict, Verdict::agree) << result.reason;
  ASSERT_TRUE(result.forecast);
  EXPECT_GT(result.forecast->seconds, networks.seconds / 2);
  EXPECT_LT(result.forecast->seconds, networks.seconds * 2);
}

// As with fast networks of many layers.
TEST(Time, IsForeseenWhereItIsThatOfStarts) {
  for (const double noise : {0., 0.1}) {
    LinearNetworks networks(truth, seed());
    CheckOptions options = timed(networks, 1e-6, 1e6);
    networks.seconds_per_draw = 0.1;
    networks.clock_noise = noise;
    const CheckResult result = check({truth}, networks.draw(), options);
    EXPECT_EQ(result.verdict, Verdict::agree) << result.reason;
    EXPECT_GT(result.forecast->seconds, networks.seconds / 2);
    EXPECT_LT(result.forecast->seconds, networks.seconds * 2);
  }
}

TEST(Time, EndsACheckThatSaysWhatItNeeds) {
  for (const double time : {20., 60., 300.}) {
    LinearNetworks networks(truth, seed());
    CheckOptions options = timed(networks, 1e-4, time);
    options.resolution = 0.002;
    const CheckResult result = check({truth}, networks.draw(), options);
    EXPECT_EQ(result.verdict, Verdict::inconclusive) << time;
    EXPECT_LE(networks.seconds, time);
    ASSERT_TRUE(result.needs) << time;
    EXPECT_THAT(result.reason, HasSubstr(" more (--time, check.time)"));
    LinearNetworks others(truth, seed());
    options = timed(others, 1e-4, 2 * (time + *result.needs));
    options.resolution = 0.002;
    EXPECT_EQ(check({truth}, others.draw(), options).verdict, Verdict::agree) << time;
    EXPECT_GT(others.seconds, (time + *result.needs) / 2) << time;
  }
}

TEST(Time, IsSparedInLongRounds) {
  // 64 ladders take 104 s.
  for (const double time : {300., 1000.}) {
    LinearNetworks networks(truth, seed());
    CheckOptions options = timed(networks, 1e-4, time);
    options.resolution = 0.05;
    const CheckResult right = check({truth}, networks.draw(), options);
    EXPECT_EQ(right.verdict, Verdict::agree) << right.reason;
    EXPECT_EQ(right.rounds.front().ladders < 64, time == 300) << right.rounds.front().ladders;
    EXPECT_EQ(right.rounds.size(), 1U);
    LinearNetworks others(truth, seed());
    EXPECT_EQ(check({1.1 * truth}, others.draw(), timed(others, 1e-4, time)).verdict, Verdict::disagree);
  }
}

TEST(Time, MakesDoWithNarrowNetworksInThePilot) {
  LinearNetworks networks(truth, seed());
  const CheckResult result = check({truth}, networks.draw(), timed(networks, 1, 100));
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_LT(networks.seconds, 1000);  // eight of the narrowest, of whom nothing was known
  EXPECT_THAT(result.reason, HasSubstr("one network of width 8192 takes about 8192 s"));
}

/// What the law says of `LinearNetworks`, whose two Wishart matrices each give K_aa K_bb + K_ab²; and the
/// clock.
Foresight foresight_of(const LinearNetworks& networks) {
  Foresight result;
  const Eigen::VectorXd diagonal = truth.diagonal();
  result.variance = 2 * (diagonal * diagonal.transpose() + truth.cwiseAbs2());
  result.relative_variance = result.variance.sum() / truth.squaredNorm();
  result.seconds = [&networks](std::int64_t width, std::int64_t count) {
    return networks.seconds_per_draw +
           networks.seconds_per_width * static_cast<double>(width) * static_cast<double>(count);
  };
  return result;
}

Foresee known(const Foresight& foresight) {
  return [foresight](const std::vector<Index>&) { return foresight; };
}

TEST(Foresight, TellsTheTimeBeforeTheFirstNetwork) {
  LinearNetworks networks(truth, seed());
  CheckOptions options = timed(networks, 1e-4, 1e6);
  options.resolution = 0.002;
  options.foresee = known(foresight_of(networks));
  double reported = -1;  // seconds of networks when the first forecast was reported
  options.progress = Progress([&](std::optional<double>, const std::string& text) {
    if (reported < 0 && text.starts_with("finite-width law: a verdict takes about"))
      reported = networks.seconds;
  });
  const CheckResult result = check({truth}, networks.draw(), options);
  EXPECT_EQ(result.verdict, Verdict::agree) << result.reason;
  ASSERT_TRUE(result.foreseen);
  EXPECT_EQ(reported, 0);
  EXPECT_GT(result.foreseen->seconds, networks.seconds / 2);
  EXPECT_LT(result.foreseen->seconds, networks.seconds * 2);
}

TEST(Foresight, CountsTheTimeThatItTook) {
  LinearNetworks networks(truth, seed());
  CheckOptions options = timed(networks, 1e-4, 10);
  options.foresee = [&](const std::vector<Index>&) {
    networks.seconds += 11;
    return foresight_of(networks);
  };
  EXPECT_EQ(check({truth}, networks.draw(), options).verdict, Verdict::inconclusive);
}

TEST(Foresight, ChoosesWidths) {
  LinearNetworks networks(truth, seed());
  CheckOptions options = timed(networks, 1e-6, 1e6);
  Foresight deep = foresight_of(networks);
  deep.relative_variance = 1000;
  options.foresee = known(deep);
  check({truth}, networks.draw(), options);
  ASSERT_FALSE(networks.requests.empty());
  EXPECT_EQ(networks.requests.front().widths.front(), 2048) << "the first network is as wide as it takes";
}

// A pilot that plans from its networks' values must not judge by them; one that only shows the clock may.
TEST(Foresight, MakesThePilotPartOfTheFirstRound) {
  for (const bool foreseen : {true, false}) {
    LinearNetworks networks(truth, seed());
    CheckOptions options = untimed();
    if (foreseen) options.foresee = known(foresight_of(networks));
    const CheckResult result = check({truth}, networks.draw(), options);
    ASSERT_EQ(result.verdict, Verdict::agree);
    const CheckRound& round = result.rounds.front();
    EXPECT_EQ(round.first_network, foreseen ? 0U : 8U);
    if (!foreseen) continue;
    std::int64_t drawn = 0;
    for (const LadderRequest& request : networks.requests) {
      if (request.widths.front() != round.widths.front()) continue;
      EXPECT_EQ(request.first, static_cast<std::uint64_t>(drawn));
      drawn += request.count;
    }
    EXPECT_EQ(drawn, round.ladders);
  }
}

TEST(Foresight, IsOfTheInputsOfTheFirstRound) {
  LinearNetworks networks(truth, seed());
  CheckOptions options = untimed();
  Foresight smaller = foresight_of(networks);
  smaller.variance.conservativeResize(2, 2);
  options.foresee = known(smaller);
  EXPECT_THROW(check({truth}, networks.draw(), options), CompareError);
  std::vector<Index> asked;
  options.inputs = 3;
  options.foresee = [&](const std::vector<Index>& inputs) {
    asked = inputs;
    Foresight some = foresight_of(networks);
    some.variance = MatrixXd(some.variance(inputs, inputs));
    return some;
  };
  EXPECT_TRUE(check({truth}, networks.draw(), options).foreseen);
  EXPECT_EQ(asked.size(), 3U);
  EXPECT_EQ(asked, networks.requests.front().inputs);
}

// A law that is wrong by as much as one likes makes bad plans, and no wrong verdicts.
TEST(Foresight, IsNoPartOfTheVerdict) {
  for (const double factor : {0., 0.01, 100.}) {
    LinearNetworks networks(truth, seed());
    CheckOptions options = untimed();
    Foresight wrong = foresight_of(networks);
    wrong.variance *= factor;
    wrong.relative_variance *= factor;
    options.foresee = known(wrong);
    EXPECT_EQ(check({truth}, networks.draw(), options).verdict, Verdict::agree) << factor;
    EXPECT_EQ(check({1.03 * truth}, networks.draw(), options).verdict, Verdict::disagree) << factor;
  }
}

/// K̂ times a log-normal number of mean 1, as relu networks of great depth have it: (1 + c/n) its second
/// moment.
void make_deep(LinearNetworks& networks, double c) {
  networks.then = [&networks, c](MatrixXd& kernel, double n) {
    const double variance = std::log1p(c / n) + c / n;
    kernel *= std::exp(std::sqrt(variance) * networks.normal() - variance / 2);
  };
}

TEST(Widths, SuitDeepNetworks) {
  LinearNetworks networks(truth, seed());
  make_deep(networks, 300);
  const CheckResult right = check({truth}, networks.draw(), untimed());
  EXPECT_EQ(right.verdict, Verdict::agree) << right.reason;
  EXPECT_GE(right.rounds.front().widths.front(), 512);
  const CheckResult wrong = check({1.03 * truth}, networks.draw(), untimed());
  EXPECT_EQ(wrong.verdict, Verdict::disagree) << wrong.reason;
  LinearNetworks shallow(truth, seed());
  CheckOptions coarse = untimed();
  coarse.resolution = 0.1;
  EXPECT_EQ(check({truth}, shallow.draw(), coarse).rounds.front().widths.front(), 64);
}

TEST(ManyInputs, AreLookedAtInPart) {
  constexpr Index all = 40;
  const MatrixXd many = smooth_kernel(all);
  LinearNetworks networks(many, seed());
  CheckOptions options = untimed();
  options.resolution = 0.1;
  options.inputs = 12;
  const CheckResult result = check({many}, networks.draw(), options);
  EXPECT_EQ(result.verdict, Verdict::agree) << result.reason;
  EXPECT_EQ(result.all_inputs, all);
  EXPECT_EQ(result.inputs.size(), 12u);
  EXPECT_TRUE(std::is_sorted(result.inputs.begin(), result.inputs.end()));
  EXPECT_EQ(result.estimate.rows(), 12);
  EXPECT_THAT(scope_text(result), HasSubstr("12 of 40 inputs"));
  EXPECT_THAT(scope_text(result), HasSubstr("(1 - f)^12"));
}

TEST(ManyInputs, OfWhomAShareIsWrongAreCaught) {
  constexpr Index all = 40;
  const MatrixXd many = smooth_kernel(all);
  MatrixXd wrong = many;
  for (Index i = 0; i < all; i += 2) wrong.row(i) *= 1.2, wrong.col(i) *= 1.2;
  LinearNetworks networks(many, seed());
  CheckOptions options = untimed();
  options.inputs = 10;
  options.resolution = 0.05;
  const CheckResult result = check({wrong}, networks.draw(), options);
  EXPECT_EQ(result.verdict, Verdict::disagree) << result.reason;
  EXPECT_EQ(result.worst.given, wrong(result.worst.position.row, result.worst.position.column));
  // The pilot looks at the inputs of the first round, the confirmation at those that were suspected.
  std::set<std::vector<Index>> looked_at;
  for (const LadderRequest& request : networks.requests) looked_at.insert(request.inputs);
  EXPECT_EQ(looked_at.size(), 1u);
  EXPECT_EQ(networks.requests.back().inputs, result.inputs);
}

TEST(ManyInputs, EachRoundLooksAtOthers) {
  const MatrixXd many = smooth_kernel(40);
  LinearNetworks networks(many, seed());
  CheckOptions options = untimed();
  options.inputs = 10;
  options.resolution = 1e-4;  // out of reach of two rounds
  options.rounds = 2;
  options.most_ladders = 128;
  const CheckResult result = check({many}, networks.draw(), options);
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  ASSERT_EQ(result.rounds.size(), 2U);
  std::set<std::vector<Index>> looked_at;
  for (const LadderRequest& request : networks.requests) looked_at.insert(request.inputs);
  EXPECT_EQ(looked_at.size(), 2U);
}

TEST(FewInputs, AreAllLookedAt) {
  LinearNetworks networks(truth, seed());
  check({truth}, networks.draw(), untimed());
  for (const LadderRequest& request : networks.requests) EXPECT_TRUE(request.inputs.empty());
}

}  // namespace
}  // namespace nngpcheck::compare
