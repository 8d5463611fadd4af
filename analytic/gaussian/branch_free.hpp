// Arithmetic without branches and calls, which compilers turn into vector instructions in loops over entries.
#pragma once

#include <cmath>
#include <numbers>

namespace nngpcheck::analytic {

/// max(x, 0), which compilers leave whole where they would take a root of either argument in a branch of its
/// own.
inline double positive_part(double x) { return 0.5 * (x + std::abs(x)); }

/// a·b - product, exactly, where product is a·b rounded (Dekker 1971); 0 where nothing under- or overflows
/// and the product is exact. A fused instruction would do the same where the machine has one.
inline double product_error(double a, double b, double product) {
  constexpr double split = 134217729;  // 2^27 + 1
  const double a_split = split * a, b_split = split * b;
  const double a_high = a_split - (a_split - a), b_high = b_split - (b_split - b);
  const double a_low = a - a_high, b_low = b - b_high;
  return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
}

/// ab - c² to full relative accuracy.
inline double determinant(double a, double b, double c) {
  const double product = a * b;
  const double square = c * c;
  return (product - square) + (product_error(a, b, product) - product_error(c, c, square));
}

/// atan2(y, x), not both 0, to 2 ε: of the smaller by the larger argument, taken to |q| ≤ tan(π/8), where
/// atan(q) = q + q z p(z), z = q², p of degree 10 with a relative error of 1e-17 (Chebyshev interpolation).
inline double arctangent(double y, double x) {
  using std::numbers::pi;
  const double ay = std::abs(y), ax = std::abs(x);
  const bool steep = ay > ax;
  const double smaller = steep ? ax : ay, larger = steep ? ay : ax;
  const bool far = smaller > 0.41421356237309503 * larger;
  const double q = (far ? smaller - larger : smaller) / (far ? smaller + larger : larger);
  const double z = q * q;
  double p = -0.019176887119047435;
  p = p * z + 0.03923165829557509;
  p = p * z - 0.05085449737939841;
  p = p * z + 0.058581489128021295;
  p = p * z - 0.06664511447381939;
  p = p * z + 0.07692183190826087;
  p = p * z - 0.09090904578123901;
  p = p * z + 0.11111111015256361;
  p = p * z - 0.14285714284666542;
  p = p * z + 0.1999999999999552;
  p = p * z - 0.3333333333333333;
  const double near_axis = q + q * (z * p);
  const double octant = far ? near_axis + pi / 4 : near_axis;
  const double quadrant = steep ? pi / 2 - octant : octant;
  const double angle = x < 0 ? pi - quadrant : quadrant;
  return y < 0 ? -angle : angle;
}

}  // namespace nngpcheck::analytic
