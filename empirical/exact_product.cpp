#include "empirical/exact_product.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

namespace nngpcheck::empirical {

namespace {

constexpr double negligible = 64 * std::numeric_limits<double>::epsilon();

double norm(const double* x, std::int64_t size) {
  const auto n = static_cast<std::size_t>(size);
  double square = 0;
  simd().multiply(x, 1, n, x, n, 1, &square, 1);
  return std::sqrt(square);
}

}  // namespace

std::int64_t ExactProduct::storage_size(std::int64_t rows, std::int64_t columns, std::int64_t uses) {
  return std::min(uses, columns) * (rows + columns) + columns;
}

ExactProduct::ExactProduct(double* storage, std::int64_t rows, std::int64_t columns, std::int64_t uses,
                           NormalStream stream, double deviation)
    : rows_(rows),
      columns_(columns),
      capacity_(std::min(uses, columns)),
      stream_(stream),
      deviation_(deviation),
      coefficients_(static_cast<std::size_t>(capacity_)),
      correction_(static_cast<std::size_t>(capacity_)) {
  basis_ = storage;  // with room for one remainder behind the last vector
  images_ = storage + (capacity_ + 1) * columns;
}

void ExactProduct::apply(const double* x, double* y) {
  const auto n = static_cast<std::size_t>(columns_);
  const auto k = static_cast<std::size_t>(rank_);
  double* remainder = basis_ + rank_ * columns_;  // becomes the next q
  std::copy_n(x, n, remainder);
  std::fill_n(coefficients_.begin(), k, 0.0);
  const double size = norm(x, columns_);
  double left = size;
  for (double before = HUGE_VAL; k > 0 && left > negligible * size && left <= 0.5 * before;) {
    simd().multiply(basis_, k, n, remainder, n, 1, correction_.data(), k);
    for (std::size_t i = 0; i < k; ++i) coefficients_[i] += correction_[i];
    for (double& c : correction_) c = -c;
    simd().combine(basis_, k, n, correction_.data(), remainder);
    before = left;
    left = norm(remainder, columns_);
  }
  std::fill_n(y, rows_, 0.0);
  const auto rows = static_cast<std::size_t>(rows_);
  simd().combine(images_, k, rows, coefficients_.data(), y);
  if (left <= negligible * size || rank_ == columns_) return;
  assert(rank_ < capacity_);
  for (std::size_t i = 0; i < n; ++i) remainder[i] /= left;
  double* image = images_ + rank_ * rows_;
  stream_.fill(static_cast<std::uint64_t>(rank_ * rows_), {image, rows}, 0, deviation_);
  ++rank_;
  simd().combine(image, 1, rows, &left, y);
}

}  // namespace nngpcheck::empirical
