// Where the finite-width law ends, networks do what is said of them there.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>

#include "nngpcheck/analytic/law.hpp"
#include "nngpcheck/analytic/limit.hpp"
#include "nngpcheck/empirical/sampler.hpp"
#include "nngpcheck/netsor/builder.hpp"

namespace nngpcheck {
namespace {

using netsor::Activation;
using netsor::BundleId;

constexpr double false_alarm = 1e-6;

double quantile_of(double tail) { return quantile(boost::math::normal(), 1 - tail); }

std::vector<Eigen::MatrixXd> sampled(const netsor::Program& program, std::int64_t width,
                                     std::uint64_t networks) {
  std::vector<Eigen::MatrixXd> result;
  empirical::Sampler(program).sample(
      width, 3, 0, networks, [&](std::uint64_t, const Eigen::MatrixXd& kernel) { result.push_back(kernel); });
  return result;
}

struct Interval {
  double lower, upper;
};

/// Of the median of |K̂ - K|/K of one input: order statistics, whatever the law.
Interval median_error(const netsor::Program& program, double limit, std::int64_t width,
                      std::uint64_t networks) {
  std::vector<double> errors;
  for (const Eigen::MatrixXd& kernel : sampled(program, width, networks))
    errors.push_back(std::abs(kernel(0, 0) / limit - 1));
  std::sort(errors.begin(), errors.end());
  const auto count = static_cast<double>(networks);
  const double reach = quantile_of(false_alarm / 4) * std::sqrt(count) / 2;
  return {errors[static_cast<std::size_t>(count / 2 - reach)],
          errors[static_cast<std::size_t>(count / 2 + reach)]};
}

netsor::Program layers(const std::vector<Activation>& activations, double variance) {
  netsor::Builder b;
  BundleId x = b.input(b.input_weight({"U", {}, 1, 1}), Eigen::MatrixXd::Ones(1, 1));
  for (std::size_t l = 0; l < activations.size(); ++l) {
    if (l > 0) x = b.matmul(b.weight({"W" + std::to_string(l), {}, {}, variance}), x);
    x = b.map(activations[l], x);
  }
  b.output(b.readout({"v", 1}), x);
  return std::move(b).build();
}

// exp(0.15 x²)² has tails of index 1/0.6: errors fall as n^-0.4.
TEST(LawEnds, ErrorsFallMoreSlowlyWhereCIsInfinite) {
  const netsor::Program program = layers({Activation::from_expression("exp(0.15*x*x)")}, 1);
  EXPECT_THROW(analytic::finite_width_law(program), analytic::LimitError);
  const double limit = analytic::limit(program).value(0, 0);
  EXPECT_NEAR(limit, 1 / std::sqrt(1 - 0.6), 1e-9);
  const Interval narrow = median_error(program, limit, 256, 4000);
  const Interval wide = median_error(program, limit, 16384, 4000);
  EXPECT_GT(wide.lower / narrow.upper, 1. / 8) << "as n^-1/2";
  EXPECT_LT(wide.upper / narrow.lower, 1. / 3);
}

TEST(LawEnds, MediansAreTheLawsWhereMomentsDoNotExist) {
  const Activation exp = Activation::named("exp");
  const netsor::Program program = layers({exp, exp}, 0.1);
  const analytic::FiniteWidthLaw law = analytic::finite_width_law(program);
  EXPECT_NE(law.heavy_tails, "");
  const Interval median = median_error(program, law.kernel(0, 0), 4096, 4000);
  const double predicted = law.quantile(4096, 0.5);
  EXPECT_LT(median.lower, predicted);
  EXPECT_GT(median.upper, predicted);
  EXPECT_LT(median.upper, 1.2 * predicted);
}

// step(u) + step(u + mean(erf(u))): the mean falls as n^-1/2, and with it P(the two differ).
TEST(LawEnds, BiasFallsAsARootWhereJumpsCoincide) {
  netsor::Builder b;
  const BundleId u = b.input(b.input_weight({"U", {}, 1, 1}), Eigen::MatrixXd::Ones(1, 1));
  const BundleId mean = b.mix(b.ones(), b.mean(b.map(Activation::named("erf"), u)));
  const Activation step = Activation::named("step");
  b.output(b.readout({"v", 1}), b.add(b.map(step, u), b.map(step, b.add(u, mean))));
  const netsor::Program program = std::move(b).build();
  EXPECT_THROW(analytic::finite_width_law(program), analytic::LimitError);
  const auto bias = [&](std::int64_t width) {
    double sum = 0, squares = 0;
    constexpr std::uint64_t networks = 20000;
    for (const Eigen::MatrixXd& kernel : sampled(program, width, networks)) {
      sum += kernel(0, 0) - 2;  // E (2·step)² = 2
      squares += std::pow(kernel(0, 0) - 2, 2);
    }
    const auto count = static_cast<double>(networks);
    return std::pair(sum / count, std::sqrt(squares) / count);
  };
  const auto [narrow, narrow_error] = bias(64);
  const auto [wide, wide_error] = bias(4096);
  const double z = quantile_of(false_alarm / 4);
  EXPECT_GT(std::abs(narrow), z * narrow_error);
  // A factor 8 as n^-1/2; 64 as 1/n.
  const double ratio = wide / narrow, error = std::hypot(wide_error, ratio * narrow_error) / std::abs(narrow);
  EXPECT_GT(ratio - z * error, 1. / 64);
  EXPECT_NEAR(ratio, 1. / 8, z * error + 0.02) << "up to the next order at width 64";
}

// An input given twice is no such case.
TEST(LawEnds, DuplicatesAreHarmless) {
  const Eigen::MatrixXd twice{{1, 1, 0.6}, {0, 0, 0.8}}, once{{1, 0.6}, {0, 0.8}};
  const auto law = [&](const Eigen::MatrixXd& data) {
    netsor::Builder b;
    BundleId x = b.input(b.input_weight({"U", {}, 2, 1}), data);
    x = b.map(Activation::named("step"), x);
    x = b.map(Activation::named("step"), b.matmul(b.weight({"W", {}, {}, 1}), x));
    b.output(b.readout({"v", 1}), x);
    return analytic::finite_width_law(std::move(b).build(), {.points = 1 << 12, .bias = false});
  };
  const analytic::FiniteWidthLaw with = law(twice), without = law(once);
  // Entries 00, 10, 20, 11, 21, 22 and 00, 10, 11.
  const Eigen::MatrixXd all = with.factor * with.factor.transpose();
  const Eigen::MatrixXd part = without.factor * without.factor.transpose();
  EXPECT_NEAR(all(0, 3), all(0, 0), 1e-9) << "both copies move together";
  EXPECT_NEAR(all(2, 4), all(2, 2), 1e-9);
  EXPECT_NEAR(all(2, 2), part(1, 1), 0.05 * part(1, 1));
}

}  // namespace
}  // namespace nngpcheck
