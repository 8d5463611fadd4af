#include "nngpcheck/netsor/activation.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <map>
#include <string>

#include "tests/netsor/rejected.hpp"

namespace nngpcheck::netsor {
namespace {

using nngpcheck::testing::expect_rejected;

double identity(double x) { return x; }

TEST(Activation, EveryNameNamesItself) {
  for (const char* name : {"identity",
                           "relu",
                           "abs",
                           "step",
                           "sign",
                           "square",
                           "relu_squared",
                           "erf",
                           "erf_sigmoid",
                           "sigmoid",
                           "tanh",
                           "hardtanh",
                           "gelu",
                           "silu",
                           "softplus",
                           "elu",
                           "sin",
                           "cos",
                           "exp",
                           "gaussian",
                           "leaky_relu_0.1",
                           "leaky_relu_-3",
                           "power_3",
                           "rectified_power_20",
                           "selu",
                           "mish",
                           "hardswish",
                           "hardsigmoid",
                           "relu6",
                           "softsign",
                           "tanhshrink",
                           "hardshrink",
                           "softshrink",
                           "logsigmoid",
                           "gelu_tanh",
                           "quick_gelu",
                           "rbf",
                           "rbf_0.5",
                           "elu_0.75",
                           "celu_2.5",
                           "elu_-1",
                           "hardshrink_0.25",
                           "softshrink_1",
                           "threshold_-0.25_-3"}) {
    EXPECT_EQ(Activation::named(name).name(), name);
    EXPECT_EQ(Activation::named(name), Activation::named(name));
  }
  EXPECT_EQ(Activation::names().size(), 43u);
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
  EXPECT_EQ(Activation::named("elu_1"), Activation::named("elu"));
  EXPECT_EQ(Activation::named("celu_1"), Activation::named("elu"));
  EXPECT_EQ(Activation::named("hardshrink_0.5"), Activation::named("hardshrink"));
  EXPECT_EQ(Activation::named("softshrink_0.5"), Activation::named("softshrink"));
  EXPECT_EQ(Activation::named("rbf_1"), Activation::named("rbf"));
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

TEST(Activation, NamesOfPyTorchKerasAndFlaxAreKnown) {
  const std::map<std::string, std::string> names = {{"GELU", "gelu"},
                                                    {"SiLU", "silu"},
                                                    {"swish", "silu"},
                                                    {"Hardswish", "hardswish"},
                                                    {"hard_swish", "hardswish"},
                                                    {"hard_silu", "hardswish"},
                                                    {"Mish", "mish"},
                                                    {"SELU", "selu"},
                                                    {"CELU", "elu"},
                                                    {"ReLU6", "relu6"},
                                                    {"Softsign", "softsign"},
                                                    {"soft_sign", "softsign"},
                                                    {"LeakyReLU", "leaky_relu_0.01"},
                                                    {"leaky_relu", "leaky_relu_0.01"},
                                                    {"PReLU", "leaky_relu_0.25"},
                                                    {"CELU_2", "celu_2"},
                                                    {"Threshold_0.1_20", "threshold_0.1_20"},
                                                    {"logistic", "sigmoid"},
                                                    {"linear", "identity"},
                                                    {"Hardsigmoid", "hardsigmoid"},
                                                    {"hard_sigmoid", "hardsigmoid"},
                                                    {"Tanhshrink", "tanhshrink"},
                                                    {"Hardshrink", "hardshrink"},
                                                    {"Softshrink", "softshrink"},
                                                    {"LogSigmoid", "logsigmoid"},
                                                    {"log_sigmoid", "logsigmoid"},
                                                    {"QuickGELU", "quick_gelu"},
                                                    {"gelu_new", "gelu_tanh"},
                                                    {"Identity", "identity"},
                                                    {"Tanh", "tanh"},
                                                    {"hard_tanh", "hardtanh"},
                                                    {"exponential", "exp"},
                                                    {"LEAKY_RELU_0.5", "leaky_relu_0.5"},
                                                    {"squared_relu", "relu_squared"},
                                                    {"ReLU", "relu"},
                                                    {"Softplus", "softplus"},
                                                    {"ELU", "elu"}};
  for (const auto& [name, meaning] : names) EXPECT_EQ(Activation::named(name).name(), meaning) << name;
}

TEST(Activation, AUsersFunctionIsOnlyItself) {
  const auto mine = Activation::custom("mine", identity, {2, -1, 2});
  const auto copy = mine;
  EXPECT_EQ(mine, copy);
  EXPECT_EQ(mine.hash(), copy.hash());
  EXPECT_NE(mine, Activation::custom("mine", identity, {2, -1, 2}));
  EXPECT_NE(mine, Activation::named("identity"));
  EXPECT_EQ(mine.name(), "mine");
  EXPECT_EQ(mine.function()(3), 3);
}

TEST(Activation, ExpressionsAreComparedByTheirTrees) {
  const auto f = Activation::from_expression("x*tanh(x)");
  EXPECT_EQ(f.name(), "x*tanh(x)");
  EXPECT_EQ(f, Activation::from_expression("x * np.tanh(x)", "f"));
  EXPECT_EQ(f.hash(), Activation::from_expression("x * np.tanh(x)", "f").hash());
  EXPECT_NE(Activation::from_expression("x*x", "f"), Activation::from_expression("tanh(x)", "f"));
  EXPECT_EQ(Activation::from_expression("x*tanh(softplus(x))"), Activation::named("mish"));
  EXPECT_NE(f, Activation::custom("f", [](double x) { return x * std::tanh(x); }));
}

TEST(Activation, ExpressionsHaveAFiniteValueEverywhere) {
  expect_rejected([] { Activation::from_expression("log(x)"); },
                  {"expression \"log(x)\": no finite value at x = -10"});
  expect_rejected([] { Activation::from_expression("1/x"); }, {"no finite value at x = 0;"});
  expect_rejected([] { Activation::from_expression("x*"); }, {"expression \"x*\": column 3"});
  expect_rejected([] { Activation::from_expression("x", "relu"); }, {"\"relu\"", "built-in"});
  expect_rejected([] { Activation::from_expression("x", "f", std::vector{std::nan("")}); },
                  {"kink nan is not finite"});
}

TEST(Activation, BreakpointsAreCompleteWhereTheyAreKnown) {
  const auto expect = [](const Activation& phi, const std::vector<double>& points, bool complete = true) {
    const Breakpoints found = phi.breakpoints(-10, 10);
    EXPECT_EQ(found.points, points) << phi.name();
    EXPECT_EQ(found.complete, complete) << phi.name();
  };
  expect(Activation::named("relu"), {0});
  expect(Activation::named("hardtanh"), {-1, 1});
  expect(Activation::named("tanh"), {});
  expect(Activation::named("power_3"), {});
  expect(Activation::named("hardswish"), {-3, 3});
  expect(Activation::named("selu"), {0});
  expect(Activation::named("softshrink"), {-0.5, 0.5});
  expect(Activation::named("hardshrink"), {-0.5, 0.5});
  expect(Activation::named("mish"), {});
  expect(Activation::from_expression("abs(x - 2)"), {2});
  expect(Activation::from_expression("abs(x - 2)", "f", std::vector<double>{3, 20, -1}), {-1, 3});
  expect(Activation::custom("mine", identity), {}, false);
  expect(Activation::custom("mine", identity, {}), {});
  expect(Activation::custom("mine", identity, {2, -1, 2, 11}), {-1, 2});
}

TEST(Activation, UnknownNamesSuggestTheNearest) {
  expect_rejected([] { Activation::named("rleu"); },
                  {"unknown activation \"rleu\"", "did you mean \"relu\"?"});
  expect_rejected([] { Activation::named("leaky_relu_S"); }, {"did you mean \"leaky_relu_0.1\"?"});
  expect_rejected([] { Activation::named("leaky_relu_nan"); }, {"unknown activation", "did you mean"});
  expect_rejected([] { Activation::named("power_"); }, {"did you mean \"power_3\"?"});
  expect_rejected([] { Activation::named("softsing"); }, {"did you mean \"softsign\"?"});
  expect_rejected([] { Activation::named("swsh"); }, {"did you mean \"swish\"?"});
  expect_rejected([] { Activation::named(""); },
                  {"unknown activation \"\"; valid are identity, relu, ", "{expression = "});
  expect_rejected([] { Activation::named("bump"); },
                  {"valid are identity", "rbf_A; any other", "{expression = "});
}

TEST(Activation, WhatIsNoActivationIsSaidSo) {
  expect_rejected([] { Activation::named("softmax"); },
                  {"\"softmax\": softmax acts on all coordinates", "self_attention"});
  expect_rejected([] { Activation::named("threshold"); }, {"threshold_0.1_20"});
  expect_rejected([] { Activation::named("threshold_1"); }, {"unknown activation"});
  expect_rejected([] { Activation::named("celu_0"); }, {"celu_0", "must be positive"});
  expect_rejected([] { Activation::named("rbf_-1"); }, {"rbf_-1", "must be positive"});
  expect_rejected([] { Activation::named("hardshrink_nan"); }, {"unknown activation"});
  expect_rejected([] { Activation::named("dropout"); }, {"the layer dropout"});
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
