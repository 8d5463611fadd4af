#include "netsor/width.hpp"

#include <limits>
#include <numeric>

#include "netsor/error.hpp"

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
    throw ProgramError("width " + text() + " is too large at n = " + std::to_string(n) + "; choose a smaller n");
  }
  return multiple * numerator_;
}

std::string Width::text() const {
  std::string result = numerator_ == 1 ? "n" : std::to_string(numerator_) + "n";
  if (denominator_ != 1) result.append("/").append(std::to_string(denominator_));
  return result;
}

}  // namespace nngpcheck::netsor
