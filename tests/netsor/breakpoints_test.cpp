// The breakpoints of expressions whose kinks and jumps are known.
#include <gmock/gmock.h>

#include <cmath>
#include <numbers>

#include "nngpcheck/netsor/expression.hpp"

namespace nngpcheck::netsor {
namespace {

Breakpoints find(const std::string& text, double low = -10, double high = 10) {
  return Expression::parse(text).breakpoints(low, high);
}

// A unit in the last place of 10, the largest number in the range, times the few that are promised.
constexpr double located = 8 * 0x1p-49;

void expect(const std::string& text, const std::vector<double>& points) {
  const Breakpoints found = find(text);
  EXPECT_TRUE(found.complete) << text;
  ASSERT_EQ(found.points.size(), points.size()) << text << ": " << ::testing::PrintToString(found.points);
  for (std::size_t k = 0; k < points.size(); ++k) EXPECT_NEAR(found.points[k], points[k], located) << text;
}

TEST(Breakpoints, OfSmoothFunctionsThereAreNone) {
  for (const char* text :
       {"x*tanh(x)", "sin(30*x)", "x^3 - x", "exp(-x^2)", "log(1 + x^2)", "1/(1 + x^2)", "x^20",
        "sqrt(x^2 + 1)", "(x^2 + 1)^0.3", "softplus(x)", "min(x, x)", "2^x", "3"}) {
    expect(text, {});
  }
}

TEST(Breakpoints, AreWhereArgumentsCross) {
  expect("x*min(max(x + 3, 0), 6)/6", {-3, 3});
  expect("abs(x - 1) - abs(x - 1.001)", {1, 1.001});
  expect("x > 0 ? x : 0.1*x", {0});
  expect("sign(x^2 - 2)", {-std::numbers::sqrt2, std::numbers::sqrt2});
  expect("abs(x)**1.5", {0});
  expect("relu(x)^0.5", {0});
  expect("cbrt(x)", {0});
  expect("atan(1/x)", {0});
  expect("x > -1 ? log1p(x) : 0", {-1});
  expect("acos(clip(x, -1, 1))", {-1, 1});
  expect("(x > -2 && x < 3) || x == 5", {-2, 3});  // what holds in one point does not count
  expect("abs(x*exp(1 - x))", {0});
  expect("max(sin(x), cos(x))", {-2.75 * std::numbers::pi, -1.75 * std::numbers::pi, -0.75 * std::numbers::pi,
                                 0.25 * std::numbers::pi, 1.25 * std::numbers::pi, 2.25 * std::numbers::pi});
  expect("tanh(tan(x/2))",
         {-3 * std::numbers::pi, -std::numbers::pi, std::numbers::pi, 3 * std::numbers::pi});
}

TEST(Breakpoints, MayBeNested) {
  expect("abs(abs(abs(x) - 1) - 0.5)", {-1.5, -1, -0.5, 0, 0.5, 1, 1.5});
  expect("abs(relu(x))", {0});
  expect("relu(abs(x) - 2) > 1 ? 1 : 0", {-3, 3});
  expect("floor(rint(x/4)/2)", {-2, 6});
  expect("abs(x) > 0.5 ? x : 0", {-0.5, 0.5});
  expect("(-1)^floor(x/5)", {-5, 0, 5});
}

TEST(Breakpoints, OfADoubleRootAreFound) {
  expect("abs((x - 1)^2)", {1});
  expect("sqrt((x - 1)^2)", {1});
}

TEST(Breakpoints, OfBranchesThatDoNotCountAreLeftOut) {
  expect("x > 3 ? x : max(x, abs(x - 5))", {2.5, 3});  // the kink of abs at 5 is never seen
}

TEST(Breakpoints, MayBeMany) {
  const Breakpoints found = find("rint(100*x)");
  EXPECT_TRUE(found.complete);
  ASSERT_EQ(found.points.size(), 2000u);
  for (int k = 0; k < 2000; ++k) EXPECT_NEAR(found.points[k], (k - 999.5) / 100, located);
  EXPECT_EQ(find("sign(sin(10*x))").points.size(), 63u);
  const Breakpoints wide = find("x*rint(x*x)", -40, 40);
  EXPECT_TRUE(wide.complete);
  EXPECT_EQ(wide.points.size(), 3200u);
}

TEST(Breakpoints, SayWhenTheyAreIncomplete) {
  EXPECT_FALSE(find("x == 0 ? 0 : sign(sin(1/x))").complete);
  EXPECT_FALSE(find("rint(1e9*x)").complete);
  EXPECT_FALSE(find("floor(exp(x))", -40, 40).complete);
  EXPECT_FALSE(find("max(sin(x)^2 + cos(x)^2, 1)").complete);  // equal up to rounding everywhere
}

TEST(Breakpoints, AreThoseOfTheRange) {
  EXPECT_THAT(find("rint(x)", 0.75, 2.75).points, ::testing::ElementsAre(1.5, 2.5));
  EXPECT_THAT(find("rint(x)", 0.5, 1.5).points, ::testing::ElementsAre());
  EXPECT_THAT(find("abs(x)", 1, 2).points, ::testing::ElementsAre());
  EXPECT_THAT(find("abs(x)", 1e-9, 2e-9).points, ::testing::ElementsAre());
  EXPECT_THAT(find("abs(x - 1e-9)", -1e-8, 1e-8).points, ::testing::ElementsAre(::testing::DoubleEq(1e-9)));
  EXPECT_TRUE(find("abs(x)", 2, 1).points.empty());
}

// Every jump or kink that differences see is found: no breakpoint between neighbours of a grid means that the
// function is smooth there.
TEST(Breakpoints, LeaveSmoothPiecesOnly) {
  for (const char* text :
       {"abs(x^3 - 3*x + 1)", "floor(x)*sin(x)", "min(x^2, 4)*max(cos(x), 0.2)", "abs(sin(x)*cos(2*x) - 0.3)",
        "rint(3*sin(x))", "x > sin(3*x) ? x : -abs(x + 1)", "clip(tan(x), -1, 1)"}) {
    const Expression f = Expression::parse(text);
    const Breakpoints found = f.breakpoints(-10, 10);
    EXPECT_TRUE(found.complete) << text;
    const double h = 1e-3;
    std::size_t next = 0;
    int seen = 0;
    for (double x = -10 + h; x < 10 - 3 * h; x += h) {
      while (next < found.points.size() && found.points[next] < x - h) ++next;
      if (next < found.points.size() && found.points[next] <= x + 2 * h) {
        ++seen;
        continue;
      }
      // Third differences: h³ |f'''|, and |f'''| stays below 1e5 at a distance of h from a breakpoint here.
      const double third = f(x + 2 * h) - 3 * f(x + h) + 3 * f(x) - f(x - h);
      EXPECT_LE(std::abs(third), 1e5 * h * h * h) << text << " at " << x;
    }
    EXPECT_GT(seen, 0) << text;
  }
}

}  // namespace
}  // namespace nngpcheck::netsor
