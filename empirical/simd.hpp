// The inner loops of sampling, compiled once per instruction set and chosen at run time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nngpcheck::empirical {

/// A stream of Philox4x32-10: the key, and the upper half of the counter.
struct PhiloxStream {
  std::uint32_t key[2];
  std::uint32_t counter[2];
};

/// One instruction set's implementation. `normals` computes the same bits in all of them; the others
/// round differently in each.
struct Simd {
  const char* name;

  /// Writes 2·blocks numbers mean + deviation·z, rounded to the target's type. Block `first` + i of the
  /// stream is 128 bits; its lower half is a, its upper half b. With the integers a' = ⌊a/2^12⌋ and b' =
  /// ⌊b/2^12⌋,
  ///
  ///     u = 1 - a'/2^52 ∈ (0, 1],   v = (b'/2^52 - 1/2)/4 ∈ [-1/8, 1/8),   r = √(-2 log u),
  ///     s = sin 2πv,   c = (-1)^⌊b/2⌋ cos 2πv,
  ///
  /// z_{2i}, z_{2i+1} are r c, r s if b is even and r s, r c if it is odd: Box and Muller's method, the angle
  /// drawn as one of four quadrants and a place in it. |z| ≤ √(2·52 log 2) = 8.49.
  void (*normals)(PhiloxStream stream, std::uint64_t first, std::size_t blocks, double mean, double deviation,
                  double* target);
  void (*normals_float)(PhiloxStream stream, std::uint64_t first, std::size_t blocks, double mean,
                        double deviation, float* target);

  /// Y = W X for few columns: W is rows×inner, row by row; column j of X starts at x + j·x_stride, column j
  /// of Y at y + j·y_stride.
  void (*multiply)(const double* w, std::size_t rows, std::size_t inner, const double* x,
                   std::size_t x_stride, std::size_t columns, double* y, std::size_t y_stride);
  void (*multiply_float)(const float* w, std::size_t rows, std::size_t inner, const float* x,
                         std::size_t x_stride, std::size_t columns, float* y, std::size_t y_stride);

  /// y += Σ_i c_i r_i over `rows` rows r_i of W, rows×inner, row by row.
  void (*combine)(const double* w, std::size_t rows, std::size_t inner, const double* c, double* y);
};

extern const Simd simd_portable;
#ifdef __x86_64__
extern const Simd simd_avx2;
extern const Simd simd_avx512;
#endif

/// What this processor runs, best first; the last is simd_portable. Ends with a null pointer.
const Simd* const* simd_available();

/// The best of them.
const Simd& simd();

}  // namespace nngpcheck::empirical
