#include "nngpcheck/empirical/random/simd.hpp"

#include <array>

namespace nngpcheck::empirical {

const Simd* const* simd_available() {
  static const auto available = [] {
    std::array<const Simd*, 4> result{};
    std::size_t count = 0;
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq"))
      result[count++] = &simd_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) result[count++] = &simd_avx2;
#endif
    result[count] = &simd_portable;
    return result;
  }();
  return available.data();
}

const Simd& simd() { return *simd_available()[0]; }

}  // namespace nngpcheck::empirical
