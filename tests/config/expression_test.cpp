#include "config/expression.hpp"

#include <cmath>
#include <thread>
#include <vector>

#include "scratch.hpp"

namespace nngpcheck::config {
namespace {

using testing::HasSubstr;

TEST(Expression, EvaluatesAsWritten) {
  EXPECT_DOUBLE_EQ(parse_expression("x*tanh(x)")(0.7), 0.7 * std::tanh(0.7));
  EXPECT_DOUBLE_EQ(parse_expression("erf(x) + 2^3 - pi/pi")(-1.5), std::erf(-1.5) + 7);
  EXPECT_EQ(parse_expression("x > 0 ? x : 0.1*x")(-2), -0.2);
  EXPECT_EQ(parse_expression("max(x, 0) + (x <= -1)")(-2), 1);
}

TEST(Expression, GivesEveryThreadItsOwnVariable) {
  const auto square = parse_expression("x^2");
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int k = 0; k < 20000; ++k) wrong[t] += square(t + k) != (t + k) * double(t + k);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(wrong, testing::Each(0));
}

TEST(Expression, RejectsWhatIsNoFunctionOfX) {
  const auto error = [](const std::string& text) { return error_of([&] { parse_expression(text); }); };
  EXPECT_THAT(error(""), HasSubstr("expression \"\": "));
  EXPECT_THAT(error("x*"), HasSubstr("expression \"x*\": "));
  EXPECT_THAT(error("foo(x)"), HasSubstr("foo"));
  EXPECT_THAT(error("y + 1"), HasSubstr("\"y\""));
  EXPECT_THAT(error("(x"), HasSubstr("parenthesis"));
  EXPECT_THAT(error("x, 2"), HasSubstr("several values"));
  EXPECT_THAT(error("x = 2"), HasSubstr("an assignment"));
  EXPECT_THAT(error("log(x)"), HasSubstr("no finite value at x = -10"));
  EXPECT_THAT(error("1/x"), HasSubstr("no finite value at x = 0"));
  EXPECT_EQ(error("(x == 2) + (x != 1) + (x >= 0)"), "");
}

}  // namespace
}  // namespace nngpcheck::config
