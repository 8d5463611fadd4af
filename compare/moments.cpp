#include "compare/moments.hpp"

namespace nngpcheck::compare {

void Moments::add(double value) {
  ++count_;
  const double difference = value - mean_;
  mean_ += difference / static_cast<double>(count_);
  squares_ += difference * (value - mean_);
}

}  // namespace nngpcheck::compare
