#include "nngpcheck/empirical/interpreter/coordinates.hpp"

#include <algorithm>
#include <cmath>

#include "nngpcheck/empirical/exact/inner_products.hpp"

namespace nngpcheck::empirical {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

Coordinates::Coordinates(double* storage, std::int64_t dimension, std::int64_t uses, const Rules& rules)
    : storage_(storage), dimension_(dimension), uses_(uses), rules_(rules) {}

std::int64_t Coordinates::rank() const {
  return basis_ ? basis_->rank() : static_cast<std::int64_t>(norms_.size());
}

GramSchmidt& Coordinates::orthonormalized() {
  if (!basis_) {
    basis_.emplace(storage_, dimension_, uses_, rules_.gram_schmidt);
    for (std::size_t k = 0; k < norms_.size(); ++k)
      basis_->coordinates(storage_ + static_cast<std::int64_t>(k) * dimension_);
  }
  return *basis_;
}

Rows<const double> Coordinates::basis() { return orthonormalized().basis(); }

std::optional<VectorXd> Coordinates::copied(const double* x) const {
  for (std::size_t k = 0; k < norms_.size(); ++k) {
    const double* kept = storage_ + static_cast<std::int64_t>(k) * dimension_;
    if (std::equal(x, x + dimension_, kept)) return coordinates_[k];
  }
  return {};
}

// ‖x - Σ_i c_i q_i‖, computed as a vector behind those that are kept.
double Coordinates::remainder(const double* x, const VectorXd& combination) {
  const auto inner = static_cast<std::size_t>(dimension_);
  const std::size_t k = norms_.size();
  const Rows<double> r{storage_ + k * inner, inner, 1};
  std::copy_n(x, inner, r.first);
  simd().combine({combination.data(), k, 1}, {storage_, inner, k}, inner, r);
  return std::sqrt(inner_products(r, r, inner)(0, 0));
}

// The coordinates of x, given its inner products with the vectors that are kept; false if it cannot be added.
bool Coordinates::add(const double* x, const VectorXd& products, double square, VectorXd& result) {
  const auto k = static_cast<Index>(norms_.size());
  result = VectorXd::Zero(k);
  if (square == 0) return true;
  VectorXd combination = VectorXd::Zero(k + 1);  // of the next q, times the remainder
  combination[k] = 1;
  for (Index i = 0; i < k; ++i) {
    const VectorXd& t = combinations_[static_cast<std::size_t>(i)];
    result[i] = t.dot(products.head(i + 1));
    combination.head(i + 1) -= result[i] * t;
  }
  const double left = square - result.squaredNorm(), norm = std::sqrt(square);
  double cancellation = norm;
  for (Index i = 0; i < k; ++i)
    cancellation += std::abs(combination[i]) * norms_[static_cast<std::size_t>(i)];
  const bool far = k < dimension_ && left > 0 && cancellation <= rules_.most_cancellation * std::sqrt(left);
  if (!far) {
    if (const auto same = copied(x)) {
      result.setZero();
      result.head(same->size()) = *same;
      return true;
    }
    return remainder(x, combination) <= rules_.gram_schmidt.negligible * norm;
  }
  result.conservativeResize(k + 1);
  result[k] = std::sqrt(left);
  std::copy_n(x, dimension_, storage_ + k * dimension_);
  norms_.push_back(norm);
  coordinates_.push_back(result);
  combinations_.push_back(combination / result[k]);
  return true;
}

MatrixXd Coordinates::of(Rows<const double> x) {
  const auto count = static_cast<Index>(x.count);
  const auto inner = static_cast<std::size_t>(dimension_);
  MatrixXd result = MatrixXd::Zero(std::min(rank() + count, dimension_), count);
  std::vector<Index> added;  // of x, to the vectors that are kept
  Index j = 0;
  if (!basis_) {
    const std::size_t before = norms_.size();
    const MatrixXd earlier = inner_products({storage_, inner, before}, x, inner);
    const MatrixXd among = inner_products(x, x, inner);
    for (; j < count; ++j) {
      VectorXd products(norms_.size());
      products << earlier.col(j), among.col(j)(added);
      VectorXd c;
      if (!add(x.row(static_cast<std::size_t>(j)), products, among(j, j), c)) break;
      if (norms_.size() > before + added.size()) added.push_back(j);
      result.col(j).head(c.size()) = c;
    }
  }
  for (; j < count; ++j) {
    const std::vector<double>& c = orthonormalized().coordinates(x.row(static_cast<std::size_t>(j)));
    std::copy(c.begin(), c.end(), result.col(j).data());
  }
  return MatrixXd(result.topRows(rank()));
}

}  // namespace nngpcheck::empirical
