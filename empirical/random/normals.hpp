// Standard normal numbers keyed by what they are for.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "nngpcheck/empirical/random/simd.hpp"

namespace nngpcheck::empirical {

/// An endless sequence z_0, z_1, … of independent N(0, 1), a function of (seed, width, network, name) alone.
///
/// The four are absorbed word by word, name last, into 128 bits s ← Philox4x32-10(counter = s, key = word);
/// the result names the Philox stream that Simd::normals turns into normals. Element k is the same however it
/// is drawn: in one piece or several, by any instruction set.
class NormalStream {
 public:
  NormalStream(std::uint64_t seed, std::int64_t width, std::uint64_t network, std::string_view name);

  /// target[i] = mean + deviation·z_{first+i}, rounded to the target's type after computation in float64.
  void fill(std::uint64_t first, std::span<double> target, double mean = 0, double deviation = 1,
            const Simd& path = simd()) const;
  void fill(std::uint64_t first, std::span<float> target, double mean = 0, double deviation = 1,
            const Simd& path = simd()) const;

  const PhiloxStream& philox() const { return philox_; }

 private:
  PhiloxStream philox_;
};

}  // namespace nngpcheck::empirical
