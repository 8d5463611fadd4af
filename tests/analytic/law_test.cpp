// The finite-width law against closed forms.
#include "nngpcheck/analytic/law.hpp"

#include <gtest/gtest.h>

#include <boost/math/distributions/chi_squared.hpp>
#include <cmath>

#include "nngpcheck/analytic/law/weighted_chi_square.hpp"
#include "nngpcheck/netsor/builder.hpp"
#include "z_scores.hpp"

namespace nngpcheck::analytic {
namespace {

using Eigen::MatrixXd;
using netsor::Activation;

constexpr int randomizations = 16;

// A number's deviation that chance exceeds with a probability of 10⁻⁶.
double tolerance(double standard_error) { return testing::quantile(1, randomizations) * standard_error; }

MatrixXd two_inputs() { return (MatrixXd(2, 2) << 1.0, 0.5, 0.0, 1.2).finished(); }

/// φ(W_L … φ(W_1 φ(U x))), variances σ², hidden layers of these widths over n.
netsor::Program perceptron(const MatrixXd& data, const char* phi, double variance,
                           const std::vector<netsor::Width>& widths) {
  netsor::Builder b;
  netsor::BundleId x = b.input(
      b.input_weight({"U", widths[0], data.rows(), variance * static_cast<double>(data.rows())}), data);
  for (std::size_t l = 0; l < widths.size(); ++l) {
    if (l > 0) {
      x = b.matmul(b.weight({"W" + std::to_string(l), widths[l], widths[l - 1], variance}), x);
    }
    x = b.map(Activation::named(phi), x);
  }
  b.output(b.readout({"v", 1}), x);
  return std::move(b).build();
}

std::vector<netsor::Width> layers(int depth) {
  return std::vector<netsor::Width>(static_cast<std::size_t>(depth));
}

// One input, σ² = 2: relative variance (1 + 5/n)^L - 1 at every n, no bias.
TEST(Law, OfReluPerceptronsOnOneInput) {
  for (const int depth : {1, 3, 10}) {
    const FiniteWidthLaw law = finite_width_law(perceptron(MatrixXd::Ones(1, 1), "relu", 2, layers(depth)),
                                                {.randomizations = randomizations, .points = 1 << 14});
    EXPECT_NEAR(law.relative_c().value, 5 * depth, tolerance(law.relative_c().standard_error) + 1e-9)
        << depth;
    EXPECT_LT(law.relative_c().standard_error, 0.01 * 5 * depth);
    EXPECT_NEAR(law.bias(0, 0), 0, tolerance(law.bias_standard_error(0, 0)) + 1e-6);
    EXPECT_NEAR(law.excess_kurtosis()[0], 15 * depth, 3 * tolerance(law.relative_c().standard_error) + 1e-6);
  }
}

// Without B the points' influence functions are not taken apart into directions; they are the same.
TEST(Law, OfTheSamePointsWithAndWithoutBias) {
  const netsor::Program program =
      perceptron(two_inputs(), "relu", 2, {netsor::Width(1), netsor::Width(1, 2)});
  LawOptions options{.points = 1 << 10};
  const FiniteWidthLaw with = finite_width_law(program, options);
  options.bias = false;
  const FiniteWidthLaw without = finite_width_law(program, options);
  constexpr double left_out = 1e-5;  // of the variance
  EXPECT_NEAR(without.c.value, with.c.value, left_out * with.c.value);
  EXPECT_LT((without.variance() - with.variance()).norm(), left_out * with.variance().norm());
}

// K̂ = σ² xᵀ S_1 … S_L x / d, products of Wishart matrices of the hidden widths r_l n: with G = σ^2(L+1)
// XᵀX/d,
//   n Cov(K̂_ab, K̂_cd) → Σ_l (1/r_l) (G_ac G_bd + G_ad G_bc), and E K̂ = G: no bias.
TEST(Law, OfLinearNetworksOfSeveralWidths) {
  const MatrixXd x = two_inputs();
  const std::vector<netsor::Width> widths = {netsor::Width(1), netsor::Width(1, 2), netsor::Width(3)};
  const FiniteWidthLaw law = finite_width_law(perceptron(x, "identity", 1.3, widths),
                                              {.randomizations = randomizations, .points = 1 << 14});
  const MatrixXd g = std::pow(1.3, 3) * (x.transpose() * x);
  EXPECT_LT((law.kernel - g).norm(), 1e-12 * g.norm());
  const double share = 1 + 2 + 1. / 3;
  const double c = share * (g.squaredNorm() + std::pow(g.trace(), 2));
  EXPECT_NEAR(law.c.value, c, tolerance(law.c.standard_error));
  EXPECT_LT(law.c.standard_error, 0.01 * c);
  const MatrixXd covariance = law.factor * law.factor.transpose();  // of entries 00, 10, 11
  EXPECT_NEAR(covariance(0, 2), 2 * share * g(0, 1) * g(0, 1), 0.02 * share * g(0, 0) * g(1, 1));
  EXPECT_NEAR(covariance(1, 1), share * (g(0, 0) * g(1, 1) + g(0, 1) * g(0, 1)),
              0.02 * share * g(0, 0) * g(1, 1));
  EXPECT_DOUBLE_EQ(law.variance()(0, 1), covariance(1, 1));
  EXPECT_DOUBLE_EQ(law.variance()(1, 0), covariance(1, 1));
  EXPECT_DOUBLE_EQ(law.variance()(1, 1), covariance(2, 2));
  EXPECT_LT(law.bias_norm.value, tolerance(law.bias_norm.standard_error) + 1e-4 * g.norm());
}

TEST(Law, OfTooManyInputsIsRefused) {
  const netsor::Program program = perceptron(MatrixXd::Random(2, 600), "relu", 2, layers(2));
  try {
    finite_width_law(program);
    FAIL();
  } catch (const LimitError& error) {
    EXPECT_NE(std::string(error.what()).find("more than 300000; take fewer inputs"), std::string::npos)
        << error.what();
  }
}

// Layer norm of one column: every network's kernel is K.
TEST(Law, OfNetworksThatDoNotFluctuate) {
  netsor::Builder b;
  const netsor::BundleId u = b.input(b.input_weight({"U", {}, 1, 1}), MatrixXd::Ones(1, 1));
  b.output(b.readout({"v", 1}),
           b.scale(u, b.apply(netsor::Rsqrt{}, {b.apply(netsor::Diagonal{}, {b.gram(u, u)})})));
  const FiniteWidthLaw law = finite_width_law(std::move(b).build(), {.randomizations = randomizations});
  EXPECT_NEAR(law.kernel(0, 0), 1, 1e-12);
  EXPECT_NEAR(law.bias(0, 0), 0, tolerance(law.bias_standard_error(0, 0)) + 1e-6);
  EXPECT_NEAR(law.c.value, 0, 1e-20);
  EXPECT_NEAR(law.quantile(64, 0.95), 0, 1e-10);
}

// y = u + W W' u on one input of length 1, entries of W and W' of variance 1/n: with W' = W, E|y|²/n = 2 +
// (2/n) E tr W² + 2/n² = 2 + 2/n + 2/n²; with independent matrices exactly 2.
TEST(Law, OfATieThatTheLimitDoesNotSee) {
  for (const bool tied : {true, false}) {
    netsor::Builder b;
    const netsor::BundleId u = b.input(b.input_weight({"U", {}, 1, 1}), MatrixXd::Ones(1, 1));
    const netsor::WeightId first = b.weight({"W", {}, {}, 1});
    const netsor::WeightId second = tied ? first : b.weight({"W'", {}, {}, 1});
    b.output(b.readout({"v", 1}), b.add(u, b.matmul(second, b.matmul(first, u))));
    const FiniteWidthLaw law =
        finite_width_law(std::move(b).build(), {.randomizations = randomizations, .points = 1 << 13});
    EXPECT_NEAR(law.kernel(0, 0), 2, 1e-12);
    EXPECT_LT(law.bias_standard_error(0, 0), 0.05);
    EXPECT_NEAR(law.bias(0, 0), tied ? 2 : 0, tolerance(law.bias_standard_error(0, 0)) + 1e-3);
  }
}

TEST(WeightedChiSquares, OfEqualWeightsAreChiSquares) {
  for (const int count : {1, 2, 7, 100, 500}) {
    const boost::math::chi_squared exact(count);
    const WeightedChiSquare law{Eigen::VectorXd::Constant(count, 3.0)};
    for (const double level : {0.05, 0.5, 0.95, 0.999}) {
      EXPECT_NEAR(law.cdf(3 * quantile(exact, level)), level, 1e-9) << count << " " << level;
      EXPECT_NEAR(law.quantile(level), 3 * quantile(exact, level), 1e-8 * quantile(exact, level)) << count;
    }
  }
  const WeightedChiSquare mean{Eigen::VectorXd::Constant(1, 2.0), 0, 50};
  EXPECT_NEAR(mean.quantile(0.95), 2 * quantile(boost::math::chi_squared(50), 0.95) / 50, 1e-8);
}

}  // namespace
}  // namespace nngpcheck::analytic
