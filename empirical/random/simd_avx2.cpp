// Compiled for AVX2 and FMA: nothing here may be shared with code that runs without them.
#include <immintrin.h>

#include "nngpcheck/empirical/random/simd_vectors.hpp"

namespace nngpcheck::empirical {
namespace {

using Integers = Vectors<32>::Integers;
using Doubles = Vectors<32>::Doubles;
using Floats = Vectors<32>::Floats;

Integers widening_product(Integers x, std::uint32_t factor) {
  return reinterpret_cast<Integers>(
      _mm256_mul_epu32(reinterpret_cast<__m256i>(x), _mm256_set1_epi64x(factor)));
}
Doubles fused(Doubles a, Doubles b, Doubles c) { return _mm256_fmadd_pd(a, b, c); }
Doubles square_root(Doubles x) { return _mm256_sqrt_pd(x); }
Doubles accumulate(Doubles a, Doubles b, Doubles sum) { return _mm256_fmadd_pd(a, b, sum); }
Floats accumulate(Floats a, Floats b, Floats sum) { return _mm256_fmadd_ps(a, b, sum); }

}  // namespace
}  // namespace nngpcheck::empirical

#include "nngpcheck/empirical/random/simd_loops.hpp"
//
#include "nngpcheck/empirical/random/simd_erf.hpp"

const nngpcheck::empirical::Simd nngpcheck::empirical::simd_avx2 = {
    "AVX2", normals<double>, normals<float>, multiply<double>, multiply<float>, combine, erf};
