// A class of dimensions that tend to infinity together.
#pragma once

#include <cstdint>
#include <string>

namespace nngpcheck::netsor {

/// A fixed rational multiple of the base width n: n itself, 4n in a feed-forward block, n/8 in a head.
/// Kept in lowest terms, so two widths are the same class exactly when they compare equal.
class Width {
 public:
  /// The base width n.
  Width() = default;

  /// numerator·n/denominator. Throws ProgramError unless both are positive.
  explicit Width(std::int64_t numerator, std::int64_t denominator = 1);

  std::int64_t numerator() const { return numerator_; }
  std::int64_t denominator() const { return denominator_; }

  /// This width as a multiple of n.
  double ratio() const { return static_cast<double>(numerator_) / static_cast<double>(denominator_); }

  /// The number of coordinates at base width n. Throws ProgramError if n < 1 or the result is no
  /// 64-bit integer.
  std::int64_t at(std::int64_t n) const;

  /// The width of two bundles side by side. Throws ProgramError where it is no fraction of 64-bit integers.
  friend Width operator+(const Width& left, const Width& right);

  /// "n", "4n", "n/8", "3n/2".
  std::string text() const;

  friend bool operator==(const Width&, const Width&) = default;

 private:
  std::int64_t numerator_ = 1;
  std::int64_t denominator_ = 1;
};

/// The smallest positive multiple of both, for positive integers: base widths that are multiples of both
/// denominators are multiples of it. Throws ProgramError if it is no 64-bit integer.
std::int64_t common_multiple(std::int64_t left, std::int64_t right);

}  // namespace nngpcheck::netsor
