// The distance from Gaussian: against laws where it is known, and on networks.
#include "nngpcheck/compare/statistics/gaussianity.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/math/distributions/binomial.hpp>
#include <limits>
#include <random>

#include "nngpcheck/architectures/named/mlp.hpp"
#include "nngpcheck/compare/error.hpp"
#include "nngpcheck/compare/statistics/ladders.hpp"
#include "nngpcheck/empirical/sampler.hpp"
#include "tests/compare/synthetic_ladders.hpp"

namespace nngpcheck::compare {
namespace {

using ::testing::HasSubstr;

constexpr double false_alarm = 1e-9;

Eigen::MatrixXd normals(Eigen::Index rows, Eigen::Index columns, std::mt19937_64& random) {
  std::normal_distribution<double> normal;
  Eigen::MatrixXd result(rows, columns);
  for (double& entry : result.reshaped()) entry = normal(random);
  return result;
}

/// Networks with one linear layer, K̂ = L A Aᵀ Lᵀ with A Gaussian of n columns: the marginal excess kurtosis
/// is 6/n, the joint one 2d(d + 2)/n.
OutputSamples one_layer(std::int64_t width, Eigen::Index networks, Eigen::Index dimension,
                        std::mt19937_64& random) {
  const Eigen::MatrixXd root = smooth_kernel(dimension).llt().matrixL();
  OutputSamples result{width, Eigen::MatrixXd(networks, dimension * (dimension + 1) / 2),
                       Eigen::MatrixXd(networks, dimension)};
  for (Eigen::Index i = 0; i < networks; ++i) {
    const Eigen::MatrixXd x = root * normals(dimension, width, random) / std::sqrt(double(width));
    result.kernels.row(i) = upper_triangle(x * x.transpose());
    result.outputs.row(i) = x * normals(width, 1, random);
  }
  return result;
}

bool covers(const Interval& interval, double value) {
  return interval.lower <= value && value <= interval.upper;
}

double binomial_quantile(double count, double share, double tail) {
  return quantile(boost::math::binomial(count, share), tail);
}

TEST(ExcessKurtosis, HasTheValueOfWishartKernelsAndIntervalsThatCover) {
  std::mt19937_64 random(seed());
  constexpr int repetitions = 300, dimension = 3;
  int marginal = 0, joint = 0, decay = 0, wrong = 0;
  double mean_marginal = 0, mean_joint = 0;
  for (int k = 0; k < repetitions; ++k) {
    std::vector<OutputSamples> samples;
    for (const std::int64_t width : {16, 32, 64}) samples.push_back(one_layer(width, 100, dimension, random));
    const Gaussianity found = gaussianity(samples);
    const GaussianityAtWidth& at = found.widths.back();
    EXPECT_EQ(at.width, 64);
    EXPECT_EQ(at.networks, 100);
    marginal += covers(at.marginal.interval, 6. / 64);
    joint += covers(at.joint.interval, 2. * dimension * (dimension + 2) / 64);
    wrong += covers(at.joint.interval, 3. * dimension * (dimension + 2) / 64);
    decay += covers(found.decay.value().interval, -1);
    mean_marginal += at.marginal.value / repetitions;
    mean_joint += at.joint.value / repetitions;
  }
  EXPECT_NEAR(mean_marginal / (6. / 64), 1, 0.05);
  EXPECT_NEAR(mean_joint / (2. * dimension * (dimension + 2) / 64), 1, 0.05);
  // Contributions of networks are skewed, so that coverage is a little less than nominal.
  const double fewest = binomial_quantile(repetitions, confidence - 0.03, false_alarm);
  EXPECT_GE(marginal, fewest);
  EXPECT_GE(joint, fewest);
  EXPECT_GE(decay, fewest);
  EXPECT_LT(wrong, fewest);
  RecordProperty("marginal", marginal);
  RecordProperty("joint", joint);
  RecordProperty("decay", decay);
}

TEST(ExcessKurtosis, OfLinearlyDependentInputsIsThatOfTheirSpan) {
  std::mt19937_64 random(seed());
  const OutputSamples two = one_layer(64, 50, 2, random);
  OutputSamples three{64, Eigen::MatrixXd(50, 6), {}};
  for (Eigen::Index i = 0; i < 50; ++i) {
    Eigen::MatrixXd copy(3, 2);
    copy << 1, 0, 0, 1, 0.6, -0.8;
    three.kernels.row(i) =
        upper_triangle(copy * symmetric_matrix(two.kernels.row(i).transpose()) * copy.transpose());
  }
  EXPECT_NEAR(gaussianity({three}).widths[0].joint.value, gaussianity({two}).widths[0].joint.value, 1e-9);
}

TEST(ExcessKurtosis, IsZeroWhereKernelsDoNotFluctuate) {
  const Eigen::MatrixXd kernel = upper_triangle(smooth_kernel(3)).transpose().replicate(10, 1);
  const Gaussianity found = gaussianity({{16, kernel, {}}, {32, kernel, {}}});
  EXPECT_EQ(found.widths[0].joint.value, 0);
  EXPECT_EQ(found.widths[0].marginal.value, 0);
  EXPECT_FALSE(found.decay);
  EXPECT_FALSE(found.test);
  EXPECT_TRUE(to_json(found)["test"].is_null());
}

TEST(ExcessKurtosis, IsZeroUpToTheNetworksRounding) {
  std::mt19937_64 random(seed());
  const Eigen::MatrixXd kernel = upper_triangle(smooth_kernel(3)).transpose().replicate(10, 1);
  const auto found = [&](double rounding, Precision precision) {
    const Eigen::MatrixXd noise = rounding * normals(kernel.rows(), kernel.cols(), random);
    return gaussianity({{16, kernel + kernel.cwiseProduct(noise), {}}}, precision).widths[0].marginal.value;
  };
  EXPECT_EQ(found(1e-14, Precision::float64), 0);
  EXPECT_GT(found(1e-8, Precision::float64), 0);
  EXPECT_EQ(found(1e-8, Precision::float32), 0);
  EXPECT_GT(found(1e-3, Precision::float32), 0);
}

TEST(Gaussianity, RefusesWhatDoesNotFitTogether) {
  std::mt19937_64 random(1);
  const OutputSamples good = one_layer(8, 5, 2, random);
  const auto message = [](const std::vector<OutputSamples>& samples) -> std::string {
    try {
      gaussianity(samples);
    } catch (const CompareError& error) {
      return error.what();
    }
    return "nothing";
  };
  EXPECT_EQ(message({good}), "nothing");
  EXPECT_THAT(message({}), HasSubstr("no networks"));
  EXPECT_THAT(message({{8, good.kernels.topRows(1), {}}}), HasSubstr("at least 2"));
  EXPECT_THAT(message({{8, good.kernels, good.outputs.topRows(4)}}), HasSubstr("2 outputs of 4 networks"));
  EXPECT_THAT(message({{8, good.kernels, good.outputs.leftCols(1)}}), HasSubstr("1 outputs"));
  OutputSamples bad = good;
  bad.kernels(1, 1) = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(message({bad}), HasSubstr("kernel of width 8 is not finite"));
  bad = good;
  bad.outputs(1, 1) = std::numeric_limits<double>::infinity();
  EXPECT_THAT(message({bad}), HasSubstr("output is not finite"));
}

/// How often p ≤ level in that many tests of outputs made by `draw`.
int rejections(int tests, double level, const std::function<Eigen::MatrixXd(std::mt19937_64&)>& draw) {
  std::mt19937_64 random(seed());
  int result = 0;
  for (int k = 0; k < tests; ++k) {
    const auto test = test_normality(draw(random), Precision::float64, static_cast<std::uint64_t>(k));
    result += test.value().p_value <= level;
  }
  return result;
}

TEST(Mardia, RejectsGaussianOutputsAsOftenAsItSays) {
  const Eigen::MatrixXd root = smooth_kernel(3).llt().matrixL();
  const auto gaussian = [&](std::mt19937_64& random) {
    return Eigen::MatrixXd((normals(50, 3, random) * root.transpose()).array() + 3);
  };
  const int count = rejections(300, 0.1, gaussian);
  EXPECT_GE(count, binomial_quantile(300, 0.1, false_alarm));
  EXPECT_LE(count, binomial_quantile(300, 0.1, 1 - false_alarm));
  const auto mixture = [&](std::mt19937_64& random) {
    Eigen::MatrixXd rows = gaussian(random);
    for (Eigen::Index i = 0; i < rows.rows(); i += 2) rows.row(i) *= 0.4;
    return rows;
  };
  EXPECT_GT(rejections(300, 0.1, mixture), binomial_quantile(300, 0.1, 1 - false_alarm));
}

TEST(Mardia, SeesWhatItSaysItWouldSee) {
  std::mt19937_64 random(seed());
  const auto test = test_normality(normals(400, 2, random)).value();
  // A mixture of two scales whose joint excess kurtosis is twice that: 8·(1 − c)²/(1 + c)² for scales 1 and
  // c.
  const double ratio = std::sqrt(2 * test.detectable / 8);
  ASSERT_LT(ratio, 1);
  const double small = std::sqrt((1 - ratio) / (1 + ratio));
  const auto mixture = [&](std::mt19937_64& generator) {
    Eigen::MatrixXd rows = normals(400, 2, generator);
    rows.topRows(200) *= small;
    return rows;
  };
  EXPECT_GE(rejections(50, NormalityTest::level, mixture), 48);
}

TEST(Mardia, NeedsMoreOutputsThanTwiceTheirDimension) {
  std::mt19937_64 random(1);
  EXPECT_FALSE(test_normality(normals(7, 3, random)));
  EXPECT_TRUE(test_normality(normals(8, 3, random)));
  EXPECT_FALSE(test_normality(Eigen::MatrixXd::Zero(10, 2)));
}

/// Independent of the shortcut by kernels: outputs of networks drawn with their readout.
OutputSamples sampled(std::int64_t width, std::uint64_t networks) {
  const architectures::MlpOptions options{.depth = 3, .weight_variance = 2};
  inputs::Inputs inputs;
  inputs.data = Eigen::MatrixXd::Identity(4, 4) + Eigen::MatrixXd::Constant(4, 4, 0.5);
  inputs.labels = {"a", "b", "c", "d"};
  const empirical::Sampler sampler(architectures::mlp(options, inputs));
  OutputSamples result{width, Eigen::MatrixXd(networks, 10), Eigen::MatrixXd(networks, 4)};
  sampler.sample_outputs(width, seed(), 0, networks,
                         [&](std::uint64_t i, const Eigen::MatrixXd& kernel, const Eigen::VectorXd& outputs) {
                           result.kernels.row(static_cast<Eigen::Index>(i)) = upper_triangle(kernel);
                           result.outputs.row(static_cast<Eigen::Index>(i)) = outputs;
                         });
  return result;
}

TEST(Networks, AreSeenToBeNotGaussianWhereNarrowAndGaussianWhereWide) {
  const Gaussianity narrow = gaussianity({sampled(32, 1000)});
  EXPECT_LT(narrow.test.value().p_value, 0.01);
  EXPECT_GT(narrow.test->excess, 0);
  // The two ways to the same number; `detectable` is 5.7 standard deviations of the test's.
  EXPECT_NEAR(narrow.test->excess / narrow.widths[0].joint.value, 1, 0.5);

  const Gaussianity wide = gaussianity({sampled(64, 200), sampled(512, 200), sampled(4096, 1000)});
  EXPECT_GT(wide.test.value().p_value, 1e-3);
  EXPECT_LT(wide.widths.back().joint.value, wide.test->detectable);
  EXPECT_TRUE(covers({wide.decay.value().slope - 0.3, wide.decay->slope + 0.3}, -1));
  EXPECT_THAT(gaussianity_text(wide), HasSubstr("at width 4096; Mardia's test on 1000 outputs there: p ="));
}

}  // namespace
}  // namespace nngpcheck::compare
