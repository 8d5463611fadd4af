#include "nngpcheck/support/progress.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace nngpcheck {
namespace {

using testing::ElementsAre;
using testing::SizeIs;
using namespace std::chrono_literals;

std::string text() { return "work"; }

TEST(Progress, IsSilentAndDoesNotStopByDefault) {
  const Progress progress;
  EXPECT_NO_THROW(progress.check());
  progress.report(0.5, []() -> std::string { throw std::logic_error("made for nobody"); });
}

TEST(Progress, StopsWhenAskedTo) {
  bool asked = false;
  const Progress progress({}, [&] { return asked; });
  const Progress named = progress.named("mlp").named("limit");
  EXPECT_NO_THROW(named.check());
  asked = true;
  EXPECT_TRUE(progress.silent().stop_requested());
  try {
    named.check();
    FAIL() << "not stopped";
  } catch (const Stopped& stopped) {
    EXPECT_STREQ(stopped.what(), "mlp: limit: stopped");
  }
}

TEST(Progress, ReportsUnderItsNames) {
  std::vector<std::string> reports;
  std::optional<double> last;
  const Progress progress(
      [&](std::optional<double> fraction, const std::string& what) {
        reports.push_back(what);
        last = fraction;
      },
      {}, 0ms);
  progress.report({}, text);
  EXPECT_FALSE(last.has_value());
  progress.named("a").named("b").report(0.25, text);
  progress.silent().report(1, text);
  EXPECT_THAT(reports, ElementsAre("work", "a: b: work"));
  EXPECT_EQ(last, 0.25);
}

TEST(Progress, DropsReportsInBetween) {
  int reports = 0, texts = 0;
  const Progress progress([&](auto, const auto&) { ++reports; }, {}, std::chrono::hours(1));
  for (int k = 0; k < 1000; ++k) progress.named("copy").report({}, [&] { return ++texts, text(); });
  EXPECT_EQ(reports, 1);
  EXPECT_EQ(texts, 1);
}

TEST(Progress, PassesOnOneReportAtATime) {
  std::atomic<int> inside = 0;
  int reports = 0;
  const Progress progress(
      [&](auto, const auto&) {
        EXPECT_EQ(++inside, 1);
        ++reports;
        --inside;
      },
      {}, 0ms);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int k = 0; k < 1000; ++k) progress.report({}, text);
      });
    }
  }
  EXPECT_GT(reports, 0);
  EXPECT_LE(reports, 4000);
}

}  // namespace
}  // namespace nngpcheck
