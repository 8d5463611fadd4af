// Wrong kernels of a small network are caught, and the right one is not.
#include "nngpcheck/compare/power/power.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "nngpcheck/compare/error.hpp"

namespace nngpcheck::compare {
namespace {

using namespace architectures;
using ::testing::HasSubstr;

struct Perceptron {
  const inputs::Inputs inputs = [] {
    inputs::Inputs result;
    result.data = Eigen::MatrixXd{{1, 0, 1, -1}, {0, 1, 1, 0.5}};
    result.labels = {"a", "b", "c", "d"};
    return result;
  }();
  Network perceptron = network({{Dense{{}, 1, 0.5}}, {Activate{netsor::Activation::named("erf")}}});
  netsor::Program made = program(perceptron, inputs);
  kernels::Kernel right = analytic::limit(made);
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

TEST(Power, LooksAtAllOfManyInputs) {
  constexpr Eigen::Index count = 130;  // a check by itself would look at some of them
  inputs::Inputs many;
  many.data.resize(2, count);
  for (Eigen::Index i = 0; i < count; ++i) {
    many.data.col(i) << std::cos(static_cast<double>(i)), 1 + std::sin(static_cast<double>(i) / 7);
    many.labels.push_back(std::to_string(i));
  }
  const Network layers = network({{Dense{}}, {Activate{netsor::Activation::named("erf")}}});
  const netsor::Program made = program(layers, many);
  const analytic::Limit right = analytic::limit(made);
  PowerOptions options;
  options.repetitions = 1;
  options.check.check.rounds = 1;
  options.check.check.widths = {64, 128, 256, 512};
  const PowerResult result = power(made, right, {{wrong_kernels(right)[3]}, {}}, options);
  ASSERT_EQ(result.mutants.size(), 1u);
  EXPECT_EQ(result.mutants.front().disagree, 1) << power_text("many", result);
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

TEST(Power, DividesTheMemoryAmongItsChecks) {
  EXPECT_EQ(share_of_one({.threads = 8, .memory_budget = 1000}, 4).memory_budget, 250u);
  EXPECT_EQ(share_of_one({.threads = 8, .memory_budget = 1000}, 4).threads, 1);
  // The machine's, where none is given; others may take or leave some meanwhile.
  const auto one = static_cast<double>(share_of_one({}, 1).memory_budget);
  const auto fourth = static_cast<double>(share_of_one({}, 4).memory_budget);
  EXPECT_GT(fourth, 0);
  EXPECT_LT(fourth, one / 2);
}

TEST(Power, NeighbouringSeedsHaveNoCheckInCommon) {
  const Perceptron p;
  PowerOptions options;
  options.check.check.widths = {64, 128, 256, 512};
  options.check.check.rounds = 1;
  const auto largest_p = [&](std::uint64_t seed, std::int64_t repetitions) {
    options.check.seed = seed;
    options.repetitions = repetitions;
    kernels::Kernel wrong = p.right;
    wrong.value(0, 0) *= 1.1;
    return power(p.made, p.right, {{{"wrong", "", wrong}}, {}}, options).mutants[0].largest_p;
  };
  // If the second check of a seed were the first one of the next, its p-value would always be among these.
  int same = 0;
  for (const std::uint64_t seed : {0, 1, 2, 3, 4, 5})
    same += largest_p(seed, 2) == std::max(largest_p(seed, 1), largest_p(seed + 1, 1));
  EXPECT_LT(same, 6);
}

TEST(Power, BoundsTheProbabilityOfAMiss) {
  EXPECT_NEAR(miss_bound(0, 3000), 1 - std::pow(0.05, 1 / 3000.), 1e-12);
  EXPECT_GT(miss_bound(1, 3000), miss_bound(0, 3000));
  EXPECT_EQ(miss_bound(5, 5), 1);
}

}  // namespace
}  // namespace nngpcheck::compare
