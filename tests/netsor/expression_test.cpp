#include "nngpcheck/netsor/expression.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <map>
#include <numbers>
#include <thread>

#include "tests/netsor/rejected.hpp"

namespace nngpcheck::netsor {
namespace {

using nngpcheck::testing::expect_rejected;

double at(const std::string& text, double x) { return Expression::parse(text)(x); }

TEST(Expression, IsEvaluatedAsWritten) {
  EXPECT_DOUBLE_EQ(at("x*tanh(x)", 0.7), 0.7 * std::tanh(0.7));
  EXPECT_DOUBLE_EQ(at("erf(x) + 2^3 - pi/pi", -1.5), std::erf(-1.5) + 7);
  EXPECT_EQ(at("x > 0 ? x : 0.1*x", -2), -0.2);
  EXPECT_EQ(at("max(x, 0) + (x <= -1)", -2), 1);
}

TEST(Expression, BindsAsInPython) {
  const std::map<std::string, double> values = {
      {"-x^2", -9},
      {"(-x)**2", 9},
      {"2^-x", 0.125},
      {"2**3**x", std::pow(2, 27)},
      {"12/x/2", 2},
      {"x - 1 - 1", 1},
      {"1 + 2*x", 7},
      {"-2^2*x", -12},
      {"x > 2 && x < 4", 1},
      {"!x", 0},
      {"x < 1 || x != 2", 1},
      {"x == 3 ? 5 : 6", 5},
      {"x ? 0 ? 1 : 2 : 3", 2},
      {"+x", 3},
      {".5e1*x", 15},
      {"--x", 3},
  };
  for (const auto& [text, value] : values) EXPECT_EQ(at(text, 3), value) << text;
}

TEST(Expression, KnowsTheFunctionsOfC) {
  const double x = 0.3;
  const std::map<std::string, double> values = {
      {"sin(x)", std::sin(x)},
      {"cos(x)", std::cos(x)},
      {"tan(x)", std::tan(x)},
      {"asin(x)", std::asin(x)},
      {"acos(x)", std::acos(x)},
      {"atan(x)", std::atan(x)},
      {"sinh(x)", std::sinh(x)},
      {"cosh(x)", std::cosh(x)},
      {"tanh(x)", std::tanh(x)},
      {"asinh(x)", std::asinh(x)},
      {"acosh(x+1)", std::acosh(x + 1)},
      {"atanh(x)", std::atanh(x)},
      {"log2(x)", std::log2(x)},
      {"log10(x)", std::log10(x)},
      {"log(x)", std::log(x)},
      {"ln(x)", std::log(x)},
      {"exp(x)", std::exp(x)},
      {"sqrt(x)", std::sqrt(x)},
      {"cbrt(x)", std::cbrt(x)},
      {"log1p(x)", std::log1p(x)},
      {"expm1(x)", std::expm1(x)},
      {"erf(x)", std::erf(x)},
      {"erfc(x)", std::erfc(x)},
      {"abs(-x)", x},
      {"sign(-x)", -1},
      {"sign(0*x)", 0},
      {"floor(x)", 0},
      {"ceil(x)", 1},
      {"trunc(-x-1)", -1},
      {"relu(-x)", 0},
      {"sigmoid(x)", 1 / (1 + std::exp(-x))},
      {"softplus(x)", std::log(1 + std::exp(x))},
      {"step(x)", 1},
      {"square(x)", x * x},
      {"pow(x, 3)", std::pow(x, 3)},
      {"power(x, 0.5)", std::sqrt(x)},
      {"atan2(x, 2)", std::atan2(x, 2)},
      {"min(3, x, 2)", x},
      {"max(x)", x},
      {"sum(x, 1, 2)", x + 1 + 2},
      {"avg(x, 1)", (x + 1) / 2},
      {"clip(x, 1, 2)", 1},
      {"where(x > 1, 2, 3)", 3},
      {"minimum(x, 1)", x},
      {"maximum(x, 1)", 1},
      {"e", std::numbers::e},
      {"_pi", std::numbers::pi},
  };
  for (const auto& [text, value] : values) {
    const double got = at(text, x);  // two formulas may round differently: an ulp each of a few operations
    EXPECT_NEAR(got, value, 4 * std::numeric_limits<double>::epsilon() * std::abs(value)) << text;
  }
}

TEST(Expression, RoundsHalvesToEven) {
  for (const char* text : {"rint(x)", "round(x)", "np.round(x)"}) {
    EXPECT_EQ(at(text, 0.5), 0) << text;
    EXPECT_EQ(at(text, 1.5), 2) << text;
    EXPECT_EQ(at(text, -2.5), -2) << text;
  }
}

TEST(Expression, SkipsThePrefixesOfPython) {
  const Expression plain = Expression::parse("relu(x) + pi");
  for (const char* text : {"torch.nn.functional.relu(x) + math.pi", "F.relu(x) + np.pi", "tf.nn.relu(x) + pi",
                           "jax.nn.relu(x) + jnp.pi"}) {
    EXPECT_EQ(Expression::parse(text), plain) << text;
  }
  expect_rejected([] { Expression::parse("foo.tanh(x)"); }, {"column 1", "no module \"foo\""});
  expect_rejected([] { Expression::parse("x.abs()"); }, {"no module \"x\"", "write functions as f(x)"});
}

TEST(Expression, MayHaveSeveralVariables) {
  const Expression f = Expression::parse("x1*sigmoid(x2) - x1", {"x1", "x2"});
  const double values[] = {2, 0};
  EXPECT_EQ(f(values), -1);
  EXPECT_EQ(f.text(), "x1*sigmoid(x2) - x1");
  expect_rejected(
      [] {
        Expression::parse("x1 + x", {"x1", "x2"});
      },
      {"column 6, at \"x\"", "no variable or constant", "valid are x1, x2, pi and e"});
}

TEST(Expression, ComparesTreesAndNotTexts) {
  const auto same = [](const char* left, const char* right) {
    const Expression a = Expression::parse(left), b = Expression::parse(right);
    EXPECT_TRUE(!(a == b) || a.hash() == b.hash());
    return a == b;
  };
  EXPECT_TRUE(same("x*tanh(x)", " ( x ) * np.tanh( x ) "));
  EXPECT_TRUE(same("clip(x, -1, 1)", "min(max(x, -1), 1)"));
  EXPECT_TRUE(same("x**2", "square(x)"));
  EXPECT_TRUE(same("x > 0 ? x : 0", "where(x > 0, x, 0)"));
  EXPECT_TRUE(same("exp(x)/(1 + exp(x))", "exp(x)/(1 + (exp(x)))"));
  EXPECT_FALSE(same("x*x", "x^2"));
  EXPECT_FALSE(same("x - 1", "1 - x"));
  EXPECT_FALSE(same("0*x", "-0.0*x"));
  EXPECT_FALSE(same("1.0000000000000002*x", "x*1"));
}

TEST(Expression, IsPrintedAsItIsRead) {
  for (const char* text : {"x*tanh(x)",
                           "-x^2",
                           "(-x)^2",
                           "2^-x",
                           "(x + 1)*(x - 1)",
                           "x - (1 - x)",
                           "x/(x/2)",
                           "(x^2)^3",
                           "x^2^3",
                           "x > 0 ? x : 0.1*x",
                           "(x > 0 ? 1 : 2) + 1",
                           "x > 0 ? x < 1 ? 1 : 2 : 3",
                           "(x > 0 && x < 1) == (x < 2)",
                           "!(x > 0) || x == 2",
                           "atan2(x, 1e-08)",
                           "(-2)^x",
                           "x + -2",
                           "-(-x)",
                           "pi*e*x",
                           "max(min(x, 6), 0)"}) {
    const Expression f = Expression::parse(text);
    EXPECT_EQ(f.text(), text);
    EXPECT_EQ(Expression::parse(f.text()), f) << text;
  }
}

TEST(Expression, IsTheSameOnEveryThread) {
  std::string text = "x^2";  // more nodes than fit on the stack
  for (int k = 1; k < 100; ++k) text += " + 0*" + std::to_string(k);
  const Expression square = Expression::parse(text);
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int k = 0; k < 2000; ++k) wrong[t] += square(t + k) != (t + k) * double(t + k);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(wrong, ::testing::Each(0));
}

TEST(Expression, SaysWhatIsWrongAndWhere) {
  const auto rejected = [](const std::string& text, std::initializer_list<const char*> parts) {
    expect_rejected([&] { Expression::parse(text); }, parts);
  };
  rejected("", {"column 1, at the end", "it is empty"});
  rejected("x*", {"expression \"x*\": column 3, at the end: a value is missing"});
  rejected("x + foo(x)", {"column 5, at \"foo\"", "no function of that name; valid are abs, "});
  rejected("tahn(x)", {"column 1, at \"tahn\"", "did you mean \"tanh\"?"});
  rejected("TANH(x)", {"did you mean \"tanh\"?"});
  rejected("y + 1", {"at \"y\"", "valid are x, pi and e"});
  rejected("(x", {"column 1, at \"(\": this parenthesis is never closed"});
  rejected("min(x, 2", {"column 4, at \"(\": this parenthesis is never closed"});
  rejected("x)", {"column 2, at \")\"", "no \"(\""});
  rejected("x, 2", {"column 2, at \",\"", "several values"});
  rejected("(x, 2)", {"several values in parentheses"});
  rejected("x = 2", {"column 3, at \"=\": an assignment", "=="});
  rejected("clip(x, min=0)", {"keyword argument"});
  rejected("2x", {"column 2, at \"x\"", "a product is written with *"});
  rejected("0 < x < 1", {"column 7, at \"<\"", "a < b && b < c"});
  rejected("(x > 0) & (x < 1)", {"at \"&\"", "&&"});
  rejected("x if x > 0 else 0", {"c ? a : b"});
  rejected("x > 0 ? 1", {"\":\""});
  rejected("tanh", {"a function without arguments; write tanh(x)"});
  rejected("clip(x, 1)", {"column 1, at \"clip\": it takes 3 arguments, not 2"});
  rejected("min()", {"it takes 2 arguments, not 0"});
  rejected("sum()", {"it takes 1 argument, not 0"});
  rejected("1e999*x", {"at \"1e999\": the number is out of range"});
  rejected("x × 2", {"column 3, at \"×\"", "not part of the language"});
  rejected("é + $", {"column 1, at \"é\""});
  rejected(std::string(300, '(') + "x", {"nested more than 100 levels"});
  rejected(std::string(300, '-') + "x", {"nested more than 100 levels"});
  std::string long_sum = "x";
  for (int k = 0; k < 5000; ++k) long_sum += "+" + std::to_string(k);
  rejected(long_sum, {"more than 4096 operations", "…\""});
}

}  // namespace
}  // namespace nngpcheck::netsor
