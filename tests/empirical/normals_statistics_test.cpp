// The normal streams as samples: each test computes what it tolerates from the false-alarm probability below,
// and rejects slightly wrong generators.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "nngpcheck/empirical/random/normals.hpp"

namespace nngpcheck::empirical {
namespace {

constexpr double false_alarm = 1e-7;  // of one comparison; there are about 50 in this file

double two_sided_quantile() { return boost::math::quantile(boost::math::normal(), 1 - false_alarm / 2); }

// Fills the span with the numbers that follow `first`.
using Generator = std::function<void(std::uint64_t first, std::span<double>)>;

Generator normals(std::uint64_t seed, double mean = 0, double variance = 1) {
  return [=](std::uint64_t first, std::span<double> target) {
    NormalStream(seed, 64, 0, "W").fill(first, target, mean, std::sqrt(variance));
  };
}

// Sums of four uniforms, standardized: mean 0 and variance 1, but short tails.
Generator uniform_sums(std::uint64_t seed) {
  return [=](std::uint64_t first, std::span<double> target) {
    std::vector<double> four(4 * target.size());
    NormalStream(seed, 64, 0, "W").fill(4 * first, four);
    for (std::size_t k = 0; k < target.size(); ++k) {
      double sum = 0;
      for (std::size_t i = 0; i < 4; ++i) sum += std::erfc(-four[4 * k + i] / std::sqrt(2.0)) / 2 - 0.5;
      target[k] = sum * std::sqrt(3.0);
    }
  };
}

// How many standard errors each statistic is off: mean, variance, third and fourth moment, share beyond ±4.
std::vector<double> scores(const Generator& generator, std::uint64_t count) {
  constexpr std::size_t chunk = 1 << 14;
  std::vector<double> values(chunk);
  double moment[5] = {};
  double beyond = 0;
  for (std::uint64_t first = 0; first < count; first += chunk) {
    generator(first, values);
    double sum[5] = {};
    for (const double z : values) {
      const double square = z * z;
      sum[1] += z;
      sum[2] += square;
      sum[3] += square * z;
      sum[4] += square * square;
      beyond += square > 16 ? 1 : 0;
    }
    for (int k = 1; k < 5; ++k) moment[k] += sum[k];
  }
  const auto n = static_cast<double>(count);
  const double tail = std::erfc(4 / std::sqrt(2.0));
  // The variances of z, z², z³, z⁴ are 1, 2, 15, 96.
  return {moment[1] / std::sqrt(n), (moment[2] - n) / std::sqrt(2 * n), moment[3] / std::sqrt(15 * n),
          (moment[4] - 3 * n) / std::sqrt(96 * n), (beyond - n * tail) / std::sqrt(n * tail)};
}

double worst_score(const Generator& generator, std::uint64_t count) {
  const std::vector<double> all = scores(generator, count);
  return std::max(std::abs(*std::max_element(all.begin(), all.end())),
                  std::abs(*std::min_element(all.begin(), all.end())));
}

TEST(NormalStatistics, MomentsAndTails) {
  constexpr std::uint64_t count = std::uint64_t{1} << 27;
  EXPECT_LT(worst_score(normals(1), count), two_sided_quantile());
  EXPECT_GT(worst_score(normals(1, 0, 1.001), count), two_sided_quantile()) << "variance 1.001";
  EXPECT_GT(worst_score(normals(1, 0.001), count), two_sided_quantile()) << "mean 0.001";
  EXPECT_GT(worst_score(uniform_sums(1), count >> 8), two_sided_quantile()) << "sums of uniforms";
}

double kolmogorov_distance(const Generator& generator, std::size_t count) {
  std::vector<double> values(count);
  generator(0, values);
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(count);
  double worst = 0;
  for (std::size_t k = 0; k < count; ++k) {
    const double probability = std::erfc(-values[k] / std::sqrt(2.0)) / 2;
    worst = std::max(
        {worst, probability - static_cast<double>(k) / n, static_cast<double>(k + 1) / n - probability});
  }
  return worst;
}

TEST(NormalStatistics, KolmogorovSmirnov) {
  constexpr std::size_t count = 1 << 20;
  // Dvoretzky, Kiefer, Wolfowitz, Massart: P(D > d) ≤ 2 exp(-2 n d²).
  const double allowed = std::sqrt(std::log(2 / false_alarm) / (2 * static_cast<double>(count)));
  for (std::uint64_t seed = 1; seed <= 3; ++seed)
    EXPECT_LT(kolmogorov_distance(normals(seed), count), allowed);
  EXPECT_GT(kolmogorov_distance(normals(1, 0.01), count), allowed) << "mean 0.01";
  EXPECT_GT(kolmogorov_distance(normals(1, 0, 1.03), count), allowed) << "variance 1.03";
  EXPECT_GT(kolmogorov_distance(uniform_sums(1), count), allowed) << "sums of uniforms";
}

// ---- Independence ----

std::vector<double> drawn(const NormalStream& stream, std::uint64_t first) {
  std::vector<double> result(1 << 20);
  stream.fill(first, std::span(result));
  return result;
}

// Correlations of x with y and of x² with y², in standard errors.
double dependence(const std::vector<double>& x, const std::vector<double>& y) {
  double product = 0, squares = 0;
  for (std::size_t k = 0; k < x.size(); ++k) {
    product += x[k] * y[k];
    squares += (x[k] * x[k] - 1) * (y[k] * y[k] - 1);
  }
  const double root = std::sqrt(static_cast<double>(x.size()));
  return std::max(std::abs(product) / root, std::abs(squares) / (2 * root));
}

TEST(NormalStatistics, StreamsAreIndependent) {
  const std::vector<double> x = drawn(NormalStream(1, 64, 0, "W"), 0);
  EXPECT_LT(dependence(x, drawn(NormalStream(2, 64, 0, "W"), 0)), two_sided_quantile()) << "another seed";
  EXPECT_LT(dependence(x, drawn(NormalStream(1, 65, 0, "W"), 0)), two_sided_quantile()) << "another width";
  EXPECT_LT(dependence(x, drawn(NormalStream(1, 64, 1, "W"), 0)), two_sided_quantile()) << "another network";
  EXPECT_LT(dependence(x, drawn(NormalStream(1, 64, 0, "V"), 0)), two_sided_quantile()) << "another name";
  for (std::uint64_t lag : {1U, 2U, 3U, 4U, 8U, 16U, 64U, 4096U}) {
    EXPECT_LT(dependence(x, drawn(NormalStream(1, 64, 0, "W"), lag)), two_sided_quantile()) << "lag " << lag;
  }
}

TEST(NormalStatistics, DependenceIsNoticed) {
  const std::vector<double> x = drawn(NormalStream(1, 64, 0, "W"), 0);
  std::vector<double> y = drawn(NormalStream(2, 64, 0, "W"), 0);
  std::vector<double> z = y;
  for (std::size_t k = 0; k < x.size(); ++k) {
    y[k] = 0.01 * x[k] + std::sqrt(1 - 1e-4) * y[k];     // correlated by 0.01
    z[k] *= std::sqrt((1 + 0.01 * x[k] * x[k]) / 1.01);  // uncorrelated, but dependent
  }
  EXPECT_GT(dependence(x, y), two_sided_quantile());
  EXPECT_GT(dependence(x, z), two_sided_quantile());
}

// The two halves of a block, which share their radius.
TEST(NormalStatistics, PairsAreIndependent) {
  const std::vector<double> values = drawn(NormalStream(1, 64, 0, "W"), 0);
  std::vector<double> even, odd;
  for (std::size_t k = 0; k < values.size(); k += 2) {
    even.push_back(values[k]);
    odd.push_back(values[k + 1]);
  }
  EXPECT_LT(dependence(even, odd), two_sided_quantile());
}

}  // namespace
}  // namespace nngpcheck::empirical
