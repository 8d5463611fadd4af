#include "nngpcheck/compare/statistics/prediction.hpp"

#include <gtest/gtest.h>

#include <boost/math/distributions/chi_squared.hpp>
#include <cmath>

#include "nngpcheck/analytic/law.hpp"
#include "nngpcheck/compare/error.hpp"
#include "nngpcheck/compare/report/summary.hpp"

namespace nngpcheck::compare {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

/// One input, K = 2, n Var K̂ = 60: C = 15 K².
analytic::FiniteWidthLaw one_input(double standard_error = 0) {
  analytic::FiniteWidthLaw law;
  law.kernel = MatrixXd::Constant(1, 1, 2);
  law.c = {60, standard_error};
  law.eigenvalues = VectorXd::Constant(1, 60);
  law.factor = MatrixXd::Constant(1, 1, std::sqrt(60));
  law.bias = MatrixXd::Zero(1, 1);
  return law;
}

TEST(Prediction, IsAChiSquareForOneInput) {
  const Prediction prediction = predict(one_input(), {64, 256}, 20, {0});
  EXPECT_EQ(prediction.none, "");
  EXPECT_DOUBLE_EQ(prediction.relative_c, 15);
  ASSERT_EQ(prediction.widths.size(), 2U);
  const boost::math::chi_squared chi(20);
  for (const PredictedWidth& width : prediction.widths) {
    const double mean = 15.0 / static_cast<double>(width.width);
    EXPECT_DOUBLE_EQ(width.mean, mean);
    EXPECT_NEAR(width.band.lower / mean, quantile(chi, 0.025) / 20, 1e-8);
    EXPECT_NEAR(width.band.upper / mean, quantile(chi, 0.975) / 20, 1e-8);
  }
  // 3 Var K̂/K² and Mardia's are the same for one output.
  EXPECT_DOUBLE_EQ(prediction.marginal_excess_kurtosis, 45);
  EXPECT_NEAR(prediction.joint_excess_kurtosis, 45, 1e-12);
}

TEST(Prediction, HoldsWhereTheBandHidesTheNextOrder) {
  // The standard deviation asks for 4·15/n ≤ 0.1, the mean of 20 networks for 7.5/n ≤ 0.64/8, of 2,000, for
  // 0.063/8.
  const Prediction few = predict(one_input(), {512, 1024, 2048}, 20, {0});
  EXPECT_FALSE(few.widths[0].holds);
  EXPECT_TRUE(few.widths[1].holds && few.widths[2].holds);
  const Prediction many = predict(one_input(), {512, 1024}, 2000, {0});
  EXPECT_FALSE(many.widths[0].holds);
  EXPECT_TRUE(many.widths[1].holds);
}

TEST(Prediction, CountsItsOwnStandardError) {
  const PredictedWidth exact = predict(one_input(), {64}, 2000, {0}).widths[0];
  const PredictedWidth rough = predict(one_input(6), {64}, 2000, {0}).widths[0];
  EXPECT_GT(rough.band.upper - rough.mean, 0.19 * rough.mean);
  EXPECT_LT(exact.band.upper - exact.mean, 0.1 * exact.mean);
  const Ratio ratio = measured_over_predicted(1.1, {1.0, 1.2}, 1, 0.1);
  EXPECT_DOUBLE_EQ(ratio.value, 1.1);
  EXPECT_NEAR(ratio.interval.upper - 1.1, std::hypot(0.1, 1.1 * 0.1 * 1.959964), 1e-6);
}

TEST(Prediction, SaysThatNothingFluctuates) {
  analytic::FiniteWidthLaw law = one_input();
  law.c = {};
  EXPECT_EQ(predict(law, {64}, 2, {0}).none, "the kernel of every network is K");
}

TEST(Prediction, IsReadBack) {
  const Prediction prediction = predict(one_input(0.5), {64, 256}, 20, {0});
  const nlohmann::json json = to_json(prediction);
  EXPECT_EQ(nlohmann::json(to_json(prediction_from_json(json))), json);
  EXPECT_EQ(prediction_from_json({{"none", "no second moment"}}).none, "no second moment");
  nlohmann::json wrong = json;
  wrong["widths"][0].erase("band");
  EXPECT_THROW(prediction_from_json(wrong), nlohmann::json::exception);
}

ExperimentSummary predicted(double factor) {
  std::vector<std::vector<double>> errors;
  const std::vector<std::int64_t> widths = {16, 1024, 4096};
  for (const std::int64_t width : widths) {
    const double mean = 15.0 / static_cast<double>(width);
    errors.push_back({0.5 * factor * mean, 1.5 * factor * mean});
  }
  ExperimentSummary result = summarize("relu", widths, errors);
  result.predicted = predict(one_input(), widths, 20, {0});
  return result;
}

TEST(Prediction, IsComparedWhereItHolds) {
  ExperimentSummary summary = predicted(1.25);
  summary.widths[0].mean_relative_squared_error *= 7;  // it does not hold there
  EXPECT_NEAR(measured_over_predicted(summary)->value, 1.25, 1e-12);
  EXPECT_NEAR(measured_over_predicted(summary, 0).value, 7 * 1.25, 1e-12);
  EXPECT_TRUE(prediction_text(summary).starts_with("measured/predicted 1.250 (95 % interval "));
  EXPECT_TRUE(prediction_text(summary).ends_with(" from width 1024 on"));
  for (PredictedWidth& width : summary.predicted->widths) width.holds = false;
  EXPECT_FALSE(measured_over_predicted(summary));
  EXPECT_EQ(prediction_text(summary),
            "predicted mean × width 15.00, to first order, which is not enough at these widths");
  summary.predicted = Prediction{.none = "no second moment"};
  EXPECT_EQ(prediction_text(summary), "nothing predicted: no second moment");
  summary.predicted.reset();
  EXPECT_EQ(prediction_text(summary), "");
}

TEST(Prediction, IsPartOfTheSummary) {
  const Summary summary{{predicted(1), summarize("plain", {16, 64}, {{1, 2}, {0.5, 1}})}};
  nlohmann::json json = to_json(summary);
  EXPECT_TRUE(json["experiments"][1]["predicted"].is_null());
  const nlohmann::json& part = json["experiments"][0]["predicted"];
  EXPECT_NEAR(part["measured_over_predicted"].get<double>(), 1, 1e-12);
  EXPECT_EQ(part["widths"][2]["measured_over_predicted_interval"].size(), 2U);
  const Summary back = summary_from_json(json);
  EXPECT_EQ(to_json(back.experiments[0].predicted.value()).dump(),
            to_json(summary.experiments[0].predicted.value()).dump());
  json["experiments"][0]["predicted"]["widths"].erase(0);
  EXPECT_THROW(summary_from_json(json), CompareError);
}

}  // namespace
}  // namespace nngpcheck::compare
