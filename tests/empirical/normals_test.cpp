#include "nngpcheck/empirical/random/normals.hpp"

#include <Random123/philox.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <set>
#include <string>
#include <vector>

namespace nngpcheck::empirical {
namespace {

std::vector<double> drawn(const NormalStream& stream, std::uint64_t first, std::size_t count,
                          const Simd& path = simd()) {
  std::vector<double> result(count);
  stream.fill(first, std::span(result), 0, 1, path);
  return result;
}

std::vector<const Simd*> paths() {
  std::vector<const Simd*> result;
  for (const Simd* const* path = simd_available(); *path; ++path) result.push_back(*path);
  return result;
}

// The definition in simd.hpp, in long double, on Random123's bits.
void expected_pair(const PhiloxStream& stream, std::uint64_t block, long double pair[2]) {
  const r123::Philox4x32::ctr_type counter = {{static_cast<std::uint32_t>(block),
                                               static_cast<std::uint32_t>(block >> 32), stream.counter[0],
                                               stream.counter[1]}};
  const auto bits = r123::Philox4x32()(counter, {{stream.key[0], stream.key[1]}});
  const std::uint64_t a = bits[0] | std::uint64_t{bits[1]} << 32;
  const std::uint64_t b = bits[2] | std::uint64_t{bits[3]} << 32;
  const long double u = 1 - std::ldexp(static_cast<long double>(a >> 12), -52);
  const long double v = (std::ldexp(static_cast<long double>(b >> 12), -52) - 0.5L) / 4;
  const long double r = std::sqrt(-2 * std::log(u));
  const long double sine = r * std::sin(2 * std::numbers::pi_v<long double> * v);
  const long double cosine = (b & 2 ? -r : r) * std::cos(2 * std::numbers::pi_v<long double> * v);
  pair[b & 1] = cosine;
  pair[1 - (b & 1)] = sine;
}

TEST(Normals, AreBoxAndMullersOfRandom123sPhilox) {
  const NormalStream stream(1, 2, 3, "W");
  constexpr std::uint64_t first =
      (std::uint64_t{1} << 33) - 500;  // the counter's second word changes on the way
  constexpr std::size_t count = 200000;
  const std::vector<double> values = drawn(stream, 2 * first, count);
  double worst = 0;  // in units of the last place, or a little less
  for (std::uint64_t block = 0; block < count / 2; ++block) {
    long double pair[2];
    expected_pair(stream.philox(), first + block, pair);
    for (std::size_t k = 0; k < 2; ++k) {
      const long double error = std::abs(values[2 * block + k] - pair[k]) / std::abs(pair[k]);
      worst = std::max(worst, static_cast<double>(error) / std::numeric_limits<double>::epsilon());
    }
  }
  EXPECT_LT(worst, 4);
  EXPECT_GT(worst, 0.4) << "rounding must show: is anything compared?";
}

TEST(Normals, AreTheSameOnEveryInstructionSet) {
  for (const char* name : {"W", "another weight"}) {
    const NormalStream stream(7, 128, 9, name);
    for (std::uint64_t first : {0U, 1U, 2U, 1001U}) {
      for (std::size_t count : {0U, 1U, 2U, 3U, 15U, 16U, 17U, 30U, 33U, 100000U}) {
        std::vector<double> reference(count), other(count);
        std::vector<float> reference_float(count), other_float(count);
        stream.fill(first, std::span(reference), -0.3, 1.7, simd_portable);
        stream.fill(first, std::span(reference_float), -0.3, 1.7, simd_portable);
        for (const Simd* path : paths()) {
          stream.fill(first, std::span(other), -0.3, 1.7, *path);
          stream.fill(first, std::span(other_float), -0.3, 1.7, *path);
          EXPECT_EQ(other, reference) << path->name;
          EXPECT_EQ(other_float, reference_float) << path->name;
        }
        EXPECT_EQ(reference_float, std::vector<float>(reference.begin(), reference.end()));
      }
    }
  }
}

TEST(Normals, AreTheSameInAnyChunks) {
  const NormalStream stream(7, 128, 9, "W");
  const std::vector<double> whole = drawn(stream, 0, 1000);
  for (std::size_t chunk : {1U, 2U, 3U, 7U, 64U, 333U}) {
    std::vector<double> parts(whole.size());
    for (std::size_t first = 0; first < parts.size(); first += chunk) {
      const std::size_t count = std::min(chunk, parts.size() - first);
      stream.fill(first, std::span(parts).subspan(first, count));
    }
    EXPECT_EQ(parts, whole);
  }
}

TEST(Normals, MeanAndDeviationAreApplied) {
  const NormalStream stream(7, 128, 9, "W");
  const std::vector<double> standard = drawn(stream, 0, 100);
  std::vector<double> moved(100);
  stream.fill(0, std::span(moved), 3, 0.25);
  for (std::size_t k = 0; k < 100; ++k) EXPECT_NEAR(moved[k], 3 + 0.25 * standard[k], 1e-15 * 4);
}

TEST(Normals, AreKeyedBySeedWidthNetworkAndName) {
  std::set<double> first_numbers;
  std::size_t streams = 0;
  for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 40}) {
    for (const std::int64_t width : {1, 2, 4096}) {
      for (const std::uint64_t network : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 33}) {
        for (const char* name :
             {"W", "U", "WU", "a name of more than eight letters", "a name of more than eight letterS"}) {
          first_numbers.insert(drawn(NormalStream(seed, width, network, name), 0, 1)[0]);
          ++streams;
        }
      }
    }
  }
  EXPECT_EQ(first_numbers.size(), streams);
  EXPECT_NE(drawn(NormalStream(1, 2, 3, std::string_view("W\0", 2)), 0, 1),
            drawn(NormalStream(1, 2, 3, "W"), 0, 1));
}

// A change of these breaks every recorded run: seeds would give other networks.
TEST(Normals, StayWhatTheyAre) {
  const std::vector<double> expected = {0.54449903325322735, -0.085976985061331279, -0.82974299310415323,
                                        0.19712726045063969};
  EXPECT_EQ(drawn(NormalStream(1, 4096, 99, "W"), 0, 4), expected);
}

}  // namespace
}  // namespace nngpcheck::empirical
