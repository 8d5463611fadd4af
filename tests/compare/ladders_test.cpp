#include "nngpcheck/compare/statistics/ladders.hpp"

#include <Eigen/LU>
#include <cmath>

#include "nngpcheck/compare/statistics/ladder_statistics.hpp"
#include "nngpcheck/compare/statistics/sign_flips.hpp"
#include "scratch.hpp"

namespace nngpcheck::compare {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using testing::HasSubstr;

const std::vector<std::int64_t> widths = {64, 128, 200, 512, 1024, 5000};

/// Numbers without a pattern.
MatrixXd noise(Index rows, Index columns, std::uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  MatrixXd result(rows, columns);
  for (Index k = 0; k < result.size(); ++k) result.data()[k] = normal(random);
  return result;
}

/// Few common causes and a little noise: its columns are strongly correlated.
MatrixXd correlated(Index rows, Index columns) {
  return noise(rows, 3, 1) * noise(3, columns, 2) + 0.1 * noise(rows, columns, 3);
}

TEST(UpperTriangle, GoesThereAndBack) {
  EXPECT_EQ(upper_triangle(MatrixXd{{1, 2, 4}, {9, 3, 5}, {9, 9, 6}}), (VectorXd{{1, 2, 3, 4, 5, 6}}));
  EXPECT_EQ(symmetric_matrix(VectorXd{{1, 2, 3, 4, 5, 6}}), (MatrixXd{{1, 2, 4}, {2, 3, 5}, {4, 5, 6}}));
  Index e = 0;
  for (Index column = 0; column < 300; ++column) {
    for (Index row = 0; row <= column; ++row, ++e) {
      ASSERT_EQ(entry_position(e).row, row);
      ASSERT_EQ(entry_position(e).column, column);
    }
  }
  EXPECT_THAT(error_of([] { symmetric_matrix(VectorXd::Ones(4)); }), HasSubstr("4 numbers are no upper"));
}

TEST(LadderDesign, ExtrapolatesWithoutBias) {
  const LadderDesign design(widths);
  for (int power = 0; power <= 3; ++power) {
    VectorXd term(std::ssize(widths));
    for (Index w = 0; w < term.size(); ++w) {
      term(w) = std::pow(64. / static_cast<double>(widths[static_cast<std::size_t>(w)]), power);
    }
    const double extrapolated = design.extrapolation.dot(term);
    const VectorXd residuals = design.contrasts * term;
    if (power < 3) {
      EXPECT_NEAR(extrapolated, power == 0 ? 1 : 0, 1e-13) << power;
      EXPECT_LT(residuals.cwiseAbs().maxCoeff(), 1e-12) << power;
    } else {  // what the model leaves out is seen
      EXPECT_GT(std::abs(extrapolated), 1e-4);
      EXPECT_GT(residuals.cwiseAbs().maxCoeff(), 0.1);
    }
  }
}

TEST(LadderDesign, ContrastsAreUncorrelatedWithEqualVariance) {
  const LadderDesign design(widths);
  VectorXd variance(std::ssize(widths));  // of K̂, up to a factor
  for (Index w = 0; w < variance.size(); ++w) {
    variance(w) = 1 / static_cast<double>(widths[static_cast<std::size_t>(w)]);
  }
  const MatrixXd covariance = design.contrasts * variance.asDiagonal() * design.contrasts.transpose();
  EXPECT_TRUE(covariance.isApprox(MatrixXd::Identity(3, 3), 1e-13));
  const VectorXd with_extrapolation = design.contrasts * variance.asDiagonal() * design.extrapolation;
  EXPECT_LT(with_extrapolation.norm(), 1e-14);
}

TEST(LadderDesign, HasTheSmallestVariance) {
  const LadderDesign octaves({64, 128, 256, 512, 1024, 2048, 4096, 8192});
  double variance = 0;
  for (Index w = 0; w < 8; ++w) {
    variance += octaves.extrapolation(w) * octaves.extrapolation(w) * std::ldexp(1., -int(w) - 6) * 8192;
  }
  EXPECT_NEAR(variance, 0.72, 0.005);  // below that of the widest network alone
}

TEST(LadderDesign, RejectsOtherWidths) {
  for (const std::vector<std::int64_t>& bad :
       {std::vector<std::int64_t>{}, {1, 2, 3}, {1, 2, 2, 3}, {4, 3, 2, 1}, {0, 1, 2, 3}}) {
    EXPECT_THAT(error_of([&] { LadderDesign{bad}; }), HasSubstr("needs at least 4 of them, increasing"));
  }
}

TEST(Ladders, AreCombinedByTheDesign) {
  Ladders ladders{widths, {}};
  const MatrixXd limit = noise(5, 6), one = noise(5, 6, 2), two = noise(5, 6, 3);
  for (const std::int64_t width : widths) {
    const auto n = static_cast<double>(width);
    ladders.kernels.push_back(limit + one / n + two / (n * n));
  }
  const LadderDesign design(widths);
  EXPECT_TRUE(extrapolate(ladders, design).isApprox(limit, 1e-13));
  const std::vector<MatrixXd> residuals = residual_contrasts(ladders, design);
  ASSERT_EQ(residuals.size(), 3u);
  for (const MatrixXd& residual : residuals) EXPECT_LT(residual.cwiseAbs().maxCoeff(), 1e-11);
}

TEST(Ladders, AreConcatenated) {
  const Ladders first{{1, 2, 3, 4}, std::vector<MatrixXd>(4, noise(2, 3, 1))};
  const Ladders second{{1, 2, 3, 4}, std::vector<MatrixXd>(4, noise(5, 3, 2))};
  const Ladders both = concatenate(first, second);
  EXPECT_EQ(both.count(), 7);
  EXPECT_EQ(both.entries(), 3);
  EXPECT_EQ(both.kernels[3].topRows(2), first.kernels[3]);
  EXPECT_EQ(both.kernels[3].bottomRows(5), second.kernels[3]);
  Ladders other = second;
  other.widths[3] = 5;
  EXPECT_THAT(error_of([&] { concatenate(first, other); }), HasSubstr("different widths"));
}

TEST(Student, IsGaussianWithInfiniteDegrees) {
  const double infinite = std::numeric_limits<double>::infinity();
  EXPECT_NEAR(student_tail(1.959963984540054, infinite), 0.025, 1e-15);
  EXPECT_NEAR(student_quantile(0.025, infinite), 1.959963984540054, 1e-13);
  EXPECT_NEAR(student_quantile(0.025, 1), 12.706204736174698, 1e-11);
  EXPECT_NEAR(student_tail(student_quantile(1e-12, 63), 63), 1e-12, 1e-22);
  EXPECT_EQ(student_tail(infinite, 63), 0);
  EXPECT_EQ(student_tail(-infinite, 63), 1);
}

TEST(ColumnStatistics, ByHand) {
  const ColumnStatistics statistics = column_statistics(MatrixXd{{1, 1e9}, {2, 1e9}, {3, 1e9}});
  EXPECT_EQ(statistics.mean, (VectorXd{{2, 1e9}}));
  EXPECT_DOUBLE_EQ(statistics.standard_error(0), 1 / std::sqrt(3));
  EXPECT_EQ(statistics.standard_error(1), 0);
}

TEST(Excess, LeavesTheDeadZoneOut) {
  EXPECT_EQ(excess(3, 1), 2);
  EXPECT_EQ(excess(-3, 1), -2);
  EXPECT_EQ(excess(-0.5, 1), 0);
  EXPECT_EQ(excess_t(-3, 1, 4), -0.5);
  EXPECT_EQ(excess_t(1, 1, 0), 0);
  EXPECT_EQ(excess_t(-2, 1, 0), -std::numeric_limits<double>::infinity());
}

TEST(PooledDegrees, AreBetweenTheirParts) {
  EXPECT_EQ(pooled_degrees(2, 63, 0, 15), 63);
  EXPECT_EQ(pooled_degrees(0, 63, 2, 15), 15);
  EXPECT_DOUBLE_EQ(pooled_degrees(1, 10, 1, 10), 20);
  EXPECT_DOUBLE_EQ(pooled_degrees(1, 10, 1, std::numeric_limits<double>::infinity()), 40);
}

TEST(Dispersion, IsTheExponentOfTheFluctuations) {
  for (const double power : {-0.5, -1. / 3}) {
    Ladders ladders{widths, {}};
    const MatrixXd fluctuation = noise(20, 6);
    for (const std::int64_t width : widths) {
      const MatrixXd mean = MatrixXd::Constant(20, 6, 1 + 3. / static_cast<double>(width));
      ladders.kernels.push_back(mean + std::pow(static_cast<double>(width), power) * fluctuation);
    }
    const auto found = dispersion(ladders);
    ASSERT_TRUE(found);
    EXPECT_NEAR(found->slope, power, 1e-12);
    EXPECT_LT(found->standard_error, 1e-12);
  }
  EXPECT_FALSE(dispersion({widths, std::vector<MatrixXd>(6, MatrixXd::Ones(20, 6))}));
}

TEST(Dispersion, IsNotMovedByAnOutlier) {
  Ladders ladders{widths, {}};
  for (const std::int64_t width : widths) {
    const double size = 1 / std::sqrt(static_cast<double>(width));
    ladders.kernels.push_back(size * noise(64, 6, static_cast<std::uint64_t>(width)));
  }
  const Dispersion without = *dispersion(ladders);
  ladders.kernels.back()(7, 2) = 1e6;
  const Dispersion with = *dispersion(ladders);
  const VectorXd log_width = VectorXd{{64, 128, 200, 512, 1024, 5000}}.array().log();
  const double leverage =
      (log_width.array() - log_width.mean())(5) / (log_width.array() - log_width.mean()).square().sum();
  // That ladder's own slope moves by about leverage × log(1e6 √5000/√6), and the mean by 1/64 of it.
  EXPECT_NEAR(with.slope - without.slope, leverage * std::log(1e6 * std::sqrt(5000. / 6)) / 64, 0.01);
}

TEST(Dispersion, IsPooledByPrecision) {
  const Dispersion both = pooled({-0.4, 0.03}, {-0.5, 0.01});
  EXPECT_NEAR(both.slope, -0.49, 1e-15);
  EXPECT_NEAR(both.standard_error, 0.03 / std::sqrt(10), 1e-15);
  EXPECT_EQ(pooled({-0.4, 0}, {-0.5, 0.01}).slope, -0.4);
  EXPECT_EQ(pooled({-0.4, 0}, {-0.5, 0}).slope, -0.45);
}

TEST(Whitener, IsTheInverseWithFewAndManyEntries) {
  for (const Index entries : {5, 30, 31, 100}) {
    MatrixXd vectors = correlated(30, entries);
    vectors.col(3).setZero();
    const MatrixXd scaled = scaled_to_unit_mean_square(vectors);
    const MatrixXd direct =
        (scaled.transpose() * scaled / 30 + 0.1 * MatrixXd::Identity(entries, entries)).inverse();
    const MatrixXd x = noise(4, entries);
    const Whitener whitener(vectors);
    EXPECT_LT((whitener.apply(x) - x * direct).norm(), 1e-10 * (x * direct).norm()) << entries;
    const MatrixXd gram = x * direct * x.transpose();
    EXPECT_LT((whitener.gram(x) - gram).norm(), 1e-10 * gram.norm()) << entries;
    const MatrixXd own = scaled * direct * scaled.transpose();
    EXPECT_LT((whitener.gram_of_vectors() - own).norm(), 1e-10 * own.norm()) << entries;
  }
}

TEST(GroupSums, AddConsecutiveRows) {
  const MatrixXd rows{{1, 10}, {2, 20}, {3, 30}, {4, 40}, {5, 50}};
  EXPECT_EQ(group_sums(rows, 3), (MatrixXd{{3, 30}, {7, 70}, {5, 50}}));
  EXPECT_EQ(group_sums(rows, 5), rows);
  EXPECT_EQ(group_sums(rows, 1), (MatrixXd{{15, 150}}));
}

TEST(SignFlips, AreUniformWhenRowsDoNotMatter) {
  SignFlips flips{std::mt19937_64(1), 1999};
  EXPECT_EQ(sign_flip_p(MatrixXd::Identity(10, 10), flips), 1);  // sᵀs is always 10
  EXPECT_EQ(sign_flip_p(MatrixXd::Zero(10, 10), flips), 1);
}

TEST(SignFlips, FindAMeanAndRepeat) {
  const MatrixXd ones = MatrixXd::Ones(64, 64);
  SignFlips flips{std::mt19937_64(1), 1999}, again = flips, other{std::mt19937_64(2), 1999};
  EXPECT_EQ(sign_flip_p(ones, flips), 1. / 2000);  // 2^−63 reach it
  const MatrixXd x = noise(64, 3);
  const MatrixXd gram = x * x.transpose();
  again.random.discard(1999);
  SignFlips same = again;
  const double p = sign_flip_p(gram, again);
  EXPECT_EQ(p, sign_flip_p(gram, same));
  EXPECT_NE(p, sign_flip_p(gram, other));
}

TEST(DiagonalBlocks, AreSummed) {
  MatrixXd gram(4, 4);
  gram << 1, 2, 9, 9, 3, 4, 9, 9, 9, 9, 10, 20, 9, 9, 30, 40;
  EXPECT_EQ(sum_of_diagonal_blocks(gram, 2), (MatrixXd{{11, 22}, {33, 44}}));
}

}  // namespace
}  // namespace nngpcheck::compare
