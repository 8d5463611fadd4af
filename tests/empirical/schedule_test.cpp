// Plans: what is computed, how products are drawn, and that no two things lie in one place at a time.
#include "nngpcheck/empirical/interpreter/schedule.hpp"

#include <gtest/gtest.h>

#include "nngpcheck/architectures/named/cnn.hpp"
#include "nngpcheck/architectures/named/mlp.hpp"
#include "nngpcheck/architectures/named/recurrent.hpp"
#include "nngpcheck/empirical/interpreter/costs.hpp"
#include "nngpcheck/empirical/interpreter/network_cost.hpp"
#include "tests/empirical/programs.hpp"

namespace nngpcheck::empirical {
namespace {

bool overlap(const Region& a, const Region& b) {
  return a.bytes > 0 && b.bytes > 0 && a.first <= b.last && b.first <= a.last &&
         a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
}

TEST(Regions, AreDisjointWhileTheyAreNeeded) {
  std::vector<Region> regions = {{0, 5, 1000}, {0, 1, 512}, {1, 2, 100}, {2, 3, 600},
                                 {3, 3, 0},    {4, 6, 512}, {5, 5, 512}, {6, 7, 2048}};
  std::vector<Region*> pointers;
  for (Region& region : regions) pointers.push_back(&region);
  const double size = place(pointers);
  for (const Region& a : regions) {
    EXPECT_EQ(static_cast<std::int64_t>(a.bytes) % 512, 0);
    EXPECT_LE(a.offset + a.bytes, size);
    for (const Region& b : regions) EXPECT_TRUE(&a == &b || !overlap(a, b));
  }
  EXPECT_LT(size, 1024 + 512 + 512 + 1024 + 512 + 512 + 2048) << "places are used again";
  EXPECT_TRUE(overlap({0, 2, 512, 0}, {2, 3, 512, 256}));
}

TEST(Schedule, PutsEverythingIntoItsOwnPlace) {
  for (const testing::NamedProgram& named : testing::instruction_programs()) {
    for (const Products products : {Products::dense, Products::exact, Products::automatic}) {
      const Schedule plan = schedule(named.program, 64, products, Precision::float32);
      std::vector<Region> regions;
      for (const Step& step : plan.steps) regions.insert(regions.end(), {step.value, step.scratch});
      for (const WeightPlan& weight : plan.weights)
        regions.insert(regions.end(), {weight.matrix, weight.images});
      for (const Group& group : plan.groups) regions.push_back(group.basis);
      for (const SourcePlan& source : plan.sources) regions.push_back(source.gram);
      for (const SumPlan& sum : plan.sums)
        regions.insert(regions.end(), {sum.native, sum.argument, sum.basis, sum.image});
      for (std::size_t i = 0; i < regions.size(); ++i) {
        EXPECT_LE(regions[i].offset + regions[i].bytes, plan.buffer_bytes);
        for (std::size_t j = 0; j < i; ++j) EXPECT_FALSE(overlap(regions[i], regions[j])) << named.name;
      }
    }
  }
}

TEST(Schedule, WeightsWithTheSameArgumentsShareABasis) {
  const netsor::Program lstm = architectures::lstm({}, testing::sequences(3, {5, 4}));
  const Schedule plan = schedule(lstm, 64, Products::exact, Precision::float64);
  ASSERT_EQ(plan.groups.size(), 1U);
  EXPECT_EQ(plan.groups[0].weights.size(), 4U);
  EXPECT_EQ(plan.groups[0].arguments.uses, 7);
  const netsor::Program gru = architectures::gru({}, testing::sequences(3, {5, 4}));
  EXPECT_EQ(schedule(gru, 64, Products::exact, Precision::float64).groups.size(), 2U);
}

TEST(Schedule, AutomaticTakesMatricesOnlyForNarrowNetworks) {
  const netsor::Program rnn = architectures::simple_rnn({}, testing::sequences(3, {40, 30}));
  const auto exact = [&](std::int64_t width) {
    const Schedule plan = schedule(rnn, width, Products::automatic, Precision::float64);
    return !plan.groups.empty() && plan.groups[0].arguments.switch_rank > plan.groups[0].arguments.uses;
  };
  EXPECT_FALSE(exact(16));
  EXPECT_TRUE(exact(4096));
  // Where matrices are cheaper and uses many, products begin without them: arguments may repeat.
  const Schedule narrow = schedule(rnn, 16, Products::automatic, Precision::float64);
  ASSERT_EQ(narrow.groups.size(), 1U);
  EXPECT_EQ(narrow.groups[0].arguments.switch_rank, 2);
  EXPECT_GT(narrow.weights[narrow.groups[0].weights[0]].matrix.bytes, 0);
}

netsor::Program cnn(int depth, double bias_variance = 0) {
  inputs::Inputs images = testing::vectors(3, 32);
  images.grid = {4, 4};
  return architectures::cnn({.depth = depth, .bias_variance = bias_variance}, images);
}

TEST(Schedule, DrawsConvolutionsAtOnce) {
  for (const double bias_variance : {0.0, 0.5}) {
    const Schedule plan = schedule(cnn(3, bias_variance), 64, Products::automatic, Precision::float64);
    ASSERT_EQ(plan.sums.size(), 3U);
    EXPECT_TRUE(plan.sums[0].sum.of_inputs());
    EXPECT_TRUE(plan.groups.empty());
    for (const SumPlan& sum : plan.sums) EXPECT_EQ(sum.sum.terms.size(), 9U);
    ASSERT_EQ(plan.sources.size(), 2U) << "one Gram matrix a layer";
    for (const WeightPlan& weight : plan.weights) EXPECT_EQ(weight.matrix.bytes + weight.images.bytes, 0);
    std::size_t products = 0;
    for (const Step& step : plan.steps) products += step.sum != none;
    EXPECT_EQ(products, 3U);
  }
  EXPECT_TRUE(schedule(cnn(3), 64, Products::dense, Precision::float64).sums.empty());
}

TEST(Schedule, DrawsAtOnceOnlyWhereThatIsCheaper) {
  const auto sums = [](const netsor::Program& program, std::int64_t width, Products products) {
    return schedule(program, width, products, Precision::float64).sums.size();
  };
  EXPECT_EQ(sums(cnn(2), 2, Products::exact), 1U) << "18 rows in all determine no 32 columns";
  EXPECT_EQ(sums(cnn(2), 16, Products::exact), 2U);
  EXPECT_EQ(sums(cnn(2), 8, Products::automatic), 1U) << "matrices are cheaper";
  EXPECT_EQ(sums(cnn(2), 16, Products::automatic), 2U);
  EXPECT_EQ(sums(cnn(2), 4096, Products::automatic), 2U);
  EXPECT_EQ(sums(architectures::simple_rnn({}, testing::sequences(3, {4, 3})), 64, Products::exact), 0U);
  EXPECT_EQ(sums(architectures::mlp({.depth = 3}, testing::vectors(3, 5)), 64, Products::exact), 2U);
}

// A buffer with what is needed in case products are drawn apart; without nine products at a time.
TEST(Schedule, TakesLessMemoryForSums) {
  const netsor::Program program = cnn(3);
  const double bundle = 32.0 * 4096 * sizeof(double);
  EXPECT_LT(schedule(program, 4096, Products::automatic, Precision::float64).buffer_bytes, 5.5 * bundle);
  EXPECT_GT(schedule(program, 4096, Products::automatic, Precision::float64).buffer_bytes, 4 * bundle);
}

TEST(Schedule, ReadsOnlyColumnsThatAreNeeded) {
  inputs::Inputs images = testing::vectors(3, 32);
  images.grid = {4, 4};
  const Schedule strided = schedule(
      architectures::cnn(
          {.depth = 2, .kernel = {1}, .stride = {2}, .outputs = architectures::GridOutputs::positions},
          images),
      64, Products::exact, Precision::float64);
  ASSERT_EQ(strided.sources.size(), 1U);
  EXPECT_EQ(strided.sources[0].columns.size(), 2U);
}

TEST(NetworkCost, CountsWhatWidthsMultiply) {
  constexpr int inputs = 6;
  const netsor::Program mlp = architectures::mlp({.depth = 3}, testing::vectors(3, inputs));
  const auto cost = [&](std::int64_t width, Products products) {
    return network_cost(mlp, schedule(mlp, width, products, Precision::float64), {});
  };
  // Two matrices of 2^14 × 2^14 numbers, drawn and applied; beside them, nothing counts.
  const double wide = 1 << 14;
  EXPECT_NEAR(cost(1 << 14, Products::dense) / (2 * wide * wide * (normal_cost + inputs)), 1, 0.01);
  EXPECT_NEAR(cost(1 << 20, Products::exact) / cost(1 << 19, Products::exact), 2, 0.01);
  EXPECT_GT(cost(1 << 14, Products::dense), 100 * cost(1 << 14, Products::exact));
  // A convolution that is drawn at once costs less than its nine products.
  const double at_once =
      network_cost(cnn(2), schedule(cnn(2), 4096, Products::automatic, Precision::float64), {});
  EXPECT_LT(at_once,
            network_cost(cnn(2), schedule(cnn(2), 4096, Products::dense, Precision::float64), {}) / 9);
}

TEST(NetworkCost, IsSecondsOfASampler) {
  const Sampler sampler(architectures::mlp({}, testing::vectors(3, 6)), {.threads = 1});
  const Sampler::Seconds seconds = sampler.foreseen_seconds();
  EXPECT_GT(seconds(1024, 1), 0);
  EXPECT_DOUBLE_EQ(seconds(1024, 10), 10 * seconds(1024, 1));
  EXPECT_GT(seconds(4096, 1), 3 * seconds(1024, 1));
}

TEST(NetworkCost, KnowsFunctionsThatTakeLong) {
  const auto measured = [](const char* activation) {
    const netsor::Program mlp = architectures::mlp(
        {.depth = 3, .activation = netsor::Activation::named(activation)}, testing::vectors(3, 6));
    const NetworkClock clock(mlp);
    EXPECT_EQ(clock.unit.functions.size(), 3U);
    return clock.unit.functions.begin()->second * clock.seconds_per_multiply_add;
  };
  EXPECT_GT(measured("softplus"), 2 * measured("relu"));
}

}  // namespace
}  // namespace nngpcheck::empirical
