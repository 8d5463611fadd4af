// Seeds of the parts of something that has a seed.
#pragma once

#include <cstdint>

namespace nngpcheck::analytic {

/// A seed for part number `part` of what has this seed: each of the two is added to the state, which then
/// goes through the finalizer of SplitMix64 (Steele, Lea and Flood 2014), a bijection that spreads every bit.
/// So the parts of one seed differ, one part of different seeds differs, and others coincide with a
/// probability of 2^-64 a pair: seed 1, part 0 has nothing to do with seed 0, part 1.
constexpr std::uint64_t seed_of_part(std::uint64_t seed, std::uint64_t part) {
  const auto spread = [](std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
  };
  constexpr std::uint64_t golden = 0x9e3779b97f4a7c15U;  // 2^64 over the golden ratio: 0 does not stay 0
  return spread(spread(seed + golden) + part + golden);
}

}  // namespace nngpcheck::analytic
