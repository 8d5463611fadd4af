#include "nngpcheck/netsor/width.hpp"

#include <limits>
#include <numeric>

#include "nngpcheck/netsor/error.hpp"

namespace nngpcheck::netsor {

Width::Width(std::int64_t numerator, std::int64_t denominator) {
  if (numerator < 1 || denominator < 1) {
    throw ProgramError("width " + std::to_string(numerator) + "n/" + std::to_string(denominator) +
                       ": a width is a positive multiple of n; give a positive numerator and denominator");
  }
  const std::int64_t divisor = std::gcd(numerator, denominator);
  numerator_ = numerator / divisor;
  denominator_ = denominator / divisor;
}

std::int64_t Width::at(std::int64_t n) const {
  if (n < 1) throw ProgramError("width n = " + std::to_string(n) + ": must be at least 1");
  if (n % denominator_ != 0) {
    throw ProgramError("width " + text() + " is not an integer at n = " + std::to_string(n) +
                       "; choose n divisible by " + std::to_string(denominator_));
  }
  const std::int64_t multiple = n / denominator_;
  if (multiple > std::numeric_limits<std::int64_t>::max() / numerator_) {
    throw ProgramError("width " + text() + " is too large at n = " + std::to_string(n) +
                       "; choose a smaller n");
  }
  return multiple * numerator_;
}

namespace {

// Products and sums of positive integers that may leave 64 bits: then `problem` is thrown.
std::int64_t product(std::int64_t left, std::int64_t right, const std::string& problem) {
  std::int64_t result = 0;
  if (__builtin_mul_overflow(left, right, &result)) throw ProgramError(problem);
  return result;
}
std::int64_t checked_sum(std::int64_t left, std::int64_t right, const std::string& problem) {
  std::int64_t result = 0;
  if (__builtin_add_overflow(left, right, &result)) throw ProgramError(problem);
  return result;
}

}  // namespace

std::int64_t common_multiple(std::int64_t left, std::int64_t right) {
  return product(left / std::gcd(left, right), right,
                 "widths with denominators " + std::to_string(left) + " and " + std::to_string(right) +
                     " are integers together at no base width n of 64 bits; choose denominators with a small "
                     "common multiple");
}

Width operator+(const Width& left, const Width& right) {
  const std::string problem = "widths " + left.text() + " and " + right.text() +
                              ": their sum is no fraction of 64-bit integers; choose widths with small "
                              "numerators and denominators";
  const std::int64_t denominator = common_multiple(left.denominator_, right.denominator_);
  const std::int64_t a = product(left.numerator_, denominator / left.denominator_, problem);
  const std::int64_t b = product(right.numerator_, denominator / right.denominator_, problem);
  return Width(checked_sum(a, b, problem), denominator);
}

std::string Width::text() const {
  std::string result = numerator_ == 1 ? "n" : std::to_string(numerator_) + "n";
  if (denominator_ != 1) result.append("/").append(std::to_string(denominator_));
  return result;
}

}  // namespace nngpcheck::netsor
