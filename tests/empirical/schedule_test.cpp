// Plans: what is computed, how products are drawn, and that no two things lie in one place at a time.
#include "nngpcheck/empirical/interpreter/schedule.hpp"

#include <gtest/gtest.h>

#include "nngpcheck/architectures/named/mlp.hpp"
#include "nngpcheck/architectures/named/recurrent.hpp"
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

}  // namespace
}  // namespace nngpcheck::empirical
