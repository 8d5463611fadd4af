#pragma once

#include <Eigen/Core>
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

/// The same for vectors, entry by entry; the moments of parts may be merged.
class VectorMoments {
 public:
  VectorMoments() = default;
  /// Moments taken down earlier: of `count` vectors, `squares` being Σ(x - mean)².
  VectorMoments(std::int64_t count, Eigen::VectorXd mean, Eigen::VectorXd squares);

  /// Precondition: all vectors are of one size.
  void add(const Eigen::VectorXd& value);
  /// Those of all vectors in both (Chan, Golub and LeVeque 1983). Equal up to rounding to adding them one by
  /// one; to the bit, what comes out depends on how the vectors are grouped.
  void merge(const VectorMoments& other);

  std::int64_t count() const { return count_; }
  const Eigen::VectorXd& mean() const { return mean_; }
  const Eigen::VectorXd& squares() const { return squares_; }
  /// √(variance/count), the variance unbiased. Precondition: count() ≥ 2.
  Eigen::VectorXd standard_error() const;

 private:
  std::int64_t count_ = 0;
  Eigen::VectorXd mean_;
  Eigen::VectorXd squares_;
};

}  // namespace nngpcheck::compare
