// Wrong kernels of a small network are caught, and the right one is not.
#include "compare/power.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "compare/error.hpp"

namespace nngpcheck::compare {
namespace {

using namespace architectures;
using ::testing::HasSubstr;

struct Perceptron {
  Inputs inputs{Eigen::MatrixXd{{1, 0, 1, -1}, {0, 1, 1, 0.5}}, {"a", "b", "c", "d"}};
  Network perceptron = network({{Dense{{}, 1, 0.5}}, {Activate{netsor::Activation::named("erf")}}});
  netsor::Program made = program(perceptron, inputs);
  KernelEstimate right = estimate(analytic::limit(made), made);
};

TEST(Power, CatchesWrongKernelsAndNotTheRightOne) {
  const Perceptron p;
  const auto& [inputs, layers, made, right] = p;
  PowerOptions options;
  options.repetitions = 3;
  const PowerResult result = power(made, right, mutants(layers, inputs, right), options);
  EXPECT_TRUE(result.all_caught()) << power_text("perceptron", result);
  ASSERT_TRUE(result.right);
  EXPECT_EQ(result.right->agree, 3);
  const std::string text = power_text("perceptron", result);
  EXPECT_THAT(text, HasSubstr("| bias missing | dense1.b | "));
  EXPECT_EQ(to_json("perceptron", result)["mutants"].size(), result.mutants.size());
  EXPECT_EQ(to_json("perceptron", result)["right"]["disagree"], 0);

  options.of = PowerOf::must_be_caught;
  options.threads = 1;
  const PowerResult fewer = power(made, right, mutants(layers, inputs, right), options);
  EXPECT_FALSE(fewer.right);
  for (const MutantPower& mutant : fewer.mutants) {
    EXPECT_GE(mutant.distance, 0.01);
    for (const MutantPower& same : result.mutants) {
      if (same.name != mutant.name) continue;
      EXPECT_EQ(same.median_ladders, mutant.median_ladders) << mutant.name;
      EXPECT_EQ(same.largest_p, mutant.largest_p) << mutant.name;
    }
  }
}

TEST(Power, SaysWhatWasMissed) {
  const Perceptron p;
  const auto& [inputs, layers, made, right] = p;
  PowerOptions options;
  options.repetitions = 1;
  options.check.check.rounds = 1;
  options.check.check.widths = {64, 128, 256, 512};  // too few to tell 1 %
  const PowerResult result =
      power(made, right, {{wrong_kernels(right)[1]}, {{"another", "for a reason"}}}, options);
  EXPECT_FALSE(result.all_caught());
  EXPECT_THAT(power_text("p", result), HasSubstr("0 of 1 checks caught"));
  EXPECT_THAT(power_text("p", result), HasSubstr("- another: for a reason"));
  options.repetitions = 0;
  EXPECT_THROW(power(made, right, {}, options), CompareError);
}

TEST(Power, BoundsTheProbabilityOfAMiss) {
  EXPECT_NEAR(miss_bound(0, 3000), 1 - std::pow(0.05, 1 / 3000.), 1e-12);
  EXPECT_GT(miss_bound(1, 3000), miss_bound(0, 3000));
  EXPECT_EQ(miss_bound(5, 5), 1);
}

}  // namespace
}  // namespace nngpcheck::compare
