// What numbers known at three widths grow like.
#include "nngpcheck/import/growth.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

namespace nngpcheck::importer {
namespace {

const Size n = {16, 32, 48};

Values of(const std::function<double(double)>& f) { return {f(16), f(32), f(48)}; }

void expect_growth(const std::function<double(double)>& f, double power, double limit) {
  const auto g = growth(of(f), n);
  ASSERT_TRUE(g);
  EXPECT_DOUBLE_EQ(g->power, power);
  EXPECT_NEAR(g->limit, limit, 1e-8 * std::abs(limit));
}

TEST(Growth, OfConstantsAndPowers) {
  expect_growth([](double) { return 0.3; }, 0, 0.3);
  expect_growth([](double w) { return 2 / std::sqrt(w); }, -0.5, 2);
  expect_growth([](double w) { return -3 * w * w; }, 2, -3);
}

TEST(Growth, OfPowersBesideAConstant) {
  expect_growth([](double w) { return std::sqrt(2 / (w + 5)); }, -0.5, std::sqrt(2));
  expect_growth([](double w) { return w / (w + 1); }, 0, 1);
  expect_growth([](double w) { return (w + 5) / 3; }, 1, 1.0 / 3);
}

TEST(Growth, OfWhatIsNoPowerIsNotKnown) {
  EXPECT_FALSE(growth(of([](double w) { return std::log(w); }), n));
  EXPECT_FALSE(growth(of([](double w) { return w == 32 ? 1.0 : 2.0; }), n));
}

TEST(Sizes, AreMultiplesOfTheWidthAndAConstant) {
  EXPECT_EQ(width_of({16, 32, 48}, n), netsor::Width());
  EXPECT_EQ(width_of({21, 37, 53}, n), netsor::Width());
  EXPECT_EQ(width_of({42, 85, 128}, n), netsor::Width(8, 3));
  EXPECT_EQ(width_of({2, 4, 6}, n), netsor::Width(1, 8));
  EXPECT_EQ(text({21, 37, 53}, n), "n+5");
  EXPECT_EQ(text({32, 64, 96}, n), "2n");
  EXPECT_EQ(text({7, 7, 7}, n), "7");
}

}  // namespace
}  // namespace nngpcheck::importer
