// Private to netsor/: intervals that enclose what a function takes on an interval, and its slope.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <initializer_list>
#include <limits>

namespace nngpcheck::netsor {

/// All numbers from low to high; none if not low <= high.
struct Interval {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  static Interval point(double x) { return {x, x}; }
  static Interval line() {
    return {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
  }

  bool empty() const { return !(low <= high); }
  bool is_zero() const { return low == 0 && high == 0; }
};

/// From the least to the greatest, by some units in the last place wider; the whole line if one is NaN, which
/// is how ∞ - ∞ and the like end.
inline Interval hull(std::initializer_list<double> values) {
  constexpr double slack = 8 * std::numeric_limits<double>::epsilon();
  Interval result;
  for (const double value : values) {
    if (std::isnan(value)) return Interval::line();
    result.low = std::min(result.low, value);
    result.high = std::max(result.high, value);
  }
  return {result.low - slack * std::abs(result.low), result.high + slack * std::abs(result.high)};
}

inline Interval operator-(Interval a) { return {-a.high, -a.low}; }
inline Interval operator+(Interval a, Interval b) { return hull({a.low + b.low, a.high + b.high}); }
inline Interval operator-(Interval a, Interval b) { return a + -b; }

inline Interval operator*(Interval a, Interval b) {
  if (a.is_zero() || b.is_zero()) return Interval::point(0);
  return hull({a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high});
}

/// The whole line if 0 is inside b; an end of b may be 0.
inline Interval operator/(Interval a, Interval b) {
  if (b.low < 0 && b.high > 0) return Interval::line();
  if (b.is_zero()) return Interval::line();
  const double infinity = std::numeric_limits<double>::infinity();
  const Interval inverse = b.low >= 0 ? Interval{1 / b.high, b.low == 0 ? infinity : 1 / b.low}
                                      : Interval{b.high == 0 ? -infinity : 1 / b.high, 1 / b.low};
  return a * inverse;
}

inline Interval clamp(Interval a, double low, double high) {
  return {std::clamp(a.low, low, high), std::clamp(a.high, low, high)};
}

/// Of a monotone function.
inline Interval monotone(double (*f)(double), Interval a) { return hull({f(a.low), f(a.high)}); }

/// Of a function that falls up to 0 and rises from there, or the reverse.
inline Interval even(double (*f)(double), Interval a) {
  return a.low < 0 && a.high > 0 ? hull({f(a.low), f(0.0), f(a.high)}) : monotone(f, a);
}

/// sin(a + quarters π/2).
inline Interval sine(Interval a, int quarters) {
  constexpr double half_turn = 3.141592653589793;
  if (!(a.high - a.low < 2 * half_turn)) return {-1, 1};
  const double shift = quarters * half_turn / 2;
  const auto crest = [&](double at) {  // whether a + shift holds at + 2πk, or nearly
    constexpr double slack = 1e-14;
    const double first = std::ceil((a.low + shift - at) / (2 * half_turn) - slack * (1 + std::abs(a.low)));
    return at + 2 * half_turn * first <= a.high + shift + slack * (1 + std::abs(a.high));
  };
  const auto f = [&](double x) { return quarters % 2 == 0 ? std::sin(x) : std::cos(x); };
  Interval result = hull({f(a.low), f(a.high)});
  if (crest(half_turn / 2)) result.high = 1;
  if (crest(-half_turn / 2)) result.low = -1;
  return result;
}

}  // namespace nngpcheck::netsor
