// Whether the error bar of rule 5 covers as often as it says.
#include <gtest/gtest.h>

#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/students_t.hpp>

#include "nngpcheck/analytic/limit.hpp"
#include "nngpcheck/architectures/named/mlp.hpp"

namespace nngpcheck {
namespace {

constexpr int trials = 200;
constexpr double false_alarm = 1e-6;

// How many of 200 randomized kernels have an interval of ± quantile · factor · standard error that covers the
// truth.
int covered(double confidence, double factor) {
  inputs::Inputs inputs;
  inputs.data.resize(2, 2);
  inputs.data << 1.0, 0.3, -0.4, 1.2;
  inputs.labels = {"a", "b"};
  const auto program = architectures::mlp({.activation = netsor::Activation::named("tanh")}, inputs);
  const double truth = analytic::limit(program).value(0, 1);
  const boost::math::students_t law(15);
  const double quantile = boost::math::quantile(law, 0.5 + confidence / 2);
  int count = 0;
  for (int seed = 0; seed < trials; ++seed) {
    const analytic::Limit limit = analytic::limit(
        program, {.points = 64, .seed = static_cast<std::uint64_t>(seed), .force_paths = true, .threads = 1});
    if (std::abs(limit.value(0, 1) - truth) <= quantile * factor * limit.standard_error(0, 1)) ++count;
  }
  return count;
}

TEST(StandardError, CoversAsOftenAsItSays) {
  for (const double confidence : {0.5, 0.9}) {
    const boost::math::binomial law(trials, confidence);
    const double least = boost::math::quantile(law, false_alarm / 2);
    const double most = boost::math::quantile(boost::math::complement(law, false_alarm / 2));
    const int count = covered(confidence, 1);
    EXPECT_GE(count, least);
    EXPECT_LE(count, most);
    EXPECT_LT(covered(confidence, 0.4), least);  // an error bar that is too short is noticed
  }
}

}  // namespace
}  // namespace nngpcheck
