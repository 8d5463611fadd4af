#include "nngpcheck/netsor/width.hpp"

#include <gmock/gmock.h>

#include <limits>

#include "nngpcheck/support/spelling.hpp"
#include "tests/netsor/rejected.hpp"

namespace nngpcheck::netsor {
namespace {

using nngpcheck::testing::expect_rejected;

TEST(Width, IsKeptInLowestTerms) {
  EXPECT_EQ(Width(6, 4), Width(3, 2));
  EXPECT_EQ(Width(2, 2), Width());
  EXPECT_NE(Width(3, 2), Width(2, 3));
  EXPECT_EQ(Width(6, 4).numerator(), 3);
  EXPECT_EQ(Width(6, 4).denominator(), 2);
  EXPECT_EQ(Width(6, 4).ratio(), 1.5);
}

TEST(Width, PrintsAsAMultipleOfTheBaseWidth) {
  EXPECT_EQ(Width().text(), "n");
  EXPECT_EQ(Width(4).text(), "4n");
  EXPECT_EQ(Width(1, 8).text(), "n/8");
  EXPECT_EQ(Width(3, 2).text(), "3n/2");
}

TEST(Width, CountsCoordinates) {
  EXPECT_EQ(Width().at(5), 5);
  EXPECT_EQ(Width(4).at(5), 20);
  EXPECT_EQ(Width(3, 2).at(6), 9);
}

TEST(Width, AddsInLowestTerms) {
  EXPECT_EQ(Width(1, 2) + Width(1, 3), Width(5, 6));
  EXPECT_EQ(Width(1, 6) + Width(1, 3), Width(1, 2));
  Width sum(1, 2);  // whose denominators would multiply to 2^100
  for (int k = 1; k < 100; ++k) sum = sum + Width(1, 2);
  EXPECT_EQ(sum, Width(50));
}

TEST(Width, RefusesSumsBeyond64Bits) {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();  // divisible by 7
  EXPECT_EQ(Width(most - 1) + Width(1), Width(most));
  expect_rejected([] { Width(most) + Width(1); },
                  {"widths 9223372036854775807n and n", "no fraction of 64-bit"});
  expect_rejected([] { Width(most, 2) + Width(1); }, {"sum is no fraction"});
  expect_rejected([] { Width(1, most) + Width(1, 2); },
                  {"denominators 9223372036854775807 and 2", "no base width"});
  EXPECT_EQ(common_multiple(6, 4), 12);
  EXPECT_EQ(common_multiple(most / 7, most), most);
  expect_rejected([] { common_multiple(most, most - 1); },
                  {"choose denominators with a small common multiple"});
}

TEST(Width, Rejects) {
  expect_rejected([] { Width(0); }, {"width 0n/1", "positive multiple of n", "give a positive numerator"});
  expect_rejected([] { Width(1, -2); }, {"width 1n/-2", "positive multiple of n", "and denominator"});
  expect_rejected([] { Width().at(0); }, {"width n = 0", "must be at least 1"});
  expect_rejected([] { Width().at(-3); }, {"width n = -3", "must be at least 1"});
  expect_rejected([] { Width(3, 2).at(7); }, {"width 3n/2", "not an integer at n = 7", "divisible by 2"});
  expect_rejected([] { Width(4).at(std::numeric_limits<std::int64_t>::max()); },
                  {"width 4n", "too large", "choose a smaller n"});
}

TEST(Spelling, NearestHasTheSmallestEditDistance) {
  EXPECT_EQ(support::close_spelling("rleu", {"elu", "relu", "silu"}), "relu");
  EXPECT_EQ(support::close_spelling("output_varaince", {"input_variance", "readout_variance"}),
            "input_variance");
  EXPECT_EQ(support::close_spelling("Simple-RNN", {"rnn", "simple_rnn"}), "simple_rnn");
  EXPECT_EQ(support::close_spelling("softmax", {"softplus", "softsign"}), "");
  EXPECT_EQ(support::close_spelling("dropout", {"concat", "conv", "dense"}), "");
  EXPECT_EQ(support::close_spelling("", {"ab", "c"}), "");
  EXPECT_EQ(support::close_spelling("b", {"a", "c"}), "");
  EXPECT_EQ(support::close_spelling("B", {"a", "b"}), "b");
  EXPECT_EQ(support::close_spelling("relu", {}), "");
  EXPECT_EQ(support::close_spelling(std::string(100000, 'a'), {"relu"}), "");
}

TEST(Spelling, AdviceIsASlipOrTheList) {
  EXPECT_EQ(support::advice("rleu", {"relu", "elu"}), "; did you mean \"relu\"?");
  EXPECT_EQ(support::advice("dropout", {"dense", "conv", "last"}), "; valid are dense, conv and last");
  EXPECT_EQ(support::advice("dropout", {"dense"}), "; valid is dense");
  EXPECT_EQ(support::advice("dropout", {}), "");
}

TEST(Spelling, ShortestReadsBack) {
  EXPECT_EQ(support::shortest(0.1), "0.1");
  EXPECT_EQ(support::shortest(1), "1");
  EXPECT_EQ(support::shortest(1e-8), "1e-08");
  EXPECT_EQ(std::stod(support::shortest(1.0 / 3)), 1.0 / 3);
}

}  // namespace
}  // namespace nngpcheck::netsor
