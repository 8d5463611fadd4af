#pragma once

#include <cstdint>

namespace nngpcheck::compare {

/// Mean and variance of numbers as they arrive, by Welford's recurrence: stable also where the mean is much
/// larger than the spread.
class Moments {
 public:
  void add(double value);

  std::int64_t count() const { return count_; }
  double mean() const { return mean_; }
  /// Unbiased: Σ(x - mean)²/(count - 1). Precondition: count() ≥ 2.
  double variance() const { return squares_ / static_cast<double>(count_ - 1); }

 private:
  std::int64_t count_ = 0;
  double mean_ = 0;
  double squares_ = 0;
};

}  // namespace nngpcheck::compare
