#include "nngpcheck/empirical/exact/gram_schmidt.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

namespace nngpcheck::empirical {

namespace {

constexpr std::size_t block = 1024;  // of vectors that stay in the innermost cache

}  // namespace

double GramSchmidt::storage_size(std::int64_t dimension, std::int64_t uses) {
  return static_cast<double>(dimension) * static_cast<double>(std::min(uses, dimension) + 1);
}

GramSchmidt::GramSchmidt(double* storage, std::int64_t dimension, std::int64_t uses, const Rules& rules)
    : storage_(storage), dimension_(dimension), capacity_(std::min(uses, dimension)), rules_(rules) {
  const auto size = static_cast<std::size_t>(capacity_);
  coordinates_.reserve(size);
  negative_.reserve(size);
  next_.reserve(size);
}

Rows<double> GramSchmidt::basis() const {
  return {storage_, static_cast<std::size_t>(dimension_), static_cast<std::size_t>(rank_)};
}

// to = from - Σ c_i q_i; next_ becomes Qᵀto. Returns ‖to‖.
double GramSchmidt::project(const double* from, const double* coefficients, double* to) {
  const Rows<double> q = basis();
  const auto n = static_cast<std::size_t>(dimension_);
  negative_.assign(coefficients, coefficients + q.count);
  for (double& c : negative_) c = -c;
  next_.assign(q.count, 0.0);
  double square = 0;
  for (std::size_t begin = 0; begin < n; begin += block) {
    const std::size_t size = std::min(block, n - begin);
    const Rows<double> part{q.first + begin, q.stride, q.count};
    const Rows<double> here{to + begin, size, 1};
    if (to != from) std::copy_n(from + begin, size, here.first);
    simd().combine({negative_.data(), q.count, 1}, part, size, here);
    simd().multiply(part, here, size, {next_.data(), q.count, 1});
    simd().multiply(here, here, size, {&square, 1, 1});
  }
  return std::sqrt(square);
}

const std::vector<double>& GramSchmidt::coordinates(const double* x) {
  const auto k = static_cast<std::size_t>(rank_);
  double* remainder = storage_ + rank_ * dimension_;  // becomes the next q
  coordinates_.assign(k, 0.0);
  const double size = project(x, coordinates_.data(), remainder);
  double left = size;
  for (double before = std::numeric_limits<double>::max();
       k > 0 && left > rules_.negligible * size && left <= rules_.enough * before;) {
    for (std::size_t i = 0; i < k; ++i) coordinates_[i] += next_[i];
    before = left;
    const std::vector<double> step = next_;
    left = project(remainder, step.data(), remainder);
  }
  if (left <= rules_.negligible * size || rank_ == dimension_) return coordinates_;
  assert(rank_ < capacity_);
  for (std::int64_t i = 0; i < dimension_; ++i) remainder[i] /= left;
  ++rank_;
  coordinates_.push_back(left);
  return coordinates_;
}

}  // namespace nngpcheck::empirical
