// The rule of the check, on networks of known law. Draws have fixed seeds.
#include "nngpcheck/compare/verdict/check.hpp"

#include <cmath>
#include <map>

#include "nngpcheck/compare/error.hpp"
#include "nngpcheck/compare/verdict/evidence.hpp"
#include "scratch.hpp"
#include "synthetic_ladders.hpp"

namespace nngpcheck::compare {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

constexpr Index size = 6;

const MatrixXd truth = smooth_kernel(size);

/// Precision is bought by larger widths, at no cost here.
CheckOptions patient() {
  CheckOptions result = untimed();
  result.largest_width = std::int64_t{1} << 40;
  return result;
}

std::string error(const kernels::Kernel& kernel, const CheckOptions& options = {}) {
  LinearNetworks networks(truth, seed());
  return error_of([&] { check(kernel, networks.draw(), options); });
}

/// The message about options that `change` made invalid.
template <class Change>
std::string error_after(Change&& change) {
  CheckOptions options;
  change(options);
  return error({truth}, options);
}

TEST(CheckOptions, AreValidated) {
  using Options = CheckOptions;
  EXPECT_NO_THROW(validate({}));
  EXPECT_THAT(error_after([](Options& o) { o.widths = {1, 2, 3}; }), HasSubstr("at least 4 of them"));
  EXPECT_THAT(error_after([](Options& o) { o.ladders = 7; }),
              HasSubstr("ladders is 7: it must be at least 8"));
  EXPECT_THAT(error_after([](Options& o) { o.most_ladders = 63; }), HasSubstr("at least `ladders`"));
  EXPECT_THAT(error_after([](Options& o) { o.largest_width = 8191; }), HasSubstr("largest_width is 8191"));
  EXPECT_THAT(error_after([](Options& o) { o.tolerance = 0; }), HasSubstr("tolerance is 0"));
  EXPECT_THAT(error_after([](Options& o) { o.tolerance = NAN; }), HasSubstr("tolerance is nan"));
  EXPECT_THAT(error_after([](Options& o) { o.resolution = 0; }), HasSubstr("resolution is 0"));
  EXPECT_THAT(error_after([](Options& o) { o.time = 0; }), HasSubstr("time is 0: it must be positive"));
  EXPECT_THAT(error_after([](Options& o) { o.inputs = 1; }), HasSubstr("inputs is 1: it must be at least 2"));
  EXPECT_THAT(error_after([](Options& o) { o.false_alarm = 0.06; }),
              HasSubstr("at most `screening` times `rounds`"));
  EXPECT_THAT(error_after([](Options& o) { o.screening = 1; }), HasSubstr("screening is 1"));
  EXPECT_THAT(error_after([](Options& o) { o.miss = 0; }), HasSubstr("miss is 0"));
  EXPECT_THAT(error_after([](Options& o) { o.model_misfit = -1; }), HasSubstr("model_misfit is -1"));
  EXPECT_THAT(error_after([](Options& o) { o.rounds = 0; }), HasSubstr("rounds is 0"));
  EXPECT_THAT(error_after([](Options& o) { o.largest_growth = 1; }), HasSubstr("largest_growth is 1"));
  EXPECT_THAT(error_after([](Options& o) { o.largest_dispersion_slope = 0.1; }),
              HasSubstr("between -0.5 and 0"));
}

TEST(CheckedKernel, IsValidated) {
  EXPECT_THAT(error({MatrixXd(2, 3)}), HasSubstr("2×3: it must be square"));
  EXPECT_THAT(error({MatrixXd()}), HasSubstr("0×0"));
  EXPECT_THAT(error({MatrixXd::Zero(2, 2)}), HasSubstr("diagonal is zero"));
  EXPECT_THAT(error({MatrixXd{{1, 0}, {0, -1}}}), HasSubstr("diagonal is zero or negative"));
  EXPECT_THAT(error({MatrixXd{{1, NAN}, {NAN, 1}}}), HasSubstr("entry (0, 1) is not finite"));
  EXPECT_THAT(error({MatrixXd{{1, 0.5}, {INFINITY, 1}}, {}, {}, 0, {"a", "b"}}),
              HasSubstr("entry (a, b) is not finite"));
  EXPECT_THAT(error({MatrixXd{{1, 0.5}, {0.4, 1}}}),
              HasSubstr("not symmetric: its entry (0, 1) is 0.5 and 0.4"));
  EXPECT_THAT(error({truth, MatrixXd::Zero(2, 2)}), HasSubstr("standard error is 2×2: it must be 6×6"));
  EXPECT_THAT(error({truth, {}, MatrixXd::Constant(size, size, -1)}), HasSubstr("error bound is negative"));
  EXPECT_THAT(error({truth, {}, {}, 0, {"a"}}), HasSubstr("1 labels for a kernel of 6 rows"));
  EXPECT_THAT(error({truth, {}, {}, 1}), HasSubstr("at least 2, or 0"));
  EXPECT_EQ(error({truth}), "");
  // Entries that were sampled each on their own.
  MatrixXd sampled = truth;
  sampled(0, 1) += 3e-4;
  EXPECT_THAT(error({sampled}), HasSubstr("not symmetric"));
  EXPECT_EQ(error({sampled, MatrixXd::Constant(size, size, 1e-4)}), "");
}

TEST(DrawnKernels, AreValidated) {
  LinearNetworks networks(truth, seed());
  const kernels::Kernel kernel{truth, {}, {}, 0, {"a", "b", "c", "d", "e", "f"}};
  const auto after = [&](const auto& change) {
    CheckOptions coarse;
    coarse.resolution = 0.1;
    const DrawLadders draw = [&](const LadderRequest& request) {
      Ladders ladders = networks(request);
      change(ladders);
      return ladders;
    };
    return error_of([&] { check(kernel, draw, coarse); });
  };
  EXPECT_THAT(after([](Ladders& l) {
                if (l.count() == 64 && l.widths.front() == 256) l.kernels[0](17, 1) = NAN;
              }),
              HasSubstr("network 25 of width 256: entry (a, b) of its kernel is nan"));
  EXPECT_THAT(after([](Ladders& l) { l.kernels.pop_back(); }), HasSubstr("not those asked for: 8 at each"));
  EXPECT_THAT(after([](Ladders& l) { l.widths[0] = 63; }), HasSubstr("not those asked for"));
  EXPECT_THAT(after([](Ladders& l) { l.kernels[0] = MatrixXd::Ones(7, 21); }),
              HasSubstr("not those asked for"));
  EXPECT_THAT(after([](Ladders& l) { l.kernels[0] = MatrixXd::Ones(8, 20); }), HasSubstr("with 21 entries"));
}

TEST(Check, LetsExceptionsOfTheDrawPass) {
  struct Stop {};
  EXPECT_THROW(check({truth}, [](const LadderRequest&) -> Ladders { throw Stop(); }), Stop);
}

TEST(Check, AgreesWithTheTruth) {
  LinearNetworks networks(truth, seed());
  networks.bias = [](double n) { return 3 / n - 20 / (n * n); };
  const CheckResult result = check({truth}, networks.draw(), patient());
  EXPECT_EQ(result.verdict, Verdict::agree) << result.reason;
  EXPECT_LE(result.bound, 0.01);
  EXPECT_EQ(result.reason, "");
  EXPECT_LT((result.estimate - truth).cwiseAbs().maxCoeff(), 0.02);
  EXPECT_FALSE(result.p_value);
  EXPECT_LT(result.detectable, 0.03);
  EXPECT_NEAR(result.rate->slope, -1, 0.2);
}

TEST(Check, IsRepeatable) {
  LinearNetworks networks(truth, seed()), same(truth, seed());
  EXPECT_EQ(to_json(check({truth}, networks.draw(), patient())).dump(),
            to_json(check({truth}, same.draw(), patient())).dump());
}

TEST(Check, NeverAsksForTheSameNetworks) {
  LinearNetworks networks(truth, seed());
  networks.bias = [](double n) { return std::pow(90 / n, 3); };  // drops a width
  CheckOptions options;
  options.resolution = 1e-5;  // cannot be reached
  options.rounds = 3;
  options.largest_width = 16384;
  const CheckResult result = check({truth}, networks.draw(), options);
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  ASSERT_GE(networks.requests.size(), 4u);
  std::map<std::int64_t, std::uint64_t> next;  // network of a width that was not asked for
  for (const LadderRequest& request : networks.requests) {
    for (const std::int64_t width : request.widths) {
      EXPECT_GE(request.first, next[width]);
      next[width] = request.first + static_cast<std::uint64_t>(request.count);
    }
    EXPECT_LE(request.widths.back(), 16384);
    EXPECT_LE(request.count, options.most_ladders);
  }
  EXPECT_EQ(result.rounds.back().widths.back(), 16384);
  EXPECT_EQ(result.rounds.back().ladders, options.most_ladders);
}

TEST(Check, CatchesWrongKernels) {
  MatrixXd entry = truth;
  entry(1, 2) = entry(2, 1) = 1.02 * truth(1, 2);
  const std::vector<std::pair<std::string, MatrixXd>> wrong = {
      {"scale", 1.011 * truth},
      {"one entry", entry},
      {"missing constant", truth - MatrixXd::Constant(size, size, 0.02)},
  };
  for (const auto& [name, kernel] : wrong) {
    LinearNetworks networks(truth, seed());
    const CheckResult result = check({kernel}, networks.draw(), patient());
    EXPECT_EQ(result.verdict, Verdict::disagree) << name << ": " << result.reason;
    EXPECT_LE(*result.p_value, 1e-6) << name;
    if (name == "one entry") {
      EXPECT_EQ(result.worst.position.row, 1);
      EXPECT_EQ(result.worst.position.column, 2);
    }
    const Index row = result.worst.position.row, column = result.worst.position.column;
    EXPECT_EQ(result.worst.given, kernel(row, column)) << name;
    EXPECT_EQ(result.worst.estimated, result.estimate(row, column)) << name;
    EXPECT_NEAR(result.worst.estimated, truth(row, column), 5 * result.worst.standard_error) << name;
  }
}

TEST(Check, ReportsTheConfirmationAlone) {
  LinearNetworks networks(truth, seed());
  std::vector<Ladders> drawn;
  const CheckResult result = check({1.2 * truth}, [&](const LadderRequest& request) {
    drawn.push_back(networks(request));
    return drawn.back();
  });
  ASSERT_THAT(drawn, SizeIs(24));  // pilot, screening, confirmation, width by width
  Ladders last;
  for (std::size_t k = 16; k < 24; ++k) {
    last.widths.push_back(drawn[k].widths.front());
    last.kernels.push_back(drawn[k].kernels.front());
  }
  const MatrixXd y = extrapolate(last, LadderDesign(last.widths));
  const MatrixXd mean = symmetric_matrix(y.colwise().mean());
  EXPECT_TRUE(result.estimate.isApprox(mean, 1e-12));
  EXPECT_THAT(result.rounds, SizeIs(1));
}

TEST(Check, RunsOutOfItsBudget) {
  LinearNetworks networks(truth, seed());
  CheckOptions options;
  options.resolution = 1e-3;
  options.most_ladders = 100;
  const CheckResult result = check({truth}, networks.draw(), options);
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_THAT(result.reason,
              StartsWith("undecided with 100 ladders up to width 8192: no entry is off by > "));
  EXPECT_TRUE(std::isfinite(result.bound));
  EXPECT_EQ(result.rounds.size(), 2u);
}

TEST(Check, RunsOutOfRounds) {
  LinearNetworks networks(truth, seed());
  CheckOptions options = patient();
  options.resolution = 1e-5;
  options.rounds = 2;
  const CheckResult result = check({truth}, networks.draw(), options);
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_THAT(result.reason, StartsWith("undecided after 2 rounds: no entry is off by > "));
  EXPECT_EQ(result.rounds.size(), 2u);
}

TEST(Check, DropsWidthsThatDoNotFollowTheModel) {
  for (const double scale : {1., 1.1}) {
    LinearNetworks networks(truth, seed());
    networks.bias = [](double n) { return std::pow(90 / n, 3); };
    CheckOptions options = patient();
    options.resolution = 0.03;
    const CheckResult result = check({scale * truth}, networks.draw(), options);
    EXPECT_EQ(result.verdict, scale == 1 ? Verdict::agree : Verdict::disagree) << result.reason;
    ASSERT_GT(result.rounds.size(), 1u);
    EXPECT_LE(*result.rounds[0].p_model, 1e-3);
    EXPECT_FALSE(result.rounds[0].p_entry);
    EXPECT_EQ(result.rounds[1].widths.front(), 128);
    EXPECT_EQ(result.rounds[1].widths.back(), 16384);
    EXPECT_EQ(result.rounds[1].first_network, 72u);
  }
}

TEST(Check, GivesUpWhereNoWidthFollowsTheModel) {
  for (const double scale : {1., 1.1}) {
    LinearNetworks networks(truth, seed());
    networks.bias = [](double n) { return 0.3 * std::sin(2 * std::log(n)); };
    CheckOptions options = patient();
    options.resolution = 0.03;
    options.largest_width = 16384;
    const CheckResult result = check({scale * truth}, networks.draw(), options);
    EXPECT_EQ(result.verdict, Verdict::inconclusive);
    EXPECT_THAT(result.reason, StartsWith("finite-width bias: networks of width 2048 and more"));
    EXPECT_THAT(result.reason, HasSubstr("set wider ones (check.widths)"));
    EXPECT_EQ(result.rounds.size(), 6u);
    EXPECT_TRUE(std::isinf(result.bound));
  }
  LinearNetworks networks(truth, seed());
  networks.bias = [](double n) { return 0.3 * std::sin(2 * std::log(n)); };
  CheckOptions four;
  four.widths = {64, 128, 256, 512};
  EXPECT_THAT(check({truth}, networks.draw(), four).reason, HasSubstr("networks of width 64 and more"));
}

TEST(Check, DoesNotDecideOnHeavyTails) {
  for (const double resolution : {0.01, 1e3}) {
    for (const double scale : {1., 3.}) {
      LinearNetworks networks(truth, seed());
      make_heavy(networks, truth);
      CheckOptions options;
      options.resolution = resolution;
      options.largest_width = std::int64_t{1} << 20;
      const CheckResult result = check({scale * truth}, networks.draw(), options);
      EXPECT_EQ(result.verdict, Verdict::inconclusive);
      EXPECT_THAT(result.reason, StartsWith("heavy tails: fluctuations of networks of widths "));
      EXPECT_THAT(result.reason, HasSubstr(" to 1048576 fall as width^-0."));
      EXPECT_THAT(result.reason, HasSubstr("check.widths"));
      EXPECT_TRUE(std::isinf(result.bound));
    }
  }
}

TEST(Check, DoesNotDecideWhereOnlySomeNetworksFluctuate) {
  for (const double scale : {1., 3.}) {
    LinearNetworks networks(truth, seed());
    networks.then = [&networks](MatrixXd& kernel, double) {
      if (networks.uniform() < 0.9) kernel = truth;
    };
    const CheckResult result = check({scale * truth}, networks.draw(), patient());
    EXPECT_EQ(result.verdict, Verdict::inconclusive);
    EXPECT_THAT(result.reason, HasSubstr("have exactly the same kernel and others do not"));
  }
}

TEST(Check, GrantsTheKernelItsBound) {
  LinearNetworks networks(truth, seed());
  const auto verdict = [&](double off, double resolution, double bound) {
    CheckOptions options = patient();
    options.resolution = resolution;
    return check({(1 + off) * truth, {}, bound * truth}, networks.draw(), options).verdict;
  };
  EXPECT_EQ(verdict(0.028, 0.06, 0.03), Verdict::agree);
  EXPECT_EQ(verdict(0.028, 0.02, 0.03), Verdict::inconclusive);
  EXPECT_EQ(verdict(0.028, 0.02, 0), Verdict::disagree);
  EXPECT_EQ(verdict(0.032, 0.02, 0.03), Verdict::disagree);
}

TEST(Check, GrantsTheKernelItsStandardError) {
  CheckOptions options = patient();
  options.resolution = 0.1;
  const MatrixXd two_percent = 0.02 * truth;
  for (const std::int64_t randomizations : {0, 16}) {
    LinearNetworks networks(truth, seed());
    const kernels::Kernel near{1.03 * truth, two_percent, {}, randomizations};
    EXPECT_EQ(check(near, networks.draw(), options).verdict, Verdict::agree);
    const kernels::Kernel far{1.5 * truth, two_percent, {}, randomizations};
    EXPECT_EQ(check(far, networks.draw(), options).verdict, Verdict::disagree);
  }
  LinearNetworks networks(truth, seed());
  EXPECT_EQ(check({1.03 * truth}, networks.draw(), options).verdict, Verdict::disagree);
}

/// Kernels with unit diagonals, up to rounding.
void normalize(LinearNetworks& networks, double rounding) {
  networks.then = [&networks, rounding](MatrixXd& kernel, double) {
    const Eigen::VectorXd scale = kernel.diagonal().cwiseSqrt().cwiseInverse();
    kernel = scale.asDiagonal() * MatrixXd(kernel) * scale.asDiagonal();
    for (Index i = 0; i < kernel.rows(); ++i) kernel(i, i) = 1 + rounding * (1 + networks.normal());
  };
}

MatrixXd correlations() {
  const Eigen::VectorXd scale = truth.diagonal().cwiseSqrt().cwiseInverse();
  return scale.asDiagonal() * truth * scale.asDiagonal();
}

TEST(DeterministicEntries, AreRightUpToRoundingOrWrong) {
  const MatrixXd right = correlations();
  MatrixXd wrong = right, slightly = right;
  wrong(4, 4) += 1e-6;
  slightly(4, 4) += 1e-11;
  const kernels::Kernel unsure{wrong, {}, MatrixXd::Constant(size, size, 2e-6)};
  for (const double rounding : {0., 1e-16, 1e-12}) {
    LinearNetworks networks(truth, seed());
    normalize(networks, rounding);
    EXPECT_EQ(check({right}, networks.draw(), patient()).verdict, Verdict::agree) << rounding;
    EXPECT_EQ(check({slightly}, networks.draw(), patient()).verdict, Verdict::agree) << rounding;
    EXPECT_EQ(check(unsure, networks.draw(), patient()).verdict, Verdict::agree) << rounding;
    const CheckResult result = check({wrong}, networks.draw(), patient());
    EXPECT_EQ(result.verdict, Verdict::disagree) << rounding;
    EXPECT_EQ(result.worst.position.row, 4);
    EXPECT_EQ(result.worst.position.column, 4);
    EXPECT_LT(*result.p_value, 1e-9);
  }
}

TEST(DeterministicEntries, AreCoarserInSinglePrecision) {
  LinearNetworks networks(truth, seed());
  normalize(networks, 1e-7);
  CheckOptions options = patient();
  EXPECT_EQ(check({correlations()}, networks.draw(), options).verdict, Verdict::disagree);
  options.precision = Precision::float32;
  EXPECT_EQ(check({correlations()}, networks.draw(), options).verdict, Verdict::agree);
  MatrixXd wrong = correlations();
  wrong(0, 0) += 1e-4;
  EXPECT_EQ(check({wrong}, networks.draw(), options).verdict, Verdict::disagree);
}

TEST(DeterministicEntries, MayBeAll) {
  LinearNetworks networks(truth, seed());
  networks.then = [](MatrixXd& kernel, double n) { kernel = (1 + 1 / n) * truth; };
  EXPECT_EQ(check({truth}, networks.draw()).verdict, Verdict::agree);
  EXPECT_EQ(check({1.0001 * truth}, networks.draw()).verdict, Verdict::disagree);
}

TEST(ZeroVariance, IsMeasuredByTheLargest) {
  LinearNetworks networks(truth, seed());
  networks.then = [](MatrixXd& kernel, double) {
    kernel.row(0).setZero();
    kernel.col(0).setZero();
  };
  MatrixXd kernel = truth;
  kernel.row(0).setZero();
  kernel.col(0).setZero();
  EXPECT_EQ(check({kernel}, networks.draw(), patient()).verdict, Verdict::agree);
  kernel(0, 0) = 1e-3;
  EXPECT_EQ(check({kernel}, networks.draw(), patient()).verdict, Verdict::disagree);
  LinearNetworks others(truth, seed());
  kernel(0, 0) = 0;
  EXPECT_EQ(check({kernel}, others.draw(), patient()).verdict, Verdict::disagree);
}

}  // namespace
}  // namespace nngpcheck::compare
