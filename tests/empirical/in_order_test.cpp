#include "nngpcheck/empirical/interpreter/in_order.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace nngpcheck::empirical {
namespace {

std::uint64_t square(std::uint64_t k) { return k * k; }

TEST(ProduceInOrder, ConsumesEveryItemOnceAndInOrder) {
  for (const int threads : {1, 2, 7}) {
    for (const std::uint64_t count : {0U, 1U, 5U, 500U}) {
      std::uint64_t next = 0;
      produce_in_order<std::uint64_t>(
          count, threads, [] { return square; },
          [&](std::uint64_t k, std::uint64_t value) {
            EXPECT_EQ(k, next++);
            EXPECT_EQ(value, k * k);
          });
      EXPECT_EQ(next, count);
    }
  }
}

// What the call throws, and the number of items consumed before.
template <class Start, class Throw>
std::pair<std::string, std::uint64_t> failure(const Start& start, const Throw& throw_at) {
  std::uint64_t consumed = 0;
  try {
    produce_in_order<std::uint64_t>(100000, 3, start, [&](std::uint64_t k, std::uint64_t) {
      throw_at(k);
      ++consumed;
    });
  } catch (const std::runtime_error& error) {
    return {error.what(), consumed};
  }
  return {"nothing", consumed};
}

TEST(ProduceInOrder, EndsWithTheFirstExceptionInTheOrderOfItems) {
  const auto never = [](std::uint64_t) {};
  const auto failing = [](std::uint64_t k) {
    if (k >= 50) throw std::runtime_error("item " + std::to_string(k));
    return k;
  };
  using Failure = std::pair<std::string, std::uint64_t>;
  EXPECT_EQ(failure([&] { return failing; }, never), Failure("item 50", 50));
  EXPECT_EQ(failure([]() -> decltype(&square) { throw std::runtime_error("no memory"); }, never),
            Failure("no memory", 0));
  const auto full_at_70 = [](std::uint64_t k) {
    if (k == 70) throw std::runtime_error("disk full");
  };
  EXPECT_EQ(failure([] { return square; }, full_at_70), Failure("disk full", 70));
}

}  // namespace
}  // namespace nngpcheck::empirical
