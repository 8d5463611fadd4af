// The limit's named activations against mpmath.
#include "tests/data/activation_values.hpp"

#include <gtest/gtest.h>

#include <map>

#include "nngpcheck/analytic/gaussian/scalar_activation.hpp"

namespace nngpcheck::analytic {
namespace {

TEST(ActivationValues, AreThoseOfMpmathAt25Places) {
  std::map<std::string, int> places;
  for (const testing::ActivationValue& given : testing::activation_values()) {
    SCOPED_TRACE(given.name + " at " + std::to_string(given.x));
    ++places[given.name];
    const double found = evaluate(netsor::Activation::named(given.name), given.x);
    EXPECT_LE(std::abs(found - given.value), given.tolerance()) << found << ", not " << given.value;
  }
  EXPECT_EQ(places.size(), 22u);
  for (const auto& [name, count] : places) EXPECT_EQ(count, 25) << name;
}

TEST(ActivationValues, OthersAreTold) {
  int different = 0;
  for (const testing::ActivationValue& given : testing::activation_values()) {
    if (given.name != "gelu_tanh") continue;
    const double gelu = evaluate(netsor::Activation::named("gelu"), given.x);
    different += std::abs(gelu - given.value) > given.tolerance();
  }
  EXPECT_GE(different, 10);
}

}  // namespace
}  // namespace nngpcheck::analytic
