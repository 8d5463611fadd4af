// dual_block and mean_block: equal to dual entry by entry, bounds that cover what they promise.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/Cholesky>
#include <cmath>
#include <random>
#include <string>
#include <tuple>

#include "nngpcheck/analytic/error.hpp"
#include "nngpcheck/analytic/gaussian/dual.hpp"
#include "nngpcheck/analytic/gaussian/quadrature_pair.hpp"
#include "nngpcheck/analytic/gaussian/scalar_activation.hpp"

namespace nngpcheck::analytic {
namespace {

using netsor::Activation;
using testing::HasSubstr;
using testing::ThrowsMessage;

Marginals exact_marginals(const Eigen::VectorXd& mean, const Eigen::VectorXd& variance) {
  const Eigen::VectorXd zero = Eigen::VectorXd::Zero(mean.size());
  return {{mean, zero}, {variance, zero}};
}

UncertainMatrix exact_matrix(const Eigen::MatrixXd& value) {
  return {value, Eigen::MatrixXd::Zero(value.rows(), value.cols())};
}

/// A covariance matrix with variances around `scale` and correlations up to ±1 (columns 0 and 1 are equal,
/// column 2 is their negative).
Eigen::MatrixXd covariance_matrix(int size, double scale) {
  std::mt19937_64 engine(7);
  std::normal_distribution<double> normal;
  Eigen::MatrixXd factor(3, size);
  for (double& x : factor.reshaped()) x = normal(engine);
  factor.col(1) = factor.col(0);
  factor.col(2) = -factor.col(0);
  return scale * (factor.transpose() * factor) / 3;
}

struct Case {
  std::string phi;
  std::string psi;
  double scale;
  double mean;
};

void PrintTo(const Case& value, std::ostream* out) {
  *out << value.phi << " × " << value.psi << ", variance " << value.scale << ", mean " << value.mean;
}

std::vector<Case> cases() {
  std::vector<Case> result;
  for (const char* name : {"identity", "relu",        "leaky_relu_0.1", "abs",     "step",
                           "sign",     "square",      "relu_squared",   "power_3", "rectified_power_3",
                           "erf",      "erf_sigmoid", "sigmoid",        "tanh",    "hardtanh",
                           "gelu",     "silu",        "softplus",       "elu",     "sin",
                           "cos",      "exp",         "gaussian"}) {
    for (const double mean : {0.0, 0.4}) result.push_back({name, name, 1, mean});
  }
  for (const char* name : {"tanh", "silu", "hardtanh", "elu", "gelu"}) result.push_back({name, name, 100, 0});
  for (const double mean : {0.0, 0.4}) {
    result.push_back({"relu", "identity", 1, mean});
    result.push_back({"erf", "tanh", 1, mean});
    result.push_back({"step", "relu", 1, mean});
    result.push_back({"tanh", "sigmoid", 1, mean});
    result.push_back({"relu", "hardtanh", 1, mean});
    result.push_back({"identity", "silu", 1, mean});
    result.push_back({"cos", "gaussian", 1, mean});
  }
  return result;
}

class DualBlockTest : public testing::TestWithParam<Case> {};

TEST_P(DualBlockTest, EqualsQuadratureEntryByEntry) {
  const Activation phi = Activation::named(GetParam().phi);
  const Activation psi = Activation::named(GetParam().psi);
  const Eigen::MatrixXd covariance = covariance_matrix(9, GetParam().scale);
  const Eigen::VectorXd mean = Eigen::VectorXd::Constant(9, GetParam().mean);
  const Marginals marginals = exact_marginals(mean, covariance.diagonal());
  const bool same = phi == psi;
  const DualBlock block = dual_block(phi, psi, marginals, marginals, exact_matrix(covariance),
                                     same ? Symmetry::symmetric : Symmetry::none);
  for (int i = 0; i < 9; ++i) {
    for (int j = 0; j < 9; ++j) {
      const Estimate entry =
          quadrature_dual(phi, psi,
                          BivariateNormal{covariance(i, i), covariance(j, j),
                                          covariance(std::max(i, j), std::min(i, j)), mean(i), mean(j)});
      EXPECT_LE(std::abs(block.moment.value(i, j) - entry.value), block.moment.bound(i, j) + entry.bound)
          << i << " " << j;
    }
  }
  if (same) {
    EXPECT_EQ(block.moment.value, block.moment.value.transpose());
    const Eigen::VectorXd size = block.moment.value.diagonal().cwiseSqrt();
    const double worst = (block.moment.bound.array() / (size * size.transpose()).array()).maxCoeff();
    // jumps: √ of the rounding of a correlation that is 1 only up to rounding
    EXPECT_LE(worst, phi.name() == "step" || phi.name() == "sign" ? 1e-6 : 3e-12);
  }
}

/// Perturbs every argument within its bound, at random and to the ends, and asks the bound to cover.
TEST_P(DualBlockTest, TheBoundCoversPerturbedArguments) {
  const Activation phi = Activation::named(GetParam().phi);
  const Activation psi = Activation::named(GetParam().psi);
  const Eigen::MatrixXd covariance = covariance_matrix(6, GetParam().scale);
  const Eigen::VectorXd mean = Eigen::VectorXd::Constant(6, GetParam().mean);
  std::mt19937_64 engine(11);
  std::uniform_int_distribution<int> sign(-1, 1);
  for (const double relative : {1e-4, 1e-8}) {
    UncertainMatrix uncertain{covariance, 2 * relative * covariance.cwiseAbs()};
    Marginals marginals = exact_marginals(mean, covariance.diagonal());
    marginals.variance.bound = relative * covariance.diagonal();
    marginals.mean.bound = relative * mean.cwiseAbs();
    const DualBlock block = dual_block(phi, psi, marginals, marginals, uncertain, Symmetry::none);
    for (int trial = 0; trial < 4; ++trial) {
      for (int i = 0; i < 6; ++i) {
        for (int j = 0; j < 6; ++j) {
          BivariateNormal law{covariance(i, i) * (1 + sign(engine) * relative),
                              covariance(j, j) * (1 + sign(engine) * relative),
                              covariance(i, j) * (1 + 2 * sign(engine) * relative),
                              mean(i) * (1 + sign(engine) * relative),
                              mean(j) * (1 + sign(engine) * relative)};
          const double limit = std::sqrt(law.variance_u * law.variance_v);
          law.covariance = std::clamp(law.covariance, -limit, limit);
          const Estimate entry = dual(phi, psi, law);
          // 1 + √relative: the bound is of first order
          EXPECT_LE(std::abs(block.moment.value(i, j) - entry.value),
                    block.moment.bound(i, j) * (1 + std::sqrt(relative)) + entry.bound)
              << i << " " << j << " relative " << relative;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, DualBlockTest, testing::ValuesIn(cases()), [](const auto& instance) {
  std::string name = instance.param.phi + "_" + instance.param.psi + "_" + std::to_string(instance.index);
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
});

/// 50 layers of variance 2 from a kernel with a relative bound of 1e-15; columns of different directions
/// only, since equal inputs make a chaotic network's correlations truly unstable.
double bound_after_fifty_layers(const char* name, double weight_variance) {
  const int size = 9;
  const Activation phi = Activation::named(name);
  const Eigen::MatrixXd covariance = covariance_matrix(size + 2, 1).bottomRightCorner(size, size);
  UncertainMatrix kernel{covariance, 1e-15 * covariance.cwiseAbs()};
  for (int layer = 0; layer < 50; ++layer) {
    const Eigen::VectorXd zero = Eigen::VectorXd::Zero(size);
    const Marginals marginals{{zero, zero}, {kernel.value.diagonal(), kernel.bound.diagonal()}};
    const DualBlock block = dual_block(phi, phi, marginals, marginals, kernel, Symmetry::symmetric);
    kernel = {weight_variance * block.moment.value, weight_variance * block.moment.bound};
  }
  return kernel.bound.maxCoeff() / kernel.value.diagonal().maxCoeff();
}

TEST(DualBlock, BoundsDoNotGrowThroughFiftyLayers) {
  EXPECT_LE(bound_after_fifty_layers("relu", 2), 1e-12);
  EXPECT_LE(bound_after_fifty_layers("gelu", 2), 1e-11);
  // Series count the rounding of each of their coefficients: some 1e-13 a layer.
  for (const char* name : {"tanh", "erf", "hardtanh", "sigmoid"}) {
    EXPECT_LE(bound_after_fifty_layers(name, 1.5), 5e-11) << name;
  }
}

TEST(DualBlock, ReadsOnlyTheLowerTriangleWhenSymmetric) {
  const Activation tanh = Activation::named("tanh");
  Eigen::MatrixXd covariance = covariance_matrix(5, 1);
  const Marginals marginals = exact_marginals(Eigen::VectorXd::Zero(5), covariance.diagonal());
  const DualBlock expected =
      dual_block(tanh, tanh, marginals, marginals, exact_matrix(covariance), Symmetry::symmetric);
  covariance.triangularView<Eigen::StrictlyUpper>().setConstant(std::nan(""));
  const DualBlock block =
      dual_block(tanh, tanh, marginals, marginals, exact_matrix(covariance), Symmetry::symmetric);
  EXPECT_EQ(block.moment.value, expected.moment.value);
}

TEST(DualBlock, SaysHowItWasComputed) {
  const Eigen::MatrixXd covariance = covariance_matrix(4, 0.5);
  const Marginals marginals = exact_marginals(Eigen::VectorXd::Zero(4), covariance.diagonal());
  const auto method = [&](const char* name) {
    const Activation phi = Activation::named(name);
    return dual_block(phi, phi, marginals, marginals, exact_matrix(covariance), Symmetry::symmetric).method;
  };
  EXPECT_EQ(method("relu"), DualMethod::closed_form);
  EXPECT_EQ(method("gelu"), DualMethod::closed_form);
  EXPECT_EQ(method("tanh"), DualMethod::series);
  EXPECT_EQ(method("hardtanh"), DualMethod::quadrature);  // correlations of ±1 among kinks
}

TEST(DualBlock, OscillatingExpressionsAreRightToRounding) {
  // sin(ωx) at variance a is sin(x) at variance ω²a, which has a closed form
  const Eigen::MatrixXd covariance = covariance_matrix(8, 1);
  const auto evaluated = [&](const Activation& phi, double scale) {
    const Eigen::MatrixXd scaled = scale * covariance;
    const Marginals marginals = exact_marginals(Eigen::VectorXd::Zero(8), scaled.diagonal());
    return dual_block(phi, phi, marginals, marginals, exact_matrix(scaled), Symmetry::symmetric).moment;
  };
  for (const auto& [text, name, frequency] :
       {std::tuple("sin(20*x)", "sin", 20.0), std::tuple("cos(20*x)", "cos", 20.0)}) {
    const UncertainMatrix moment = evaluated(Activation::from_expression(text), 1);
    const UncertainMatrix expected = evaluated(Activation::named(name), frequency * frequency);
    EXPECT_TRUE(
        ((moment.value - expected.value).array().abs() <= (moment.bound + expected.bound).array()).all())
        << text;
    EXPECT_LE(moment.bound.maxCoeff(), 1e-11) << text;
  }
}

TEST(DualBlock, WhatTakesTooMuchWorkSaysSo) {
  const Activation fast = Activation::from_expression("sin(100000*x)");
  const Eigen::MatrixXd covariance = covariance_matrix(3, 1);
  const Marginals marginals = exact_marginals(Eigen::VectorXd::Zero(3), covariance.diagonal());
  try {
    dual_block(fast, fast, marginals, marginals, exact_matrix(covariance), Symmetry::symmetric);
    FAIL();
  } catch (const LimitError& error) {
    EXPECT_NE(std::string(error.what()).find("sin(1e+05*x) at variance"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("reduce the variance"), std::string::npos) << error.what();
  }
}

TEST(DualBlock, IsTheSameOnAnyNumberOfThreads) {
  const Eigen::MatrixXd covariance = covariance_matrix(200, 1);
  const Marginals marginals = exact_marginals(Eigen::VectorXd::Zero(200), covariance.diagonal());
  for (const char* name : {"relu", "erf", "tanh"}) {
    const Activation phi = Activation::named(name);
    for (const Symmetry symmetry : {Symmetry::symmetric, Symmetry::none}) {
      const auto on = [&](std::size_t threads) {
        return dual_block(phi, phi, marginals, marginals, exact_matrix(covariance), symmetry, {}, threads);
      };
      const DualBlock one = on(1), three = on(3);
      EXPECT_EQ(one.moment.value, three.moment.value) << name;
      EXPECT_EQ(one.moment.bound, three.moment.bound) << name;
      EXPECT_EQ(one.evaluations, three.evaluations) << name;
    }
  }
}

TEST(DualBlock, StopsAtACheckpoint) {
  struct Stop {};
  const Eigen::MatrixXd covariance = covariance_matrix(6, 1);
  const Marginals marginals = exact_marginals(Eigen::VectorXd::Zero(6), covariance.diagonal());
  for (const char* name : {"relu", "tanh", "hardtanh"}) {
    const Activation phi = Activation::named(name);
    int calls = 0;
    const auto stop_at_third = [&] {
      if (++calls == 3) throw Stop();
    };
    EXPECT_THROW(dual_block(phi, phi, marginals, marginals, exact_matrix(covariance), Symmetry::symmetric,
                            stop_at_third),
                 Stop);
    calls = 0;
    EXPECT_THROW(mean_block(phi, marginals, stop_at_third), Stop);
  }
}

TEST(DualBlock, UnderflowIsNotCalledOverflow) {
  const Activation relu = Activation::named("relu");
  for (const double variance : {1e-300, 1e-310}) {
    const Marginals marginals =
        exact_marginals(Eigen::VectorXd::Zero(1), Eigen::VectorXd::Constant(1, variance));
    const UncertainMatrix covariance = exact_matrix(Eigen::MatrixXd::Constant(1, 1, variance));
    const auto block = [&] {
      return dual_block(relu, relu, marginals, marginals, covariance, Symmetry::symmetric).moment.value(0, 0);
    };
    if (variance == 1e-300) {
      EXPECT_NEAR(block() / variance, 0.5, 1e-14);
      continue;
    }
    try {
      block();
      FAIL();
    } catch (const LimitError& error) {
      EXPECT_NE(std::string(error.what()).find("underflows"), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("larger weight variances"), std::string::npos) << error.what();
    }
  }
}

TEST(DualBlock, HandlesColumnsOfVarianceZero) {
  Eigen::MatrixXd covariance = covariance_matrix(4, 1);
  covariance.row(3).setZero();
  covariance.col(3).setZero();
  const Marginals marginals = exact_marginals(Eigen::VectorXd::Zero(4), covariance.diagonal());
  for (const char* name : {"relu", "step", "tanh", "softplus", "cos", "hardtanh"}) {
    const Activation phi = Activation::named(name);
    const DualBlock block =
        dual_block(phi, phi, marginals, marginals, exact_matrix(covariance), Symmetry::symmetric);
    const double point = evaluate(phi, 0);
    EXPECT_NEAR(block.moment.value(3, 3), point * point, 1e-15) << name;
    EXPECT_NEAR(block.moment.value(3, 0), point * mean(phi, 0, covariance(0, 0)).value, 1e-14) << name;
    EXPECT_LE(block.moment.bound.maxCoeff(), 1e-10) << name;
  }
}

TEST(DualBlock, AVarianceThatMayBeZeroHasAnHonestBound) {
  const Activation step = Activation::named("step");
  Marginals marginals = exact_marginals(Eigen::VectorXd::Zero(1), Eigen::VectorXd::Zero(1));
  marginals.variance.bound(0) = 1e-12;
  const DualBlock block = dual_block(step, step, marginals, marginals,
                                     exact_matrix(Eigen::MatrixXd::Zero(1, 1)), Symmetry::symmetric);
  EXPECT_GE(block.moment.bound(0, 0), 0.5);  // E[step²] is 1/2 at every positive variance, 0 at zero
}

TEST(DualBlock, NamesTheEntryThatIsNoLaw) {
  Eigen::MatrixXd covariance = covariance_matrix(4, 1);
  const Marginals marginals = exact_marginals(Eigen::VectorXd::Zero(4), covariance.diagonal());
  covariance(3, 1) = 50;
  for (const char* name : {"relu", "tanh"}) {
    const Activation phi = Activation::named(name);
    try {
      dual_block(phi, phi, marginals, marginals, exact_matrix(covariance), Symmetry::symmetric);
      FAIL() << name;
    } catch (const LimitError& error) {
      EXPECT_NE(std::string(error.what()).find("(3, 1)"), std::string::npos) << error.what();
    }
  }
  Marginals negative = marginals;
  negative.variance.value(2) = -1;
  EXPECT_THROW(dual_block(Activation::named("relu"), Activation::named("relu"), negative, marginals,
                          exact_matrix(covariance), Symmetry::none),
               LimitError);
}

TEST(MeanBlock, TheBoundCoversPerturbedArguments) {
  for (const char* name : {"relu", "tanh", "step", "exp", "gelu", "hardtanh", "square"}) {
    const Activation phi = Activation::named(name);
    Marginals columns = exact_marginals(Eigen::Vector3d(0, 0.5, -1), Eigen::Vector3d(1, 0.3, 4));
    columns.mean.bound.setConstant(1e-5);
    columns.variance.bound.setConstant(1e-5);
    const UncertainVector result = mean_block(phi, columns);
    for (int i = 0; i < 3; ++i) {
      for (const double sign : {-1.0, 1.0}) {
        for (const double other : {-1.0, 1.0}) {
          const double moved =
              mean(phi, columns.mean.value(i) + sign * 1e-5, columns.variance.value(i) + other * 1e-5).value;
          EXPECT_LE(std::abs(moved - result.value(i)), 1.01 * result.bound(i)) << name;
        }
      }
      EXPECT_LE(result.bound(i), 1e-4 * (1 + std::abs(result.value(i)))) << name;
    }
  }
}

TEST(SecondMoments, AreTheDiagonalOfBlocks) {
  const Eigen::VectorXd variance{{0.5, 0, 2, 1e-3}}, mean{{0, 0.3, 0, -1}}, none = Eigen::VectorXd::Zero(4);
  for (const char* name : {"relu", "erf", "gelu", "tanh", "sigmoid", "abs"}) {
    const Activation phi = Activation::named(name);
    const UncertainVector means{mean, 1e-9 * mean.cwiseAbs()}, variances{variance, 1e-8 * variance};
    const DualBlock found = second_moments(phi, {means, variances});
    for (Eigen::Index i = 0; i < 4; ++i) {
      const Marginals one{{mean.segment(i, 1), means.bound.segment(i, 1)},
                          {variance.segment(i, 1), variances.bound.segment(i, 1)}};
      const DualBlock block =
          dual_block(phi, phi, one, one, {one.variance.value, one.variance.bound}, Symmetry::symmetric);
      EXPECT_EQ(found.moment.value(i, 0), block.moment.value(0, 0)) << name << " " << i;
      EXPECT_EQ(found.moment.bound(i, 0), block.moment.bound(0, 0)) << name << " " << i;
    }
  }
  const Activation fast = Activation::named("exp");
  EXPECT_THAT(
      [&] {
        second_moments(fast, {{none, none}, {Eigen::VectorXd{{1, 1, 800, 1}}, none}});
      },
      ThrowsMessage<LimitError>(HasSubstr("the expectation overflows")));
  EXPECT_THAT(
      [&] {
        second_moments(fast, {{none, none}, {Eigen::VectorXd{{1, 1, -2, 1}}, none}});
      },
      ThrowsMessage<LimitError>(HasSubstr("dual kernel, column 2")));
}

}  // namespace
}  // namespace nngpcheck::analytic
