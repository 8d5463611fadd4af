#include "nngpcheck/analytic/batch_norm/batch_norm.hpp"

#include <gmock/gmock.h>

#include <Eigen/Dense>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numbers>
#include <random>

#include "nngpcheck/analytic/error.hpp"
#include "reference.hpp"

namespace nngpcheck::analytic {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using testing::read_json;
using testing::to_matrix;

HomogeneousForm form(const std::string& name) { return *homogeneous_form(netsor::Activation::named(name)); }
const HomogeneousForm relu = form("relu");
const HomogeneousForm one{1, 1, 0};  // φ(x) = 1 for x ≠ 0

UncertainMatrix exact(const MatrixXd& matrix) {
  return {matrix, MatrixXd::Zero(matrix.rows(), matrix.cols())};
}

UncertainMatrix block(const UncertainMatrix& m, Index i, Index j, Index rows, Index columns) {
  return {m.value.block(i, j, rows, columns), m.bound.block(i, j, rows, columns)};
}

/// The covariance of `size` columns that are W x, x drawn once in that dimension.
MatrixXd random_covariance(Index size, Index dimension, unsigned seed) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal;
  MatrixXd x(size, dimension);
  for (double& value : x.reshaped()) value = normal(engine);
  return x * x.transpose() / static_cast<double>(dimension);
}

UncertainMatrix same_group(const HomogeneousForm& phi, const HomogeneousForm& psi, const MatrixXd& covariance,
                           double epsilon = 0) {
  return batch_norm_same_group(phi, psi, {exact(covariance), epsilon}).moment;
}

/// Of the first B columns and the rest.
UncertainMatrix two_groups(const HomogeneousForm& phi, const HomogeneousForm& psi,
                           const UncertainMatrix& joint, Index first, double epsilon_first = 0,
                           double epsilon_second = 0) {
  const Index second = joint.value.rows() - first;
  return batch_norm_two_groups(phi, psi, {block(joint, 0, 0, first, first), epsilon_first},
                               {block(joint, first, first, second, second), epsilon_second},
                               block(joint, 0, first, first, second))
      .moment;
}

/// |value - expected| ≤ bound + slack, and the bound is at most `allowed`.
void expect_within(const UncertainMatrix& found, const MatrixXd& expected, double slack, double allowed) {
  ASSERT_EQ(found.value.rows(), expected.rows());
  ASSERT_EQ(found.value.cols(), expected.cols());
  const MatrixXd error = (found.value - expected).cwiseAbs();
  EXPECT_LE((error - found.bound).maxCoeff(), slack) << "found\n"
                                                     << found.value << "\nexpected\n"
                                                     << expected;
  EXPECT_LE(found.bound.maxCoeff(), allowed);
}

/// One layer: covariance of two batches of four → kernel after relu.
UncertainMatrix layer(const UncertainMatrix& k) {
  const auto first = batch_norm_same_group(relu, relu, {block(k, 0, 0, 4, 4)}).moment;
  const auto second = batch_norm_same_group(relu, relu, {block(k, 4, 4, 4, 4)}).moment;
  const UncertainMatrix cross = two_groups(relu, relu, k, 4);
  UncertainMatrix result = exact(MatrixXd(8, 8));
  result.value << first.value, cross.value, cross.value.transpose(), second.value;
  result.bound << first.bound, cross.bound, cross.bound.transpose(), second.bound;
  return result;
}

TEST(BatchNorm, ReferenceKernelsAtAllInputScales) {
  const auto reference = read_json("batchnorm_kernels.json");
  const MatrixXd x = to_matrix(reference["inputs"]);
  for (const double scale : {1.0, 1e-6, 1e6, 1000.0}) {
    UncertainMatrix k = exact(scale * scale / 32 * x * x.transpose());
    for (const char* depth : {"1", "2", "3"}) {
      k = layer(k);
      const MatrixXd expected = to_matrix(reference["kernel_by_depth"][depth]);
      EXPECT_LT(((k.value - expected).array() / expected.array()).abs().maxCoeff(), 1e-11);
      expect_within(k, expected, 1e-13, 1e-9);  // the reference has 13 digits
    }
  }
}

TEST(BatchNorm, OneGroupEqualsIndependentIntegration) {
  const auto table = read_json("batch_norm.json");
  for (const auto& row : table.at("same_group")) {
    SCOPED_TRACE(row.dump());
    const UncertainMatrix found =
        same_group(form(row["phi"]), form(row["psi"]), to_matrix(row["covariance"]), row["epsilon"]);
    expect_within(found, to_matrix(row["moment"]), 1e-15, 1e-10);
  }
}

TEST(BatchNorm, TwoGroupsEqualIndependentIntegration) {
  const auto table = read_json("batch_norm.json");
  for (const auto& row : table.at("two_groups")) {
    SCOPED_TRACE(row.dump());
    const UncertainMatrix found =
        two_groups(form(row["phi"]), form(row["psi"]), exact(to_matrix(row["covariance"])), row["sizes"][0],
                   row["epsilons"][0], row["epsilons"][1]);
    expect_within(found, to_matrix(row["moment"]), 1e-15, 1e-10);
  }
}

// Σ_i relu(ŷ_i)² has the same mean as Σ_i relu(-ŷ_i)², and they add up to B; Σ_i ŷ_i² = B.
TEST(BatchNorm, TracesAreExact) {
  for (const Index size : {2, 3, 5, 16, 64}) {
    const MatrixXd covariance = random_covariance(size, 40, 1);
    const auto half = static_cast<double>(size) / 2;
    EXPECT_NEAR(same_group(relu, relu, covariance).value.trace(), half, 1e-12 * half);
    EXPECT_NEAR(same_group(form("identity"), form("identity"), covariance).value.trace(), 2 * half,
                1e-12 * half);
    EXPECT_GT(half - same_group(relu, relu, covariance, 0.1).value.trace(), 1e-3 * half);  // only at ε = 0
  }
}

TEST(BatchNorm, RowsOfSquaresAddUp) {
  const MatrixXd covariance = random_covariance(6, 8, 2);
  const MatrixXd squares = same_group(form("square"), form("square"), covariance).value;
  const MatrixXd products = same_group(form("identity"), form("identity"), covariance).value;
  EXPECT_LT((squares.rowwise().sum() - 6 * products.diagonal()).cwiseAbs().maxCoeff(), 1e-12);
  EXPECT_LT(products.rowwise().sum().cwiseAbs().maxCoeff(), 1e-13);
}

TEST(BatchNorm, TheScaleOfTheInputsDoesNotMatter) {
  const MatrixXd k = random_covariance(7, 9, 3);
  const MatrixXd expected = two_groups(relu, relu, exact(k), 3).value;
  for (const double scale : {1e-6, 0.3, 1000.0, 1e6}) {
    expect_within(two_groups(relu, relu, exact(scale * scale * k), 3), expected, 1e-12, 1e-11);
    const auto first =
        exact(scale * scale * k.topLeftCorner(3, 3));  // the groups' own scales do not matter either
    const auto moment = batch_norm_two_groups(relu, relu, {first, 0}, {exact(k.bottomRightCorner(4, 4)), 0},
                                              exact(scale * k.topRightCorner(3, 4)));
    expect_within(moment.moment, expected, 1e-12, 1e-11);
  }
}

TEST(BatchNorm, TwoSamplesAreSigns) {
  const MatrixXd k = random_covariance(4, 6, 4);
  EXPECT_EQ(same_group(relu, relu, k.topLeftCorner(2, 2)).value,
            (MatrixXd(2, 2) << 0.5, 0, 0, 0.5).finished());
  // ŷ = ±1 with the sign of a = x₁ - x₂: the orthant probability of two normal variables.
  const auto difference = [&](Index i, Index j) {
    return k(i, j) - k(i, j + 1) - k(i + 1, j) + k(i + 1, j + 1);
  };
  const double rho = difference(0, 2) / std::sqrt(difference(0, 0) * difference(2, 2));
  const double both = 0.25 + std::asin(rho) / (2 * std::numbers::pi);
  const MatrixXd expected = (MatrixXd(2, 2) << both, 0.5 - both, 0.5 - both, both).finished();
  expect_within(two_groups(relu, relu, exact(k), 2), expected, 1e-15, 1e-13);
}

// A batch with every sample twice is the batch itself.
TEST(BatchNorm, DuplicateSamples) {
  const MatrixXd k = random_covariance(8, 12, 5);
  const std::vector<Index> twice = {0, 1, 2, 3, 4, 0, 1, 2, 3, 4};
  const std::vector<Index> both = {0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 5, 6, 7};
  for (const char* name : {"relu", "step", "square"}) {
    const HomogeneousForm phi = form(name);
    const UncertainMatrix once = same_group(phi, phi, k.topLeftCorner(5, 5));
    expect_within(same_group(phi, phi, k(twice, twice)), once.value(twice, twice), 1e-12, 1e-6);
    const UncertainMatrix pair = two_groups(phi, phi, exact(k), 5);
    const MatrixXd expected = pair.value(twice, Eigen::all);
    expect_within(two_groups(phi, phi, exact(k(both, both)), 10), expected, 1e-12, 1e-6);
  }
}

TEST(BatchNorm, TwoDistinctSamplesInALargerBatch) {
  const MatrixXd k = random_covariance(2, 5, 6);
  const std::vector<Index> batch = {0, 0, 1, 0};
  const UncertainMatrix found = same_group(relu, relu, k(batch, batch));
  // y = (a, a, -3a, a)/4·…: ŷ = ±(1, 1, -3, 1)/√3
  MatrixXd expected(4, 4);
  for (Index i = 0; i < 4; ++i) {
    for (Index j = 0; j < 4; ++j) {
      expected(i, j) = i == 2 && j == 2 ? 1.5 : i == 2 || j == 2 ? 0 : 1.0 / 6;
    }
  }
  expect_within(found, expected, 0, 1e-5);  // rank one: rounding counts by its square root
}

TEST(BatchNorm, ASampleAtTheMeanIsZero) {
  const MatrixXd pair = random_covariance(2, 4, 7);
  const MatrixXd mean = (MatrixXd(2, 3) << 1, 0, 0.5, 0, 1, 0.5).finished();
  const MatrixXd k = mean.transpose() * pair * mean;
  const UncertainMatrix found = same_group(relu, relu, k);
  EXPECT_NEAR(found.value(0, 0), 0.75, found.bound(0, 0));
  EXPECT_NEAR(found.value(2, 2), 0, found.bound(2, 2));
  EXPECT_LT(found.bound.maxCoeff(), 1e-5);
}

TEST(BatchNorm, AGroupWithItself) {
  const MatrixXd k = random_covariance(9, 12, 8);
  for (const double epsilon : {0.0, 0.2}) {
    for (const char* name : {"relu", "leaky_relu_0.1", "sign"}) {
      const UncertainMatrix once = same_group(form(name), form(name), k, epsilon);
      const auto twice =
          batch_norm_two_groups(form(name), form(name), {exact(k), epsilon}, {exact(k), epsilon}, exact(k));
      expect_within(twice.moment, once.value, 1e-13, 1e-6);
      EXPECT_LT((twice.moment.value - once.value).cwiseAbs().maxCoeff(), 1e-11);
    }
  }
}

TEST(BatchNorm, IndependentGroupsFactorize) {
  const MatrixXd a = random_covariance(4, 6, 9);
  const MatrixXd b = random_covariance(5, 6, 10);
  MatrixXd joint = MatrixXd::Zero(9, 9);
  joint.topLeftCorner(4, 4) = a;
  joint.bottomRightCorner(5, 5) = b;
  const Eigen::VectorXd mean_a = same_group(relu, one, a, 0.3).value.diagonal();
  const Eigen::VectorXd mean_b = same_group(form("relu_squared"), one, b).value.diagonal();
  expect_within(two_groups(relu, form("relu_squared"), exact(joint), 4, 0.3, 0), mean_a * mean_b.transpose(),
                1e-13, 1e-11);
}

TEST(BatchNorm, EpsilonRunsFromNoneToAll) {
  const MatrixXd k = random_covariance(5, 7, 11);
  const MatrixXd none = same_group(relu, relu, k).value;
  EXPECT_LT((same_group(relu, relu, k, 1e-14).value - none).cwiseAbs().maxCoeff(), 1e-10);
  // ŷ → y/√ε, and for φ the identity E[y_i y_j] is the centred covariance
  const MatrixXd centring = MatrixXd::Identity(5, 5).array() - 0.2;
  const MatrixXd all = same_group(form("identity"), form("identity"), k, 1e12).value;
  EXPECT_LT((1e12 * all - centring * k * centring).cwiseAbs().maxCoeff(), 1e-11);
}

TEST(BatchNorm, StepsAreAngles) {
  const MatrixXd k = random_covariance(4, 7, 12);
  const MatrixXd centring = MatrixXd::Identity(4, 4).array() - 0.25;
  const MatrixXd y = centring * k * centring;
  const UncertainMatrix found = same_group(form("step"), form("step"), k, 0.7);
  for (Index i = 0; i < 4; ++i) {
    for (Index j = 0; j < 4; ++j) {
      const double rho = i == j ? 1 : y(i, j) / std::sqrt(y(i, i) * y(j, j));
      EXPECT_NEAR(found.value(i, j), 0.25 + std::asin(rho) / (2 * std::numbers::pi), 1e-14);
    }
  }
}

TEST(BatchNorm, HighPowersAndWideSpectra) {
  MatrixXd k = random_covariance(8, 10, 13);
  const Eigen::VectorXd scales =
      Eigen::VectorXd::LinSpaced(8, 0, -6).unaryExpr([](double x) { return std::pow(10, x); });
  k = scales.asDiagonal() * k * scales.asDiagonal();
  // The mean of ŷ² over a group is 1, and ŷ² ≤ 7: so is, and by the power mean, that of ŷ⁴⁰.
  const auto highest = batch_norm_same_group(form("power_20"), form("power_20"), {exact(k)}).moment;
  EXPECT_GE(highest.value.trace() / 8, 1);
  EXPECT_LE(highest.value.maxCoeff(), std::pow(7, 20));
  for (const char* name : {"relu", "power_5", "rectified_power_6"}) {
    const HomogeneousForm phi = form(name);
    const auto same = batch_norm_same_group(phi, phi, {exact(k)});
    const auto twice = batch_norm_two_groups(phi, phi, {exact(k), 0}, {exact(k), 0}, exact(k));
    ASSERT_TRUE(same.moment.value.allFinite() && same.moment.bound.allFinite());
    EXPECT_EQ(same.moment.value, same.moment.value.transpose());
    const MatrixXd difference = (same.moment.value - twice.moment.value).cwiseAbs();
    EXPECT_LE((difference - same.moment.bound - twice.moment.bound).maxCoeff(), 0);
    EXPECT_LT(difference.maxCoeff(), 1e-9 * same.moment.value.maxCoeff());
  }
}

/// Of four columns of which the last is the first again, with the covariance's bounds.
UncertainMatrix with_a_column_twice(double bound) {
  const MatrixXd k = random_covariance(5, 9, 21);
  const std::vector<Index> columns = {0, 1, 2, 0, 3, 4, 3};
  return {k(columns, columns), MatrixXd::Constant(7, 7, bound)};
}

TEST(BatchNorm, EqualColumnsAreOneColumn) {
  const UncertainMatrix k = with_a_column_twice(0);
  for (const char* name : {"relu", "step", "identity", "relu_squared", "leaky_relu_0.1"}) {
    const HomogeneousForm phi = form(name);
    for (const double epsilon : {0.0, 0.3}) {
      const BatchNormGroup first{block(k, 0, 0, 4, 4), epsilon, {0, 1, 2, 0}};
      const BatchNormGroup second{block(k, 4, 4, 3, 3), epsilon, {0, 1, 0}};
      const UncertainMatrix cross = block(k, 0, 4, 4, 3);
      const auto untold = [](BatchNormGroup group) {
        group.equal_to.clear();
        return group;
      };
      const auto expect_agree = [](const BatchNormMoment& told, const BatchNormMoment& other) {
        const MatrixXd difference = (told.moment.value - other.moment.value).cwiseAbs();
        EXPECT_LE((difference - told.moment.bound - other.moment.bound).maxCoeff(), 0);
        EXPECT_LE(told.moment.bound.maxCoeff(), other.moment.bound.maxCoeff());
      };
      expect_agree(batch_norm_same_group(phi, relu, first), batch_norm_same_group(phi, relu, untold(first)));
      expect_agree(batch_norm_two_groups(phi, relu, first, second, cross),
                   batch_norm_two_groups(phi, relu, untold(first), untold(second), cross));
    }
  }
}

TEST(BatchNorm, BoundsOfEqualColumnsAreProportionalToTheCovariances) {
  const UncertainMatrix k = with_a_column_twice(1e-8);
  const BatchNormGroup group{block(k, 4, 4, 3, 3), 0, {0, 1, 0}};
  const UncertainMatrix moment = batch_norm_same_group(relu, relu, group).moment;
  MatrixXd expected(3, 3);  // ŷ = ±(1, -2, 1)/√2
  expected << 0.25, 0, 0.25, 0, 1, 0, 0.25, 0, 0.25;
  expect_within(moment, expected, 1e-15, 1e-6);
  const UncertainMatrix untold = batch_norm_same_group(relu, relu, {group.covariance}).moment;
  EXPECT_GT(untold.bound.maxCoeff(), 1e-5);  // 1e-8 may be a variance of its own
}

/// A covariance whose entries are off by at most `bound`, symmetric.
MatrixXd moved(const UncertainMatrix& k, unsigned seed) {
  std::mt19937_64 engine(seed);
  MatrixXd result = k.value;
  for (Index i = 0; i < result.rows(); ++i) {
    for (Index j = 0; j <= i; ++j) {
      result(i, j) += (engine() % 2 == 0 ? 1 : -1) * k.bound(i, j);
      result(j, i) = result(i, j);
    }
  }
  return result;
}

TEST(BatchNorm, BoundsCoverWhatTheCovariancesBoundsAllow) {
  double loosest = 0;
  for (unsigned seed = 0; seed < 4; ++seed) {
    UncertainMatrix k = exact(random_covariance(7, 9, 100 + seed));
    k.bound = MatrixXd::Constant(7, 7, 1e-6);
    for (const char* name : {"relu", "step", "identity", "relu_squared", "abs"}) {
      const HomogeneousForm phi = form(name);
      for (const double epsilon : {0.0, 0.1}) {
        const UncertainMatrix one_group =
            batch_norm_same_group(phi, phi, {block(k, 0, 0, 4, 4), epsilon}).moment;
        const UncertainMatrix two = two_groups(phi, phi, k, 4, epsilon, 0);
        MatrixXd farthest = MatrixXd::Zero(4, 3);
        for (unsigned trial = 0; trial < 3; ++trial) {
          const MatrixXd other = moved(k, seed * 100 + trial);
          expect_within(one_group, same_group(phi, phi, other.topLeftCorner(4, 4), epsilon).value, 1e-14, 1);
          const MatrixXd value = two_groups(phi, phi, exact(other), 4, epsilon, 0).value;
          expect_within(two, value, 1e-14, 1);
          farthest = farthest.cwiseMax((value - two.value).cwiseAbs());
        }
        loosest = std::max(loosest, (two.bound.array() / farthest.array()).minCoeff());
      }
    }
  }
  EXPECT_LT(loosest, 100);  // an upper bound, and still a useful one
}

// The check above can fail: the bound of a covariance that is surer than it should be does not cover.
TEST(BatchNorm, BoundsOfTooSmallMovementsDoNotCover) {
  UncertainMatrix k = exact(random_covariance(7, 9, 100));
  k.bound = MatrixXd::Constant(7, 7, 1e-8);
  const UncertainMatrix found = two_groups(relu, relu, k, 4);
  k.bound *= 1000;
  const MatrixXd value = two_groups(relu, relu, exact(moved(k, 0)), 4).value;
  EXPECT_GT(((value - found.value).cwiseAbs() - found.bound).maxCoeff(), 0);
}

void expect_refused(const MatrixXd& covariance, double epsilon, std::initializer_list<const char*> parts) {
  try {
    same_group(relu, relu, covariance, epsilon);
  } catch (const LimitError& error) {
    for (const char* part : parts) EXPECT_THAT(error.what(), ::testing::HasSubstr(part));
    return;
  }
  ADD_FAILURE() << "not refused";
}

TEST(BatchNorm, Refuses) {
  for (const double value : {1.0, 3.7, 1e-8}) {
    expect_refused(MatrixXd::Constant(4, 4, value), 0,
                   {"batch norm", "all columns of a group coincide", "inputs that differ, or epsilon > 0"});
    EXPECT_LT(same_group(relu, relu, MatrixXd::Constant(4, 4, value), 0.1).value.maxCoeff(), 1e-14);
  }
  MatrixXd k = random_covariance(4, 6, 14);
  k(1, 2) = k(2, 1) = std::nan("");
  expect_refused(k, 0, {"not finite", "scale the inputs"});
  k(1, 2) = k(2, 1) = std::numeric_limits<double>::infinity();
  expect_refused(k, 0.1, {"not finite"});
  expect_refused(-random_covariance(4, 6, 15), 0, {"negative eigenvalue", "give a covariance matrix"});
  const auto good = exact(random_covariance(3, 6, 16));
  const auto bad = exact(MatrixXd::Constant(3, 3, std::nan("")));
  EXPECT_THROW(batch_norm_two_groups(relu, relu, {good, 0}, {good, 0}, bad), LimitError);
}

}  // namespace
}  // namespace nngpcheck::analytic
