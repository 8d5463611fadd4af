// Runs everywhere: vectors of 16 bytes, which compilers split where there are none.
#include "nngpcheck/empirical/random/simd_vectors.hpp"

namespace nngpcheck::empirical {
namespace {

using Integers = Vectors<16>::Integers;
using Doubles = Vectors<16>::Doubles;
using Floats = Vectors<16>::Floats;

Integers widening_product(Integers x, std::uint32_t factor) {
  return (x & 0xffffffffU) * std::uint64_t{factor};
}
Doubles fused(Doubles a, Doubles b, Doubles c) {
  return Doubles{__builtin_fma(a[0], b[0], c[0]), __builtin_fma(a[1], b[1], c[1])};
}
Doubles square_root(Doubles x) { return Doubles{__builtin_sqrt(x[0]), __builtin_sqrt(x[1])}; }
Doubles accumulate(Doubles a, Doubles b, Doubles sum) { return a * b + sum; }
Floats accumulate(Floats a, Floats b, Floats sum) { return a * b + sum; }

}  // namespace
}  // namespace nngpcheck::empirical

#include "nngpcheck/empirical/random/simd_loops.hpp"
//
#include "nngpcheck/empirical/random/simd_erf.hpp"

const nngpcheck::empirical::Simd nngpcheck::empirical::simd_portable = {
    "portable", normals<double>, normals<float>, multiply<double>, multiply<float>, combine, erf};
