#include "nngpcheck/analytic/law/tails.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "nngpcheck/analytic/law.hpp"
#include "nngpcheck/netsor/builder.hpp"

namespace nngpcheck::analytic {
namespace {

using netsor::Activation;
using netsor::BundleId;
using testing::HasSubstr;

Activation expression(const std::string& text) { return Activation::from_expression(text); }

TEST(Growth, IsSeenFromValues) {
  struct Expected {
    Activation phi;
    double degree, rate, pole;
  };
  for (const Expected& expected : {
           Expected{Activation::named("tanh"), 0, 0, 0},
           {Activation::named("erf"), 0, 0, 0},
           {Activation::named("relu"), 1, 0, 0},
           {Activation::named("gelu"), 1, 0, 0},
           {Activation::named("square"), 2, 0, 0},
           {expression("x^3 - x"), 3, 0, 0},
           {expression("log(1 + x^2)"), 0.15, 0, 0},
           {Activation::named("exp"), Growth::exponential, 0, 0},
           {expression("x*sinh(x)"), Growth::exponential, 0, 0},
           {expression("exp(0.2*x*x)"), Growth::exponential, 0.2, 0},
           {expression("x*exp(0.1*x*x - x)"), Growth::exponential, 0.1, 0},
           {expression("exp(-x*x)"), 0, 0, 0},
           {expression("x == 0 ? 0 : abs(x)^-0.3"), 0, 0, 0.3},
           {expression("x == 1 ? 0 : abs(x - 1)^-0.2"), 0, 0, 0.2},
       }) {
    const Growth found = growth(expected.phi);
    const std::string name = expected.phi.name();
    if (std::isinf(expected.degree)) {
      EXPECT_EQ(found.degree, expected.degree) << name;
    } else {
      EXPECT_NEAR(found.degree, expected.degree, 0.2) << name;
    }
    EXPECT_NEAR(found.rate, expected.rate, 0.01) << name;
    EXPECT_NEAR(found.pole, expected.pole, 0.01) << name;
  }
}

/// One input of length 1, each layer after a weight of variance 1.
netsor::Program layers(const std::vector<Activation>& activations) {
  netsor::Builder b;
  BundleId x = b.input(b.input_weight({"U", {}, 1, 1}), Eigen::MatrixXd::Ones(1, 1));
  for (std::size_t l = 0; l < activations.size(); ++l) {
    if (l > 0) x = b.matmul(b.weight({"W" + std::to_string(l), {}, {}, 0.1}), x);
    x = b.map(activations[l], x);
  }
  b.output(b.readout({"v", 1}), x);
  return std::move(b).build();
}

Tails tails_of(const std::vector<Activation>& activations) {
  const netsor::Program program = layers(activations);
  const Structure structure(program);
  return tails(structure, [](NodeIndex) { return std::optional<double>(1); });
}

TEST(Tails, SayWhereTheVarianceEnds) {
  EXPECT_THAT(tails_of({expression("exp(0.13*x*x)")}).infinite, HasSubstr("grows more slowly"));
  EXPECT_EQ(tails_of({expression("exp(0.12*x*x)")}).infinite, "");
  EXPECT_THAT(tails_of({expression("x == 0 ? 0 : abs(x)^-0.26")}).infinite, HasSubstr("has no pole"));
  EXPECT_EQ(tails_of({expression("x == 0 ? 0 : abs(x)^-0.24")}).infinite, "");
  EXPECT_THROW(finite_width_law(layers({expression("exp(0.13*x*x)")})), LimitError);
}

TEST(Tails, SayWhereNoMomentExists) {
  const Activation exp = Activation::named("exp"), relu = Activation::named("relu");
  const Activation square = Activation::named("square"), tanh = Activation::named("tanh");
  for (const auto& heavy :
       {std::vector{exp, exp}, {square, exp}, {relu, relu, exp}, {relu, square, tanh, exp, exp}})
    EXPECT_THAT(tails_of(heavy).heavy, HasSubstr("exp (x")) << heavy.size();
  for (const auto& tame :
       {std::vector{exp}, {relu, exp}, {tanh, tanh, exp}, {exp, relu, square}, {square, square}})
    EXPECT_EQ(tails_of(tame).heavy, "") << tame.size();
  EXPECT_NE(finite_width_law(layers({exp, exp}), {.points = 1 << 8, .bias = false}).heavy_tails, "");
}

}  // namespace
}  // namespace nngpcheck::analytic
