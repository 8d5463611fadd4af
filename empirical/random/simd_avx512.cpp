// Compiled for AVX-512 F and DQ: nothing here may be shared with code that runs without them.
#include <immintrin.h>

#include "nngpcheck/empirical/random/simd_vectors.hpp"

namespace nngpcheck::empirical {
namespace {

using Integers = Vectors<64>::Integers;
using Doubles = Vectors<64>::Doubles;
using Floats = Vectors<64>::Floats;

// The forms with a mask of ones avoid a false warning in GCC 12's header (its bug 105593); the code is the
// same.
Integers widening_product(Integers x, std::uint32_t factor) {
  return reinterpret_cast<Integers>(
      _mm512_maskz_mul_epu32(0xff, reinterpret_cast<__m512i>(x), _mm512_set1_epi64(factor)));
}
Doubles fused(Doubles a, Doubles b, Doubles c) { return _mm512_fmadd_pd(a, b, c); }
Doubles square_root(Doubles x) { return _mm512_maskz_sqrt_pd(0xff, x); }
Doubles accumulate(Doubles a, Doubles b, Doubles sum) { return _mm512_fmadd_pd(a, b, sum); }
Floats accumulate(Floats a, Floats b, Floats sum) { return _mm512_fmadd_ps(a, b, sum); }

}  // namespace
}  // namespace nngpcheck::empirical

#include "nngpcheck/empirical/random/simd_loops.hpp"
//
#include "nngpcheck/empirical/random/simd_erf.hpp"

const nngpcheck::empirical::Simd nngpcheck::empirical::simd_avx512 = {
    "AVX-512", normals<double>, normals<float>, multiply<double>, multiply<float>, combine, erf};
