// The loops of simd.hpp over whatever vectors the including leaf file has defined: Integers, Doubles, Floats,
// widening_product, fused, square_root, accumulate. Products and sums of `normals` are written out or fused
// explicitly, and the leaf files are compiled without contraction, so that every instruction set rounds
// alike.
#pragma once

namespace nngpcheck::empirical {
namespace {

constexpr std::size_t lanes = sizeof(Doubles) / sizeof(double);

// Near-minimax polynomials in z, leading coefficient first, from normals_coefficients.py.
constexpr double sine[] = {  // sin(2πv)/v, z = v² ≤ 1/64, to 3e-18 relative
    3.7808689593022957, -15.093804209987114, 42.058685020160894, -76.70585970427454,
    81.60524927594804,  -41.341702240399634, 6.283185307179586};
constexpr double cosine[] = {  // (cos(2πv) - 1)/v², z = v² ≤ 1/64, to 1e-19 of the cosine
    -1.6990343940660637, 7.903206911569678, -26.426253275854723, 60.24464135270201,
    -85.4568172066438,   64.93939402266824, -19.739208802178716};
constexpr double logarithm[] = {  // (log((1+s)/(1-s)) - 2s)/s³, z = s² ≤ (√2-1)⁴, to 5e-18 of the logarithm
    0.14616449685043406, 0.15331721600556042, 0.18182889125261723, 0.2222221113479508,
    0.28571428625975487, 0.39999999999899505, 0.666666666666667};
// log 2 in two parts; the first times an integer below 2^11 is exact.
constexpr double log2_high = 0x1.62e42fefa3800p-1;
constexpr double log2_low = 0x1.ef35793c76730p-45;

constexpr std::uint64_t one_bits = 0x3ff0000000000000;        // of 1.0
constexpr std::uint64_t root_half_bits = 0x3fe6a09e667f3bcd;  // of √½
constexpr std::uint64_t mantissa_bits = 0x000fffffffffffff;

Doubles all(double x) { return x - Doubles{}; }  // x + 0 would cost an addition: it may change a sign
Integers bits(Doubles x) { return reinterpret_cast<Integers>(x); }
Doubles number(Integers x) { return reinterpret_cast<Doubles>(x); }

template <std::size_t size>
Doubles polynomial(const double (&coefficients)[size], Doubles z) {
  Doubles result = all(coefficients[0]);
#pragma GCC unroll 16
  for (std::size_t k = 1; k < size; ++k) result = fused(result, z, all(coefficients[k]));
  return result;
}

// log u = e log 2 + log m, m ∈ [√½, √2); log m = f - f²/2 + s (f²/2 + s² p(s²)) with f = m - 1, s = f/(2 +
// f).
[[gnu::always_inline]] inline Doubles log_positive(Doubles u) {
  const Integers shifted = bits(u) + (one_bits - root_half_bits);
  const Doubles e = number((shifted >> 52) | 0x4330000000000000) - (0x1p52 + 1023);
  const Doubles f = number((shifted & mantissa_bits) + root_half_bits) - 1.0;
  const Doubles s = f / (2.0 + f);
  const Doubles z = s * s;
  const Doubles half_square = 0.5 * f * f;
  const Doubles tail = s * (half_square + z * polynomial(logarithm, z));
  return fused(e, all(log2_high), f - (half_square - fused(e, all(log2_low), tail)));
}

struct Bits {
  Integers low, high;
};

// Philox4x32-10 (Salmon et al. 2011); only the lower halves of x0 and x2 count until the end.
[[gnu::always_inline]] inline Bits philox(PhiloxStream stream, Integers counter) {
  Integers x0 = counter;
  Integers x1 = counter >> 32;
  Integers x2 = Integers{} + stream.counter[0];
  Integers x3 = Integers{} + stream.counter[1];
  std::uint32_t key0 = stream.key[0];
  std::uint32_t key1 = stream.key[1];
#pragma GCC unroll 10
  for (int round = 0; round < 10; ++round) {
    const Integers p = widening_product(x0, 0xD2511F53);
    const Integers q = widening_product(x2, 0xCD9E8D57);
    x0 = (q >> 32) ^ x1 ^ key0;
    x1 = q;
    x2 = (p >> 32) ^ x3 ^ key1;
    x3 = p;
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  return {(x0 & 0xffffffff) | (x1 << 32), (x2 & 0xffffffff) | (x3 << 32)};
}

struct Pair {
  Doubles first, second;
};

[[gnu::always_inline]] inline Pair box_muller(Bits random, Doubles mean, Doubles deviation) {
  const Doubles u = 2.0 - number((random.low >> 12) | one_bits);
  const Doubles v = 0.25 * (number((random.high >> 12) | one_bits) - 1.5);
  const Doubles r = deviation * square_root(-2.0 * log_positive(u));
  const Doubles z = v * v;
  const Integers s = bits(v * polynomial(sine, z));
  const Integers c = bits(fused(z, polynomial(cosine, z), all(1.0))) ^ ((random.high & 2) << 62);
  const Integers swap = (c ^ s) & -(random.high & 1);
  return {fused(r, number(c ^ swap), mean), fused(r, number(s ^ swap), mean)};
}

void store(Doubles values, double* target) { __builtin_memcpy(target, &values, sizeof(values)); }
void store(Doubles values, float* target) {
  typedef float Rounded __attribute__((vector_size(sizeof(Doubles) / 2)));
  const Rounded rounded = __builtin_convertvector(values, Rounded);
  __builtin_memcpy(target, &rounded, sizeof(rounded));
}

template <class T>
void normals(PhiloxStream stream, std::uint64_t first, std::size_t blocks, double mean, double deviation,
             T* target) {
  Integers lane{};
  Integers lower{};  // interleaves two vectors: their lower halves, their upper halves
  for (std::size_t l = 0; l < lanes; ++l) {
    lane[l] = l;
    lower[l] = l % 2 * lanes + l / 2;
  }
  for (std::size_t block = 0; block < blocks; block += lanes) {
    const Pair pair = box_muller(philox(stream, first + block + lane), all(mean), all(deviation));
    const Doubles begin = __builtin_shuffle(pair.first, pair.second, lower);
    const Doubles end = __builtin_shuffle(pair.first, pair.second, lower + lanes / 2);
    if (blocks - block >= lanes) {
      store(begin, target + 2 * block);
      store(end, target + 2 * block + lanes);
    } else {
      T buffer[2 * lanes];
      store(begin, buffer);
      store(end, buffer + lanes);
      __builtin_memcpy(target + 2 * block, buffer, 2 * (blocks - block) * sizeof(T));
    }
  }
}

template <class T>
struct VectorOf;
template <>
struct VectorOf<double> {
  using Type = Doubles;
};
template <>
struct VectorOf<float> {
  using Type = Floats;
};

// R rows of W by C rows of X.
template <std::size_t R, std::size_t C, class T>
void dot_tile(Rows<const T> w, Rows<const T> x, std::size_t inner, Rows<T> y, std::size_t column) {
  using Vector = typename VectorOf<T>::Type;
  constexpr std::size_t step = sizeof(Vector) / sizeof(T);
  Vector sum[R][C] = {};
  std::size_t k = 0;
  for (; k + step <= inner; k += step) {
    Vector right[C];
    for (std::size_t j = 0; j < C; ++j) __builtin_memcpy(&right[j], x.row(j) + k, sizeof(Vector));
    for (std::size_t i = 0; i < R; ++i) {
      Vector left;
      __builtin_memcpy(&left, w.row(i) + k, sizeof(Vector));
      for (std::size_t j = 0; j < C; ++j) sum[i][j] = accumulate(left, right[j], sum[i][j]);
    }
  }
  for (std::size_t i = 0; i < R; ++i) {
    for (std::size_t j = 0; j < C; ++j) {
      T total = 0;
      for (std::size_t l = 0; l < step; ++l) total += sum[i][j][l];
      for (std::size_t rest = k; rest < inner; ++rest) total += w.row(i)[rest] * x.row(j)[rest];
      y.row(j)[column + i] += total;
    }
  }
}

template <class T>
Rows<T> from(Rows<T> rows, std::size_t i) {
  return {rows.row(i), rows.stride, rows.count - i};
}

// The sums of a tile, a vector of each of its columns and one of a row fit the registers: 32 with AVX-512,
// else 16.
constexpr std::size_t tile_rows = 4;
constexpr std::size_t tile_columns = sizeof(Doubles) == 64 ? 4 : 3;

template <std::size_t R, std::size_t C, class T>
void dots(Rows<const T> w, Rows<const T> x, std::size_t inner, Rows<T> y, std::size_t column) {
  std::size_t j = 0;
  for (; j + C <= x.count; j += C) dot_tile<R, C>(w, from(x, j), inner, from(y, j), column);
  if constexpr (C > 1) {
    if (j < x.count) dots<R, C - 1>(w, from(x, j), inner, from(y, j), column);
  }
}

template <class T>
void multiply(Rows<const T> w, Rows<const T> x, std::size_t inner, Rows<T> y) {
  std::size_t i = 0;
  for (; i + tile_rows <= w.count; i += tile_rows) dots<tile_rows, tile_columns>(from(w, i), x, inner, y, i);
  for (; i < w.count; ++i) dots<1, tile_columns>(from(w, i), x, inner, y, i);
}

Doubles load(const double* from) {
  Doubles result;
  __builtin_memcpy(&result, from, sizeof(result));
  return result;
}

// J rows of Y, V vectors of each at a time.
template <std::size_t J, std::size_t V>
std::size_t combine_vectors(Rows<const double> c, Rows<const double> b, std::size_t begin, std::size_t end,
                            Rows<double> y) {
  std::size_t position = begin;
  for (; position + V * lanes <= end; position += V * lanes) {
    Doubles sum[J][V];
#pragma GCC unroll 8
    for (std::size_t j = 0; j < J; ++j) {
#pragma GCC unroll 8
      for (std::size_t v = 0; v < V; ++v) sum[j][v] = load(y.row(j) + position + v * lanes);
    }
    for (std::size_t k = 0; k < b.count; ++k) {
      const double* from = b.row(k) + position;
#pragma GCC unroll 8
      for (std::size_t v = 0; v < V; ++v) {
        const Doubles row = load(from + v * lanes);
#pragma GCC unroll 8
        for (std::size_t j = 0; j < J; ++j) sum[j][v] = accumulate(row, all(c.row(j)[k]), sum[j][v]);
      }
    }
#pragma GCC unroll 8
    for (std::size_t j = 0; j < J; ++j) {
#pragma GCC unroll 8
      for (std::size_t v = 0; v < V; ++v) store(sum[j][v], y.row(j) + position + v * lanes);
    }
  }
  return position;
}

template <std::size_t J, std::size_t V>
void combine_rows(Rows<const double> c, Rows<const double> b, std::size_t inner, Rows<double> y) {
  std::size_t position = combine_vectors<J, V>(c, b, 0, inner, y);
  position = combine_vectors<J, 1>(c, b, position, inner, y);
  for (; position < inner; ++position) {
    for (std::size_t j = 0; j < J; ++j) {
      for (std::size_t k = 0; k < b.count; ++k) y.row(j)[position] += c.row(j)[k] * b.row(k)[position];
    }
  }
}

void combine(Rows<const double> c, Rows<const double> b, std::size_t inner, Rows<double> y) {
  std::size_t j = 0;
  for (; j + 4 <= c.count; j += 4) combine_rows<4, 2>(from(c, j), b, inner, from(y, j));
  if (j + 2 <= c.count) {
    combine_rows<2, 4>(from(c, j), b, inner, from(y, j));
    j += 2;
  }
  if (j < c.count) combine_rows<1, 4>(from(c, j), b, inner, from(y, j));
}

}  // namespace
}  // namespace nngpcheck::empirical
