#include "nngpcheck/import/growth.hpp"

#include <fmt/format.h>

#include <cmath>
#include <tuple>

#include "nngpcheck/netsor/error.hpp"
#include "nngpcheck/support/spelling.hpp"

namespace nngpcheck::importer {

namespace {

constexpr double rounding = 1e-9;

bool near(double left, double right) {
  return std::abs(left - right) <= rounding * std::max(std::abs(left), std::abs(right));
}

/// The number of few digits that this one was before it was rounded, if there is one.
double plain(double value) {
  const double few = std::stod(fmt::format("{:.11g}", value));
  return std::abs(few - value) <= 1e-14 * std::abs(value) ? few : value;
}

/// Whether the values are affine in 1/n; then what they are at 1/n = 0.
std::optional<double> extrapolated(const Values& values, const Size& n) {
  const auto x = [&](std::size_t i) { return 1 / static_cast<double>(n[i]); };
  const double slope = (values[2] - values[0]) / (x(2) - x(0));
  const double at_zero = values[0] - slope * x(0);
  if (!near(at_zero + slope * x(1), values[1]) || !(at_zero > rounding * std::abs(values[0]))) return {};
  return at_zero;
}

}  // namespace

Values operator*(const Values& left, const Values& right) {
  return {left[0] * right[0], left[1] * right[1], left[2] * right[2]};
}

Values operator/(const Values& left, const Values& right) {
  return {left[0] / right[0], left[1] / right[1], left[2] / right[2]};
}

Values operator+(const Values& left, const Values& right) {
  return {left[0] + right[0], left[1] + right[1], left[2] + right[2]};
}

Values values_of(const Size& size) {
  return {static_cast<double>(size[0]), static_cast<double>(size[1]), static_cast<double>(size[2])};
}

std::optional<Growth> growth(const Values& values, const Size& n) {
  if (all_zero(values)) return Growth{};
  if (near(values[0], values[1]) && near(values[1], values[2])) return Growth{0, plain(values[0])};
  for (int quarter = -16; quarter <= 16; ++quarter) {
    const double power = quarter / 4.0;
    Values rest = values;
    for (std::size_t i = 0; i < width_count; ++i) rest[i] /= std::pow(static_cast<double>(n[i]), power);
    if (near(rest[0], rest[1]) && near(rest[1], rest[2])) return Growth{power, plain(rest[0])};
  }
  const double sign = values[2] < 0 ? -1 : 1;
  for (int quarter = -16; quarter <= 16; ++quarter) {
    const double power = quarter / 4.0;
    Values squares;
    for (std::size_t i = 0; i < width_count; ++i)
      squares[i] = values[i] * values[i] / std::pow(static_cast<double>(n[i]), 2 * power);
    const Values plain = {std::sqrt(squares[0]), std::sqrt(squares[1]), std::sqrt(squares[2])};
    const Values one = constant_values(1);
    if (const auto limit = extrapolated(one / squares, n)) return Growth{power, sign / std::sqrt(*limit)};
    if (const auto limit = extrapolated(squares, n)) return Growth{power, sign * std::sqrt(*limit)};
    if (const auto limit = extrapolated(plain, n)) return Growth{power, sign * *limit};
    if (const auto limit = extrapolated(one / plain, n)) return Growth{power, sign / *limit};
  }
  return {};
}

netsor::Width width_of(const Size& size, const Size& n) {
  const double slope = static_cast<double>(size[2] - size[0]) / static_cast<double>(n[2] - n[0]);
  // Proportional to n, affine, or else rounded.
  for (const auto& [most_offset, most_spread, most_denominator] :
       {std::tuple(1e-9, 1e-9, 64), std::tuple(1e9, 1e-9, 8), std::tuple(1e9, 1.0, 64)}) {
    for (std::int64_t denominator = 1; denominator <= most_denominator; ++denominator) {
      const auto numerator =
          static_cast<std::int64_t>(std::llround(slope * static_cast<double>(denominator)));
      if (numerator < 1) continue;
      std::array<double, width_count> rest{};
      for (std::size_t i = 0; i < width_count; ++i) {
        rest[i] = static_cast<double>(size[i]) -
                  static_cast<double>(numerator * n[i]) / static_cast<double>(denominator);
      }
      const auto [least, most] = std::minmax({rest[0], rest[1], rest[2]});
      if (most - least < most_spread && std::abs(rest[0]) < most_offset)
        return netsor::Width(numerator, denominator);
    }
  }
  throw netsor::ProgramError("an axis of " + text(size, n) + " entries is no multiple of n");
}

std::string text(const Size& size, const Size& n) {
  if (is_constant(size)) return std::to_string(size[0]);
  const std::int64_t step = n[1] - n[0];
  for (std::int64_t denominator = 1; denominator <= 64; ++denominator) {
    const std::int64_t rise = (size[1] - size[0]) * denominator;
    if (rise <= 0 || rise % step != 0) continue;
    const std::int64_t numerator = rise / step;
    const std::int64_t offset = size[0] * denominator - numerator * n[0];
    if (offset % denominator != 0) continue;
    if (size[2] * denominator != numerator * n[2] + offset) break;
    const std::string width = netsor::Width(numerator, denominator).text();
    const std::int64_t rest = offset / denominator;
    return rest == 0 ? width : width + (rest > 0 ? "+" : "") + std::to_string(rest);
  }
  return std::to_string(size[0]) + ", " + std::to_string(size[1]) + ", " + std::to_string(size[2]);
}

}  // namespace nngpcheck::importer
