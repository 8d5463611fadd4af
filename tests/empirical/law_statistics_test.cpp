// The finite-width law against networks: n·E‖K̂ - K‖² and n·(E K̂ - K), extrapolated from two widths.
#include <gtest/gtest.h>

#include <boost/math/distributions/normal.hpp>
#include <cmath>

#include "nngpcheck/analytic/law.hpp"
#include "nngpcheck/empirical/sampler.hpp"
#include "nngpcheck/netsor/builder.hpp"
#include "tests/empirical/programs.hpp"

namespace nngpcheck {
namespace {

using analytic::FiniteWidthLaw;
using netsor::Activation;
using netsor::BundleId;
using netsor::Width;

constexpr double false_alarm = 1e-6;

/// Networks of width n, and as many of width 2n.
struct Sweep {
  std::int64_t width = 64;
  std::uint64_t networks = 8000;
};

struct Estimate {
  double value = 0, error = 0;
};

/// Of one width: the mean of n‖K̂ - K‖²/‖K‖², and of n(K̂ - K) along B.
struct Moments {
  Estimate c, bias;
};

Moments sampled(const netsor::Program& program, const FiniteWidthLaw& law, std::int64_t width,
                std::uint64_t networks) {
  const auto n = static_cast<double>(width), count = static_cast<double>(networks);
  Eigen::Array2d sum = Eigen::Array2d::Zero(), squares = sum;
  empirical::Sampler(program).sample(
      width, 5, 0, networks, [&](std::uint64_t, const Eigen::MatrixXd& kernel) {
        const Eigen::MatrixXd difference = kernel - law.kernel;
        const double along =
            law.bias_norm.value > 0 ? difference.cwiseProduct(law.bias).sum() / law.bias.norm() : 0;
        const Eigen::Array2d both(n * difference.squaredNorm() / law.kernel.squaredNorm(),
                                  n * along / law.kernel.norm());
        sum += both;
        squares += both.square();
      });
  const Eigen::Array2d mean = sum / count, error = ((squares / count - mean.square()) / count).sqrt();
  return {{mean[0], error[0]}, {mean[1], error[1]}};
}

// What is of order 1/n cancels.
Estimate extrapolated(const Estimate& at_n, const Estimate& at_2n) {
  return {2 * at_2n.value - at_n.value, std::hypot(2 * at_2n.error, at_n.error)};
}

struct Scores {
  double c, bias;
};

/// How many standard errors the law is off, for what is sampled of another program, or of the same.
Scores scores(const netsor::Program& network, const netsor::Program& predicted, const Sweep& sweep = {}) {
  const FiniteWidthLaw law = analytic::finite_width_law(predicted, {.points = 1 << 11});
  const Moments first = sampled(network, law, sweep.width, sweep.networks);
  const Moments second = sampled(network, law, 2 * sweep.width, sweep.networks);
  const Estimate c = extrapolated(first.c, second.c), bias = extrapolated(first.bias, second.bias);
  return {
      (c.value - law.relative_c().value) / std::hypot(c.error, law.relative_c().standard_error),
      (bias.value - law.relative_bias().value) / std::hypot(bias.error, law.relative_bias().standard_error)};
}

double allowed(double statistics) {
  return quantile(boost::math::normal(), 1 - false_alarm / (2 * statistics));
}

TEST(LawStatistics, ProgramsOfEveryInstruction) {
  int found = 0;
  for (const auto& [name, program] : testing::instruction_programs()) {
    if (name != "rnn" && name != "layer norm" && name != "attention" && name != "sum of collinear columns" &&
        name != "tied weight" && name != "widths and blocks" && name != "standardize") {
      continue;
    }
    ++found;
    const Scores given = scores(program, program);
    EXPECT_LT(std::abs(given.c), allowed(14)) << name;
    EXPECT_TRUE(name == "standardize" || std::abs(given.bias) < allowed(14)) << name;  // one layer: no bias
  }
  EXPECT_EQ(found, 7);
}

/// Three relu layers, the first of this width.
netsor::Program layers(const Width& first) {
  netsor::Builder b;
  BundleId x = b.input(b.input_weight({"U", first, 3, 2}), testing::some_data(3, 3));
  x = b.matmul(b.weight({"W1", {}, first, 2}), b.map(Activation::named("relu"), x));
  x = b.matmul(b.weight({"W2", {}, {}, 2}), b.map(Activation::named("relu"), x));
  b.output(b.readout({"v", 1}), b.map(Activation::named("relu"), x));
  return std::move(b).build();
}

/// Three layers of signs, the first two of this width, of inputs at small angles.
netsor::Program steps(const Width& width) {
  const Activation sign = Activation::named("sign");
  Eigen::MatrixXd data = Eigen::MatrixXd::Ones(3, 3);
  data.diagonal().array() += 0.3;
  netsor::Builder b;
  BundleId x = b.input(b.input_weight({"U", width, 3, 1}), data);
  x = b.matmul(b.weight({"W1", width, width, 1}), b.map(sign, x));
  x = b.matmul(b.weight({"W2", {}, width, 1}), b.map(sign, x));
  b.output(b.readout({"v", 1}), b.map(sign, x));
  return std::move(b).build();
}

/// u + W'W u, where the limit does not see whether W' = W.
netsor::Program residual(bool tied) {
  netsor::Builder b;
  const BundleId u = b.input(b.input_weight({"U", {}, 3, 2}), testing::some_data(3, 3));
  const netsor::WeightId w = b.weight({"W", {}, {}, 1});
  const netsor::WeightId second = tied ? w : b.weight({"W'", {}, {}, 1});
  b.output(b.readout({"v", 1}), b.add(u, b.matmul(second, b.matmul(w, u))));
  return std::move(b).build();
}

TEST(LawStatistics, WrongLawsAreRejected) {
  const Sweep narrow{16, 40000};  // shows biases
  for (const netsor::Program& program : {layers({}), layers(Width(1, 2)), residual(true)}) {
    const Scores right = scores(program, program, narrow);
    EXPECT_LT(std::max(std::abs(right.c), std::abs(right.bias)), allowed(6));
  }
  EXPECT_LT(std::abs(scores(steps({}), steps({})).c), allowed(6));
  // Along paths the derivative of a step is 0: no noise of hidden layers would get past it, as if there were
  // none.
  EXPECT_GT(std::abs(scores(steps({}), steps(Width(1000))).c), allowed(6)) << "pathwise derivative of a step";
  EXPECT_GT(std::abs(scores(layers({}), layers(Width(1000))).c), allowed(6)) << "noise of one Gram left out";
  EXPECT_GT(std::abs(scores(layers(Width(1, 2)), layers({})).c), allowed(6)) << "half width forgotten";
  EXPECT_GT(std::abs(scores(residual(false), residual(true), narrow).bias), allowed(6)) << "a tie made up";
}

}  // namespace
}  // namespace nngpcheck
