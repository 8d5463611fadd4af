// Functions of several arguments by rule 5, against instructions that other rules know.
#include <gmock/gmock.h>

#include <cmath>

#include "nngpcheck/analytic/limit.hpp"
#include "nngpcheck/netsor/builder.hpp"
#include "z_scores.hpp"

namespace nngpcheck {
namespace {

using Eigen::MatrixXd;
using netsor::Activation;
using netsor::Builder;
using netsor::BundleId;
using netsor::Function;
using testing::largest_z;
using testing::quantile;

const Function x_tanh_y("x_tanh_y", 2, [](std::span<const double> v) { return v[0] * std::tanh(v[1]); });
const Function larger("larger", 2, [](std::span<const double> v) { return std::max(v[0], v[1]); });
const Function product("product", 2, [](std::span<const double> v) { return v[0] * v[1]; });

// Five numbers of moderate size for each input.
MatrixXd inputs(Eigen::Index count) {
  return MatrixXd::NullaryExpr(5, count, [&](Eigen::Index i, Eigen::Index j) {
    return std::sin(1 + 3.1 * static_cast<double>(i * count + j));
  });
}

/// Two Gaussian bundles of three columns: of one input weight, or of two.
struct Arguments {
  Builder& builder;
  BundleId x, y;
  Arguments(Builder& b, bool independent) : builder(b), x(0, 0), y(0, 0) {
    const auto u = b.input_weight({"U", {}, 5, 1.3});
    const MatrixXd data = inputs(6);
    const auto second = independent ? b.input_weight({"V", {}, 5, 0.8}) : u;
    const BundleId bias = b.column(b.bias({"b", {}, 0.4, 0.3}));
    x = b.input(u, data.leftCols(3));
    y = b.add(b.input(second, data.rightCols(3)), bias);
  }
};

/// The output of what `last` makes of the arguments, behind one more weight.
template <class Last>
netsor::Program program_of(bool independent, const Last& last) {
  Builder b;
  const Arguments arguments(b, independent);
  b.output(b.readout({"v", 1}), b.matmul(b.weight({"W", {}, {}, 1.5}), last(arguments)));
  return std::move(b).build();
}

void expect_equal_limits(const netsor::Program& nonlin, const netsor::Program& known,
                         const MatrixXd& wrong_factor) {
  const analytic::Limit limit = analytic::limit(nonlin, {.points = 1 << 12, .seed = 1});
  const analytic::Limit expected = analytic::limit(known, {.points = 1 << 12, .seed = 2});
  EXPECT_THAT(limit.method, ::testing::StartsWith("paths"));
  EXPECT_LT(largest_z(limit, expected.value, expected.standard_error), quantile(6));
  const MatrixXd wrong = expected.value.cwiseProduct(wrong_factor);
  EXPECT_GT(largest_z(limit, wrong, expected.standard_error), quantile(6))
      << "the check must be able to fail";
}

// One entry of a symmetric kernel 3 % off.
MatrixXd one_entry_off() {
  MatrixXd result = MatrixXd::Ones(3, 3);
  result(0, 0) = 1.03;
  return result;
}

TEST(Nonlin, ProductWithTanhIsThatOfMulAndTanh) {
  for (const bool independent : {false, true}) {
    SCOPED_TRACE(independent);
    expect_equal_limits(program_of(independent,
                                   [](const Arguments& a) {
                                     return a.builder.nonlin(x_tanh_y, {a.x, a.y});
                                   }),
                        program_of(independent,
                                   [](const Arguments& a) {
                                     return a.builder.mul(a.x, a.builder.map(Activation::named("tanh"), a.y));
                                   }),
                        one_entry_off());
  }
}

TEST(Nonlin, LargerIsMax) {
  for (const bool independent : {false, true}) {
    SCOPED_TRACE(independent);
    expect_equal_limits(program_of(independent,
                                   [](const Arguments& a) {
                                     return a.builder.nonlin(larger, {a.x, a.y});
                                   }),
                        program_of(independent, [](const Arguments& a) { return a.builder.max(a.x, a.y); }),
                        one_entry_off());
  }
}

TEST(Nonlin, OneColumnIsBroadcast) {
  expect_equal_limits(
      program_of(false,
                 [](const Arguments& a) {
                   return a.builder.nonlin(larger, {a.builder.select(a.x, {1}), a.y});
                 }),
      program_of(false, [](const Arguments& a) { return a.builder.max(a.builder.select(a.x, {1}), a.y); }),
      one_entry_off());
}

// E[(x_i y_i)(x_j y_j)] = E[x_i x_j] E[y_i y_j] for independent x and y: rule 1 knows it exactly.
TEST(Nonlin, ProductOfIndependentGaussiansHasItsKnownMoment) {
  const netsor::Program known = program_of(true, [](const Arguments& a) { return a.builder.mul(a.x, a.y); });
  ASSERT_TRUE(analytic::limit(known).standard_error.isZero(0));
  expect_equal_limits(program_of(true,
                                 [](const Arguments& a) {
                                   return a.builder.nonlin(product, {a.x, a.y});
                                 }),
                      known, one_entry_off());
}

// A factor that is independent of the arguments is integrated apart: no path carries it.
TEST(Nonlin, IndependentFactorsAreNotSampled) {
  const netsor::Program program = program_of(false, [](const Arguments& a) {
    const BundleId gate = a.builder.map(Activation::named("erf"),
                                        a.builder.input(a.builder.input_weight({"Z", {}, 5, 1}), inputs(3)));
    return a.builder.mul(a.builder.nonlin(x_tanh_y, {a.x, a.y}), gate);
  });
  const analytic::Limit limit = analytic::limit(program, {.randomizations = 2, .points = 16});
  int products = 0, sampled = 0;
  for (const analytic::PlanStep& step : limit.plan) {
    const auto& operation = program.nodes()[std::stoul(step.left.substr(1)) - 1].operation;
    if (std::holds_alternative<netsor::Mul>(operation)) {
      EXPECT_EQ(step.rule, analytic::Rule::product);
      ++products;
    }
    if (step.rule == analytic::Rule::paths) {
      EXPECT_TRUE(std::holds_alternative<netsor::Nonlin>(operation));
      ++sampled;
    }
  }
  EXPECT_EQ(products, 1);
  EXPECT_EQ(sampled, 1);
}

TEST(Nonlin, AFunctionThatIsNotFiniteIsAnError) {
  const Function pole("pole", 2, [](std::span<const double> v) { return v[0] / (v[1] - v[1]); });
  const netsor::Program program = program_of(false, [&](const Arguments& a) {
    return a.builder.nonlin(pole, {a.x, a.y});
  });
  EXPECT_THAT([&] { analytic::limit(program, {.randomizations = 2, .points = 16}); },
              ::testing::ThrowsMessage<analytic::LimitError>(::testing::HasSubstr("is not finite")));
}

}  // namespace
}  // namespace nngpcheck
