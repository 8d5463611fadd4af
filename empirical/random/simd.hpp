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

/// Rows of a matrix, `stride` numbers apart.
template <class T>
struct Rows {
  T* first;
  std::size_t stride;
  std::size_t count;

  T* row(std::size_t i) const { return first + i * stride; }
  operator Rows<const T>() const { return {first, stride, count}; }
};

/// One instruction set's implementation. `normals` and `erf` compute the same bits in all; the others
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

  /// y_j[i] += w_i · x_j over vectors of length `inner`.
  void (*multiply)(Rows<const double> w, Rows<const double> x, std::size_t inner, Rows<double> y);
  void (*multiply_float)(Rows<const float> w, Rows<const float> x, std::size_t inner, Rows<float> y);

  /// y_j += Σ_k c_j[k] b_k over vectors of length `inner`.
  void (*combine)(Rows<const double> c, Rows<const double> b, std::size_t inner, Rows<double> y);

  /// y_i = shift + scale·erf(x_i), erf to 4e-16 of itself; the same bits in all, and wherever i is. x = y is
  /// fine.
  void (*erf)(const double* x, std::size_t size, double scale, double shift, double* y);
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
