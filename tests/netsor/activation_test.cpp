#include "netsor/activation.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "tests/netsor/rejected.hpp"

namespace nngpcheck::netsor {
namespace {

using nngpcheck::testing::expect_rejected;

double identity(double x) { return x; }

TEST(Activation, EveryNameNamesItself) {
  for (const char* name : {"identity",      "relu",     "abs",
                           "step",          "sign",     "square",
                           "relu_squared",  "erf",      "erf_sigmoid",
                           "sigmoid",       "tanh",     "hardtanh",
                           "gelu",          "silu",     "softplus",
                           "elu",           "sin",      "cos",
                           "exp",           "gaussian", "leaky_relu_0.1",
                           "leaky_relu_-3", "power_3",  "rectified_power_20"}) {
    EXPECT_EQ(Activation::named(name).name(), name);
    EXPECT_EQ(Activation::named(name), Activation::named(name));
  }
  EXPECT_EQ(Activation::names().size(), 23u);
}

TEST(Activation, SynonymsAreOneValue) {
  EXPECT_EQ(Activation::named("power_1"), Activation::named("identity"));
  EXPECT_EQ(Activation::named("power_2"), Activation::named("square"));
  EXPECT_EQ(Activation::named("rectified_power_1"), Activation::named("relu"));
  EXPECT_EQ(Activation::named("rectified_power_2"), Activation::named("relu_squared"));
  EXPECT_EQ(Activation::named("leaky_relu_0"), Activation::named("relu"));
  EXPECT_EQ(Activation::named("leaky_relu_1"), Activation::named("identity"));
  EXPECT_EQ(Activation::named("leaky_relu_-1"), Activation::named("abs"));
  EXPECT_EQ(Activation::named("leaky_relu_0.10"), Activation::named("leaky_relu_0.1"));
}

TEST(Activation, DifferentFunctionsDiffer) {
  EXPECT_NE(Activation::named("relu"), Activation::named("elu"));
  EXPECT_NE(Activation::named("leaky_relu_0.1"), Activation::named("leaky_relu_0.2"));
  EXPECT_NE(Activation::named("power_3"), Activation::named("rectified_power_3"));
}

TEST(Activation, ParameterIsTheSlopeOrThePower) {
  EXPECT_EQ(Activation::named("leaky_relu_0.1").parameter(), 0.1);
  EXPECT_EQ(Activation::named("power_5").parameter(), 5);
  EXPECT_EQ(Activation::named("tanh").parameter(), 0);
}

TEST(Activation, CustomFunctionsCompareByName) {
  const auto swish = Activation::custom("swish", identity, {2, -1, 2});
  EXPECT_EQ(swish, Activation::custom("swish", [](double x) { return x * x; }));
  EXPECT_NE(swish, Activation::custom("other", identity));
  EXPECT_NE(swish, Activation::named("silu"));
  EXPECT_EQ(swish.name(), "swish");
  EXPECT_EQ(swish.function()(3), 3);
  EXPECT_THAT(swish.kinks(), ::testing::ElementsAre(-1, 2));
}

TEST(Activation, UnknownNamesSuggestTheNearest) {
  expect_rejected([] { Activation::named("rleu"); },
                  {"unknown activation \"rleu\"", "did you mean \"relu\"?"});
  expect_rejected([] { Activation::named("leaky_relu"); }, {"did you mean \"leaky_relu_0.1\"?"});
  expect_rejected([] { Activation::named("leaky_relu_S"); }, {"did you mean \"leaky_relu_0.1\"?"});
  expect_rejected([] { Activation::named("leaky_relu_nan"); }, {"unknown activation", "did you mean"});
  expect_rejected([] { Activation::named("power_"); }, {"did you mean \"power_3\"?"});
  expect_rejected([] { Activation::named(""); }, {"unknown activation \"\"", "did you mean"});
}

TEST(Activation, PowersAreIntegersFrom1To20) {
  for (const char* name : {"power_0", "power_21", "power_2.5", "rectified_power_-1"}) {
    expect_rejected([&] { Activation::named(name); }, {name, "must be an integer from 1 to 20"});
  }
}

TEST(Activation, RejectsCustomFunctions) {
  expect_rejected([] { Activation::custom("", identity); }, {"custom activation", "needs a name"});
  for (const char* name : {"relu", "power_3", "leaky_relu_0.25"}) {
    expect_rejected([&] { Activation::custom(name, identity); }, {name, "built-in", "choose another"});
  }
  expect_rejected([] { Activation::custom("f", nullptr); }, {"\"f\"", "the function is empty", "give one"});
  expect_rejected(
      [] {
        Activation::custom("f", identity, {0, std::nan("")});
      },
      {"\"f\"", "kink nan is not finite", "finite points"});
  expect_rejected([] { Activation::custom("f", identity, {std::numeric_limits<double>::infinity()}); },
                  {"kink inf is not finite"});
}

}  // namespace
}  // namespace nngpcheck::netsor
