// What a check that disagrees says is wrong. Networks of known law; twenty seeds each.
#include "nngpcheck/compare/verdict/diagnosis.hpp"

#include <boost/math/distributions/binomial.hpp>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "nngpcheck/compare/verdict/check.hpp"
#include "nngpcheck/compare/verdict/evidence.hpp"
#include "scratch.hpp"
#include "synthetic_ladders.hpp"

namespace nngpcheck::compare {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using testing::HasSubstr;

constexpr int seeds = 20;

const MatrixXd truth = smooth_kernel(6);

/// What 20 checks of this kernel say, and how often.
std::map<std::string, int> diagnoses(const MatrixXd& kernel, const CheckOptions& options = untimed()) {
  std::map<std::string, int> result;
  for (std::uint64_t s = 0; s < seeds; ++s) {
    LinearNetworks networks(truth, seed() + s);
    const CheckResult found = check({kernel}, networks.draw(), options);
    EXPECT_EQ(found.verdict, Verdict::disagree) << found.reason;
    ++result[found.diagnosis ? to_json(found.diagnosis)["kind"].get<std::string>() : "none"];
  }
  return result;
}

/// Of 20 right explanations, as few as are plausible if each is accepted with probability 0.99.
int at_least() { return static_cast<int>(quantile(boost::math::binomial(seeds, 0.99), 1e-6)); }

MatrixXd swapped(MatrixXd kernel, Index i, Index j) {
  kernel.row(i).swap(kernel.row(j));
  kernel.col(i).swap(kernel.col(j));
  return kernel;
}

MatrixXd correlations() {
  const Eigen::VectorXd scale = truth.diagonal().cwiseSqrt().cwiseInverse();
  return scale.asDiagonal() * truth * scale.asDiagonal();
}

TEST(Diagnosis, NamesWhatIsWrong) {
  MatrixXd off_diagonal = 0.8 * truth;
  off_diagonal.diagonal() = truth.diagonal();
  MatrixXd row = truth;
  for (Index j = 0; j < row.cols(); ++j) row(2, j) = row(j, 2) = 1.2 * truth(2, j);
  const std::pair<const char*, MatrixXd> wrong[] = {
      {"factor", 2 * truth},
      {"factor", 0.9 * truth},
      {"constant", truth + MatrixXd::Constant(6, 6, 0.4)},
      {"constant", truth - MatrixXd::Constant(6, 6, 0.1)},
      {"correlation", correlations()},
      {"swap", swapped(truth, 1, 4)},
      {"off_diagonal", off_diagonal},
      {"row", row},
  };
  for (const auto& [kind, kernel] : wrong) EXPECT_GE(diagnoses(kernel)[kind], at_least()) << kind;
}

TEST(Diagnosis, IntervalsCoverTheNumber) {
  int covered = 0;
  for (std::uint64_t s = 0; s < seeds; ++s) {
    LinearNetworks networks(truth, seed() + s);
    const CheckResult found = check({1.5 * truth}, networks.draw(), untimed());
    ASSERT_TRUE(found.diagnosis);
    covered += found.diagnosis->lower <= 1.5 && 1.5 <= found.diagnosis->upper;
    EXPECT_LT(found.diagnosis->upper - found.diagnosis->lower, 0.2);
    EXPECT_THAT(verdict_text("x", found), HasSubstr("confirmed on fresh networks; every entry is 1."));
  }
  EXPECT_GE(covered, at_least());
}

/// Wrong in ways that have no name here: symmetric noise, single entries, two mistakes at once.
TEST(Diagnosis, NamesNothingElse) {
  std::mt19937_64 random(seed());
  std::normal_distribution<double> normal;
  std::map<std::string, int> named;
  for (int k = 0; k < 10; ++k) {
    MatrixXd noise(6, 6);
    for (Index i = 0; i < 6; ++i) {
      for (Index j = 0; j <= i; ++j)
        noise(i, j) = noise(j, i) = 0.1 * normal(random) * std::sqrt(truth(i, i) * truth(j, j));
    }
    MatrixXd entry = truth;
    entry(k % 6, (k + 2) % 6) = entry((k + 2) % 6, k % 6) = 1.1 * truth(k % 6, (k + 2) % 6);
    const MatrixXd both = 1.2 * swapped(truth, 0, 5), affine = 1.3 * truth - MatrixXd::Constant(6, 6, 0.2);
    for (const MatrixXd& kernel : {MatrixXd(truth + noise), entry, both, affine}) {
      LinearNetworks networks(truth, seed() + 100 + static_cast<std::uint64_t>(k));
      const CheckResult found = check({kernel}, networks.draw(), untimed());
      EXPECT_EQ(found.verdict, Verdict::disagree);
      if (found.diagnosis) ++named[found.diagnosis->text];
    }
  }
  // "Most entries beside the diagonal" may be said of noise, whose diagonal happens to be right; nothing is
  // exact.
  EXPECT_TRUE(named.empty()) << testing::PrintToString(named);
}

TEST(Diagnosis, KnowsGroups) {
  CheckOptions options = untimed();
  options.groups = {0, 0, 1, 1, 2, 2};
  MatrixXd group = truth;
  for (const Index i : {2, 3}) {
    for (Index j = 0; j < 6; ++j) group(i, j) = group(j, i) = 1.1 * truth(i, j);
  }
  EXPECT_GE(diagnoses(group, options)["group"], at_least());
  EXPECT_EQ(diagnoses(group)["group"], 0);
  EXPECT_GE(diagnoses(swapped(swapped(truth, 0, 4), 1, 5), options)["swap"], at_least());
  options.groups.pop_back();
  LinearNetworks networks(truth, seed());
  EXPECT_THAT(error_of([&] { check({truth}, networks.draw(), options); }), HasSubstr("groups has 5 numbers"));
}

/// With one more entry wrong than the explanation says, by some standard errors, there is none.
TEST(Diagnosis, SaysNothingThatNearlyFits) {
  MatrixXd nearly = 2 * truth;
  nearly(0, 5) = nearly(5, 0) = 2.1 * truth(0, 5) + 0.1;
  EXPECT_GE(diagnoses(nearly)["none"], at_least());
}

/// An error that is just seen may be anything.
TEST(Diagnosis, SaysNothingOfWhatItHardlySees) {
  CheckOptions options = untimed();
  options.resolution = 0.002;  // the first round is as small as it can be
  int disagreed = 0;
  for (std::uint64_t s = 0; s < seeds; ++s) {
    LinearNetworks networks(truth, seed() + s);
    const CheckResult found = check({1.02 * truth}, networks.draw(), options);
    disagreed += found.verdict == Verdict::disagree;
    // Where it is seen well enough to be named, it is named right.
    EXPECT_TRUE(!found.diagnosis || found.diagnosis->kind == DiagnosisKind::factor) << s;
  }
  EXPECT_EQ(disagreed, seeds);
}

TEST(Diagnosis, IsWrittenAsJson) {
  EXPECT_TRUE(to_json(std::optional<Diagnosis>()).is_null());
  const nlohmann::json json =
      to_json(std::optional(Diagnosis{DiagnosisKind::factor, 2, 1.9, 2.1, {}, "twice"}));
  EXPECT_EQ(json["kind"], "factor");
  EXPECT_EQ(json["value"], 2);
  EXPECT_EQ(json["interval"], (nlohmann::json{1.9, 2.1}));
  EXPECT_EQ(json["text"], "twice");
}

}  // namespace
}  // namespace nngpcheck::compare
