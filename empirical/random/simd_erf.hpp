// The error function, over the vectors of the including leaf file; after simd_loops.hpp.
#pragma once

namespace nngpcheck::empirical {
namespace {

// Near-minimax polynomials, leading coefficient first, from simd_coefficients.py.
constexpr double erf_quotient[] = {  // erf(x)/x, z = x² ≤ 1, to 8e-18
    -7.795898827002142e-10, 1.3720064546777686e-08, -1.6208483801871705e-07, 1.6447424703317362e-06,
    -1.492473690741966e-05, 0.00012055294904839707, -0.0008548325975389692,  0.0052239776071164225,
    -0.02686617064323777,   0.11283791670945006,    -0.37612638903183543,    1.1283791670955126};
constexpr double scaled_erfc[] = {  // e^(x²) erfc(x), t = (x - 3)/(x + 3), 1 ≤ x ≤ 6, to 6e-18
    3.381355142042904e-09,   1.2755818949624478e-06, 2.0135111426447427e-06, -8.00978093907608e-06,
    -1.2845780030775907e-05, 6.406279226046039e-05,  4.525434558991009e-05,  -0.0005970624964924544,
    0.0007077464666941425,   0.004269136356961225,   -0.024392499318915004,  0.07166583719747308,
    -0.15011593650077898,    0.24560380171233487,    -0.3262335600430372,    0.17900115118138996};
constexpr double exponential[] = {  // e^r, |r| ≤ log(2)/2, to 3e-16
    2.7626357241447223e-07,
    2.764018079620985e-06,
    2.4801504346997686e-05,
    0.00019841170270440067,
    0.0013888888932488599,
    0.008333333385667782,
    0.04166666666657314,
    0.16666666666554406,
    0.5000000000000006,
    1.0000000000000067,
    1.0};

constexpr double erf_is_one = 6;  // erf(6) = 1 - 2e-17
constexpr std::uint64_t sign_bit = 0x8000000000000000;

// e^-y for 0 ≤ y ≤ 36: e^r 2^k.
[[gnu::always_inline]] inline Doubles exp_negative(Doubles y) {
  constexpr double to_integer = 0x1.8p52;  // added, leaves the nearest integer in the lowest bits
  const Doubles shifted = fused(y, all(-0x1.71547652b82fep0), all(to_integer));
  const Doubles k = shifted - to_integer;
  const Doubles r = fused(k, all(-log2_low), fused(k, all(-log2_high), -y));
  return number(bits(polynomial(exponential, r)) + (bits(shifted) << 52));
}

[[gnu::always_inline]] inline Doubles erf_of(Doubles x) {
  const Integers sign = bits(x) & sign_bit;
  const Doubles absolute = number(bits(x) ^ sign);
  const Doubles a = absolute > all(erf_is_one) ? all(erf_is_one) : absolute;
  const Doubles square = a * a;
  const Doubles small = a * polynomial(erf_quotient, square);
  const Doubles t = (a - 3.0) / (a + 3.0);
  const Doubles large = 1.0 - exp_negative(square) * polynomial(scaled_erfc, t);
  return number(bits(a < all(1.0) ? small : large) | sign);
}

void erf(const double* x, std::size_t size, double scale, double shift, double* y) {
  const auto apply = [&](const double* from, double* to) {
    Doubles values;
    __builtin_memcpy(&values, from, sizeof(values));
    store(fused(all(scale), erf_of(values), all(shift)), to);
  };
  std::size_t i = 0;
  for (; i + lanes <= size; i += lanes) apply(x + i, y + i);
  if (i == size) return;
  double rest[lanes] = {};
  __builtin_memcpy(rest, x + i, (size - i) * sizeof(double));
  apply(rest, rest);
  __builtin_memcpy(y + i, rest, (size - i) * sizeof(double));
}

}  // namespace
}  // namespace nngpcheck::empirical
