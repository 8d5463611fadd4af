// Do the intervals cover as often as they say?
#include <gtest/gtest.h>

#include <boost/math/distributions/binomial.hpp>
#include <cmath>
#include <random>

#include "nngpcheck/compare/statistics/rates.hpp"

namespace nngpcheck::compare {
namespace {

constexpr double false_alarm = 1e-9;  // of one test below, if the interval covers as it says
constexpr int repetitions = 4000;
const std::vector<std::int64_t> widths = {64, 128, 256, 512};

/// How often an interval of a true slope −1 covers, when log error has Gaussian noise of the given
/// distribution over ladders; `shrink` < 1 makes the intervals wrong.
int covered(double shrink, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  int count = 0;
  for (int k = 0; k < repetitions; ++k) {
    Eigen::MatrixXd errors(12, std::ssize(widths));
    for (Eigen::Index i = 0; i < errors.rows(); ++i) {
      for (Eigen::Index w = 0; w < errors.cols(); ++w) {
        errors(i, w) = std::exp(normal(random)) / static_cast<double>(widths[static_cast<std::size_t>(w)]);
      }
    }
    const Rate rate = *fit_rate(widths, errors);
    count += std::abs(-1 - rate.slope) <= shrink * (rate.interval.upper - rate.slope);
  }
  return count;
}

/// The smallest and largest plausible number of covers at that false-alarm probability.
Interval plausible() {
  const boost::math::binomial law(repetitions, confidence);
  return {quantile(law, false_alarm / 2), quantile(complement(law, false_alarm / 2))};
}

TEST(SlopeInterval, CoversAsOftenAsItSays) {
  const int count = covered(1, 1);
  EXPECT_GE(count, plausible().lower);
  EXPECT_LE(count, plausible().upper);
}

TEST(SlopeInterval, AFifthTooShortWouldBeNoticed) { EXPECT_LT(covered(0.8, 1), plausible().lower); }

}  // namespace
}  // namespace nngpcheck::compare
