// The finite-width law of every named architecture, and of random programs, against networks.
#include "nngpcheck/analytic/law.hpp"

#include <gtest/gtest.h>

#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <cstdlib>

#include "nngpcheck/compare/statistics/metrics.hpp"
#include "nngpcheck/compare/statistics/prediction.hpp"
#include "nngpcheck/empirical/sampler.hpp"
#include "tests/analytic/random_program.hpp"
#include "tests/conformance/cases.hpp"

namespace nngpcheck {
namespace {

using testing::Case;

/// Of ‖K̂ - K‖²/‖K‖², network by network.
std::vector<double> errors(const netsor::Program& program, const Eigen::MatrixXd& kernel, std::int64_t width,
                           std::uint64_t networks, std::uint64_t seed) {
  std::vector<double> result;
  empirical::Sampler(program).sample(width, seed, 0, networks,
                                     [&](std::uint64_t, const Eigen::MatrixXd& sampled) {
                                       result.push_back(compare::relative_squared_error(sampled, kernel));
                                     });
  return result;
}

struct Estimate {
  double value = 0, error = 0;
};

Estimate mean(const std::vector<double>& values) {
  const Eigen::Map<const Eigen::ArrayXd> all(values.data(), std::ssize(values));
  const auto count = static_cast<double>(all.size());
  return {all.mean(), std::sqrt((all - all.mean()).square().sum() / (count * (count - 1)))};
}

/// n E‖K̂ - K‖²/‖K‖² as n → ∞, of n, 2n and 4n: what is of order 1/n and 1/n² cancels.
Estimate extrapolated(const std::string& name, const netsor::Program& program, const Eigen::MatrixXd& kernel,
                      std::uint64_t networks) {
  const std::vector<std::pair<std::int64_t, double>> weights = {{128, 1. / 3}, {256, -2}, {512, 8. / 3}};
  Estimate result;
  for (const auto& [width, weight] : weights) {
    const Estimate one = mean(errors(program, kernel, width, networks, 11));
    result.value += weight * static_cast<double>(width) * one.value;
    result.error = std::hypot(result.error, weight * static_cast<double>(width) * one.error);
  }
  EXPECT_GT(result.error, 0) << name;
  return result;
}

constexpr double family = 1e-3;  // of all programs of a test

/// By hand, NNGPCHECK_LONG asks for a hundred times as many networks.
std::uint64_t networks() { return std::getenv("NNGPCHECK_LONG") != nullptr ? 100000 : 1000; }

/// Whether C is what the networks have, with so many other programs beside. C's standard error is of few
/// randomizations.
void expect_right(const std::string& name, const netsor::Program& program, std::size_t programs,
                  analytic::LawOptions options = {}) {
  options.bias = false;
  const analytic::FiniteWidthLaw law = analytic::finite_width_law(program, options);
  const double tail = family / (4 * static_cast<double>(programs));
  const double normal = quantile(complement(boost::math::normal(), tail));
  const double student = quantile(complement(boost::math::students_t(options.randomizations - 1), tail));
  const analytic::Measured c = law.relative_c();
  const Estimate measured = extrapolated(name, program, law.kernel, networks());
  EXPECT_LT(std::abs(measured.value - c.value), normal * measured.error + student * c.standard_error) << name;
  std::printf("%-32s C %8.4f ± %.4f, measured %8.4f ± %.4f\n", name.c_str(), c.value, c.standard_error,
              measured.value, measured.error);
  std::fflush(stdout);
}

TEST(LawConformance, OfEveryNamedArchitecture) {
  const std::vector<Case> cases = testing::conformance_cases();
  for (const Case& given : cases)
    expect_right(given.name, architectures::program(given.network, given.inputs), cases.size());
}

// Those of tests/analytic/random_program.hpp, in which every rule of the limit has something to do.
TEST(LawConformance, OfRandomPrograms) {
  constexpr unsigned programs = 20;
  unsigned found = 0, seed = 1;
  for (; found < programs && seed <= 2 * programs; ++seed) {
    try {
      expect_right("random program " + std::to_string(seed), testing::RandomProgram(seed).make(), programs,
                   {.points = 1 << 10});
      ++found;
    } catch (const analytic::LimitError& error) {  // where jumps have no derivative along paths
      EXPECT_NE(std::string(error.what()).find("jump"), std::string::npos) << error.what();
    }
  }
  EXPECT_EQ(found, programs) << seed;
}

constexpr int sweeps = 500;
constexpr std::uint64_t in_a_sweep = 20;

/// Of so many sweeps of networks of the narrowest width at which the band holds, how many means it covers.
int covered(const netsor::Program& program, double wrong = 1) {
  const analytic::FiniteWidthLaw law = analytic::finite_width_law(program, {.bias = false});
  std::vector<std::int64_t> widths;
  for (std::int64_t width = 8; width <= 1024; width *= 2) widths.push_back(width);
  const compare::Prediction prediction = compare::predict(law, widths, in_a_sweep, {0});
  const auto holds = std::find_if(prediction.widths.begin(), prediction.widths.end(),
                                  [](const compare::PredictedWidth& width) { return width.holds; });
  EXPECT_NE(holds, prediction.widths.end());
  if (holds == prediction.widths.end()) return 0;
  const std::vector<double> all = errors(program, law.kernel, holds->width, sweeps * in_a_sweep, 12);
  int result = 0;
  for (std::size_t first = 0; first < all.size(); first += in_a_sweep) {
    const Eigen::Map<const Eigen::ArrayXd> sweep(all.data() + first, in_a_sweep);
    const double mean = wrong * sweep.mean();
    if (holds->band.lower <= mean && mean <= holds->band.upper) ++result;
  }
  std::printf("width %ld: %d of %d\n", static_cast<long>(holds->width), result, sweeps);
  return result;
}

TEST(Band, CoversAsOftenAsItSays) {
  constexpr double false_alarm = 1e-6 / 5;
  const boost::math::binomial law(sweeps, compare::confidence);
  int found = 0;
  for (const Case& given : testing::conformance_cases()) {
    if (given.name != "mlp" && given.name != "simple_rnn" && given.name != "transformer" &&
        given.name != "batchnorm_mlp" && given.name != "cnn") {
      continue;
    }
    ++found;
    const netsor::Program program = architectures::program(given.network, given.inputs);
    const int count = covered(program);
    EXPECT_GE(count, quantile(law, false_alarm / 2)) << given.name;
    EXPECT_LE(count, quantile(complement(law, false_alarm / 2))) << given.name;
    EXPECT_LT(covered(program, 1.5), quantile(law, false_alarm / 2)) << given.name << ", half as much again";
  }
  EXPECT_EQ(found, 5);
}

}  // namespace
}  // namespace nngpcheck
