// Work on several threads is done once, and fails as on one.
#include "nngpcheck/support/parallel.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

namespace nngpcheck::support {
namespace {

TEST(Parallel, EveryPieceIsDoneOnce) {
  for (const std::size_t threads : {1, 2, 7, 100}) {
    for (const std::size_t count : {0, 1, 2, 50}) {
      std::vector<std::atomic<int>> done(count);
      in_parallel(count, threads, [&](std::size_t k) { ++done[k]; });
      for (const auto& times : done) EXPECT_EQ(times, 1);
    }
  }
}

TEST(Parallel, TheFirstFailureIsThrownAndNoOtherPieceBegins) {
  for (const std::size_t threads : {1, 4}) {
    std::atomic<int> begun = 0;
    try {
      in_parallel(10000, threads, [&](std::size_t k) {
        ++begun;
        if (k >= 20) throw std::runtime_error(std::to_string(k));
      });
      ADD_FAILURE() << "nothing was thrown";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "20");
    }
    EXPECT_GE(begun, 21);
    EXPECT_LT(begun, 21 + static_cast<int>(threads));
  }
}

TEST(Parallel, ThreadsAskedForAreAtLeastOne) {
  EXPECT_GE(threads_asked(0), 1U);
  EXPECT_EQ(threads_asked(3), 3U);
}

}  // namespace
}  // namespace nngpcheck::support
