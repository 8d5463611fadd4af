#include "architectures/sequences.hpp"

#include "netsor/error.hpp"
#include "tests/architectures/fixtures.hpp"

namespace nngpcheck::architectures {
namespace {

using namespace nngpcheck::testing;
using ::testing::ElementsAre;

TEST(TimeSteps, TokensAtEachPosition) {
  const Inputs inputs = sentences({2, 4, 1});
  const TimeSteps steps(inputs);
  EXPECT_EQ(steps.count(), 4);
  EXPECT_THAT(steps.tokens(0), ElementsAre(0, 2, 6));
  EXPECT_THAT(steps.tokens(1), ElementsAre(1, 3));
  EXPECT_THAT(steps.tokens(2), ElementsAre(4));
  EXPECT_THAT(steps.tokens(3), ElementsAre(5));
}

TEST(TimeSteps, SurvivorsAreColumnsOfTheStepBefore) {
  const Inputs inputs = sentences({2, 4, 1, 3});
  const TimeSteps steps(inputs);
  EXPECT_THAT(steps.surviving(1), ElementsAre(0, 1, 3));
  EXPECT_THAT(steps.surviving(2), ElementsAre(1, 2));
  EXPECT_THAT(steps.surviving(3), ElementsAre(0));
}

TEST(TimeSteps, LabelsAreTokensOrSequences) {
  Inputs inputs = sentences({2, 1});
  inputs.labels = {"0:0 the", "0:1 cat", "1:0 sat"};
  const TimeSteps steps(inputs);
  EXPECT_THAT(steps.labels("all"), ElementsAre("0:0 the", "0:1 cat", "1:0 sat"));
  EXPECT_THAT(steps.labels("last"), ElementsAre("0", "1"));
  EXPECT_THAT(steps.labels("average"), ElementsAre("0", "1"));
}

TEST(TimeSteps, RefusesPlainVectors) {
  const Inputs inputs = vectors(2);
  expect_refused([&] { TimeSteps{inputs}; }, "",
                 {"plain vectors", "reads sequences", "sequence,position,token,x0,x1"});
}

}  // namespace
}  // namespace nngpcheck::architectures
