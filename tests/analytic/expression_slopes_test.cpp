#include "nngpcheck/analytic/paths/expression_slopes.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace nngpcheck::analytic {
namespace {

using netsor::Expression;

TEST(ExpressionSlopes, AreCentralDifferences) {
  for (const char* text : {"x*y + 3",
                           "x - 2*y",
                           "exp(x)/(exp(x) + exp(y))",
                           "1/(1 + x^2)",
                           "max(x, y)*min(x, 2*y)",
                           "abs(x)*relu(y)",
                           "sqrt(1 + x*x)",
                           "cbrt(x + 4)",
                           "log(1 + exp(y))",
                           "log2(2 + x^2)",
                           "log10(3 + y^2)",
                           "log1p(x^2)",
                           "expm1(x*y)",
                           "sin(x)*cos(y)",
                           "tan(0.3*x)",
                           "asin(0.3*x)",
                           "acos(0.2*y)",
                           "atan(x*y)",
                           "sinh(x)",
                           "cosh(y)",
                           "tanh(x + y)",
                           "asinh(x)",
                           "acosh(2 + y^2)",
                           "atanh(0.2*x)",
                           "erf(x)",
                           "erfc(y)",
                           "sigmoid(x*y)",
                           "softplus(x - y)",
                           "-(x^3)",
                           "(2 + x^2)^y",
                           "x^2*y^-2",
                           "x/sqrt(1 + y^2)"}) {
    const Expression expression = Expression::parse(text, {"x", "y"});
    auto slopes = ExpressionSlopes::of(expression);
    ASSERT_TRUE(slopes) << text;
    for (const auto& [x, y] : {std::pair{0.7, -0.4}, {-1.1, 0.9}, {0.3, 1.7}}) {
      const auto value = [&](double first, double second) {
        const double point[] = {first, second};
        return expression(point);
      };
      const double h = 1e-5, point[] = {x, y};
      double gradient[2];
      slopes->gradient(point, gradient);
      // h² f'''/6, and rounding over h.
      const double tolerance =
          1e-8 * (1 + std::abs(value(x, y)) + std::abs(gradient[0]) + std::abs(gradient[1]));
      EXPECT_NEAR(gradient[0], (value(x + h, y) - value(x - h, y)) / (2 * h), tolerance) << text;
      EXPECT_NEAR(gradient[1], (value(x, y + h) - value(x, y - h)) / (2 * h), tolerance) << text;
    }
  }
}

TEST(ExpressionSlopes, AreNotOfWhatMayJump) {
  for (const char* text :
       {"sign(x)", "floor(x)", "x > 0 ? x : 0", "x/abs(x)", "x < 1", "(x + 1)/x", "rint(x)*x", "log(abs(x))",
        "abs(x)^-0.3", "log(x^2)", "log1p(x)*0 + log1p(sin(x))"})
    EXPECT_FALSE(ExpressionSlopes::of(Expression::parse(text))) << text;
  for (const char* text : {"1/x", "x/(1 + abs(x))", "x/(1 + exp(-x))", "x/2", "log(x)", "log(1 + x^2)",
                           "x^-0.5", "abs(x)^0.5", "log1p(abs(x))"})
    EXPECT_TRUE(ExpressionSlopes::of(Expression::parse(text))) << text;
}

}  // namespace
}  // namespace nngpcheck::analytic
