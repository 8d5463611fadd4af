#include "nngpcheck/compare/statistics/moments.hpp"

#include <utility>

namespace nngpcheck::compare {

void Moments::add(double value) {
  ++count_;
  const double difference = value - mean_;
  mean_ += difference / static_cast<double>(count_);
  squares_ += difference * (value - mean_);
}

VectorMoments::VectorMoments(std::int64_t count, Eigen::VectorXd mean, Eigen::VectorXd squares)
    : count_(count), mean_(std::move(mean)), squares_(std::move(squares)) {}

void VectorMoments::add(const Eigen::VectorXd& value) {
  if (count_ == 0) mean_ = squares_ = Eigen::VectorXd::Zero(value.size());
  ++count_;
  const Eigen::VectorXd difference = value - mean_;
  mean_ += difference / static_cast<double>(count_);
  squares_ += difference.cwiseProduct(value - mean_);
}

void VectorMoments::merge(const VectorMoments& other) {
  if (other.count_ == 0) return;
  if (count_ == 0) {
    *this = other;
    return;
  }
  const auto ours = static_cast<double>(count_), theirs = static_cast<double>(other.count_);
  const Eigen::VectorXd difference = other.mean_ - mean_;
  mean_ += difference * (theirs / (ours + theirs));
  squares_ += other.squares_ + difference.cwiseAbs2() * (ours * theirs / (ours + theirs));
  count_ += other.count_;
}

Eigen::VectorXd VectorMoments::standard_error() const {
  const auto count = static_cast<double>(count_);
  return (squares_ / (count * (count - 1))).cwiseSqrt();
}

}  // namespace nngpcheck::compare
