#include "nngpcheck/compare/statistics/metrics.hpp"

#include <cmath>

#include "nngpcheck/compare/report/summary.hpp"
#include "nngpcheck/compare/statistics/moments.hpp"
#include "nngpcheck/compare/statistics/rates.hpp"
#include "scratch.hpp"

namespace nngpcheck::compare {
namespace {

using Eigen::MatrixXd;
using testing::HasSubstr;

TEST(RelativeSquaredError, ByHand) {
  const MatrixXd kernel{{2, 1}, {1, 2}}, sampled{{3, 1}, {1, 2}};
  EXPECT_DOUBLE_EQ(relative_squared_error(sampled, kernel), 0.1);
  EXPECT_EQ(relative_squared_error(kernel, kernel), 0);
}

TEST(RelativeSquaredError, DoesNotDependOnTheScale) {
  const MatrixXd kernel{{2, 1}, {1, 2}}, sampled{{3, 1}, {1, 2}};
  for (const double scale : {1e-200, 1e200}) {
    EXPECT_DOUBLE_EQ(relative_squared_error(scale * sampled, scale * kernel), 0.1);
  }
}

TEST(RelativeSquaredError, RejectsWhatHasNone) {
  const MatrixXd one = MatrixXd::Ones(2, 2), zero = MatrixXd::Zero(2, 2), nan = NAN * one;
  EXPECT_THAT(error_of([&] { relative_squared_error(one, MatrixXd::Ones(3, 3)); }),
              HasSubstr("differ in shape"));
  EXPECT_THAT(error_of([&] { relative_squared_error(one, zero); }), HasSubstr("zero or not finite"));
  EXPECT_THAT(error_of([&] { relative_squared_error(one, nan); }), HasSubstr("zero or not finite"));
}

TEST(Moments, AgreeWithTwoPassesWhereSquaresWouldCancel) {
  std::vector<double> numbers;
  for (int k = 0; k < 1000; ++k) numbers.push_back(1e9 + std::sin(k));
  Moments moments;
  double sum = 0, squares = 0;
  for (const double x : numbers) {
    moments.add(x);
    sum += x - 1e9;
    squares += x * x;
  }
  const double mean = 1e9 + sum / 1000;
  double two_pass = 0;
  for (const double x : numbers) two_pass += (x - mean) * (x - mean) / 999;
  EXPECT_DOUBLE_EQ(moments.mean(), mean);
  EXPECT_NEAR(moments.variance(), two_pass, 1e-8);
  const double from_squares = (squares - 1000 * mean * mean) / 999;
  EXPECT_GT(std::abs(from_squares - two_pass), 1e-2);  // the formula that this class avoids
}

TEST(MeanInterval, ByHand) {
  Moments moments;
  for (const double x : {1., 2., 3.}) moments.add(x);
  const Interval interval = mean_interval(moments);
  const double half =
      0.95 * std::sqrt(2 / 0.0975) / std::sqrt(3);  // t quantile in closed form, 2 degrees of freedom
  EXPECT_NEAR(interval.lower, 2 - half, 1e-13);
  EXPECT_NEAR(interval.upper, 2 + half, 1e-13);
}

TEST(Rate, IsExactOnPowerLaws) {
  const std::vector<std::int64_t> widths = {32, 64, 128, 1000};
  for (const double power : {-1., -0.5, 0., 2.}) {
    MatrixXd errors(3, 4);
    for (int i = 0; i < 3; ++i) {
      for (int w = 0; w < 4; ++w) errors(i, w) = (i + 1) * std::pow(double(widths[w]), power);
    }
    const auto rate = fit_rate(widths, errors);
    ASSERT_TRUE(rate);
    EXPECT_NEAR(rate->slope, power, 1e-14);
    EXPECT_NEAR(rate->interval.lower, power, 1e-12);
    EXPECT_NEAR(rate->interval.upper, power, 1e-12);
  }
}

TEST(Rate, IsTheMeanOverLadders) {
  const MatrixXd errors{{1, 0.25}, {1, 1}};  // slopes −2 and 0 from width 1 to 2
  const auto rate = fit_rate({1, 2}, errors);
  ASSERT_TRUE(rate);
  EXPECT_NEAR(rate->slope, -1, 1e-15);
  EXPECT_NEAR(rate->interval.upper - rate->slope, 12.706204736174698,
              1e-9);  // t quantile, 1 degree of freedom
}

TEST(Rate, NeedsErrorsAboveZeroAndTwoWidths) {
  EXPECT_FALSE(fit_rate({1, 2}, MatrixXd{{1, 0}, {1, 1}}));
  EXPECT_FALSE(fit_rate({1, 2}, MatrixXd{{1, 1e-30}, {1, 1}}, 1e-24)) << "rounding";
  EXPECT_TRUE(fit_rate({1, 2}, MatrixXd{{1, 1e-20}, {1, 1}}, 1e-24));
  EXPECT_FALSE(fit_rate({2}, MatrixXd{{1}, {1}}));
  EXPECT_EQ(rate_text(summarize("a", {2}, {{1, 1}})), "no slope from one width");
  const ExperimentSummary rounded =
      summarize("a", {2, 4}, {{1e-14, 1e-15}, {1e-15, 1e-15}}, Precision::float32);
  EXPECT_EQ(rate_text(rounded), "no slope: some network's error is zero, up to rounding");
}

TEST(Summary, HoldsWhatWasMeasured) {
  const ExperimentSummary summary = summarize("a", {10, 20}, {{2, 4}, {1, 2}});
  ASSERT_EQ(summary.widths.size(), 2u);
  EXPECT_EQ(summary.widths[0].width, 10);
  EXPECT_EQ(summary.widths[0].networks, 2);
  EXPECT_EQ(summary.widths[0].mean_relative_squared_error, 3);
  EXPECT_NEAR(summary.rate->slope, -1, 1e-15);
}

TEST(Summary, SurvivesJson) {
  Summary summary{{summarize("a", {10, 20}, {{2, 4}, {1, 2}}), summarize("b", {10, 20}, {{0, 4}, {1, 2}})}};
  summary.experiments[0].kernel_method = "closed form";
  const nlohmann::json json = to_json(summary);
  EXPECT_EQ(to_json(summary_from_json(json)), to_json(summary));
  const nlohmann::json& first = json["experiments"][0];
  EXPECT_NEAR(first["slope"].get<double>(), -1, 1e-15);
  EXPECT_EQ(first["slope_interval"].size(), 2u);
  EXPECT_EQ(first["widths"][1]["networks"], 2);
  EXPECT_EQ(first["widths"][1]["mean_relative_squared_error"], 1.5);
  EXPECT_EQ(first["widths"][1]["mean_relative_squared_error_interval"].size(), 2u);
  EXPECT_TRUE(json["experiments"][1]["slope"].is_null());
  EXPECT_THAT(error_of([] { summary_from_json(nlohmann::json::object()); }), HasSubstr("not a summary"));
}

}  // namespace
}  // namespace nngpcheck::compare
