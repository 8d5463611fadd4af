#include "nngpcheck/empirical/exact/gram_factor.hpp"

#include <algorithm>
#include <cmath>

#include "nngpcheck/empirical/random/simd.hpp"

namespace nngpcheck::empirical {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using ByRows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr Index rows_at_once = 4;  // of simd().combine

// Rows k = first..last-1 of U, from column `first` on, minus Σ_l u_lk u_l over rows l = from..to-1.
void eliminate(ByRows& u, Index from, Index to, Index first, Index last) {
  const Index count = to - from;
  ByRows coefficients(last - first, count);
  for (Index k = first; k < last; ++k) coefficients.row(k - first) = -u.col(k).segment(from, count);
  const auto size = static_cast<std::size_t>(u.cols());
  simd().combine(
      {coefficients.data(), static_cast<std::size_t>(count), static_cast<std::size_t>(last - first)},
      {&u(from, first), size, static_cast<std::size_t>(count)}, static_cast<std::size_t>(u.cols() - first),
      {&u(first, first), size, static_cast<std::size_t>(last - first)});
}

// The upper half of G becomes U with UᵀU = G; false if a pivot is too small.
bool factorize(ByRows& u, double smallest_pivot) {
  const Eigen::VectorXd diagonal = u.diagonal();
  for (Index first = 0; first < u.rows(); first += rows_at_once) {
    const Index last = std::min(first + rows_at_once, u.rows());
    if (first > 0) eliminate(u, 0, first, first, last);
    for (Index k = first; k < last; ++k) {
      if (k > first) eliminate(u, first, k, k, k + 1);
      const double pivot = u(k, k);
      if (!(pivot > smallest_pivot * diagonal[k])) return false;
      const double inverse = 1 / std::sqrt(pivot);
      for (Index i = k; i < u.cols(); ++i) u(k, i) *= inverse;
    }
  }
  return true;
}

}  // namespace

std::optional<MatrixXd> gram_factor(const MatrixXd& gram, const Copies& copies, double smallest_pivot) {
  std::vector<Index> distinct, place(copies.size(), zero);
  for (std::size_t j = 0; j < copies.size(); ++j) {
    if (copies[j] == zero) continue;
    if (copies[j] == static_cast<Index>(j)) distinct.push_back(copies[j]);
    place[j] = copies[j] == static_cast<Index>(j) ? std::ssize(distinct) - 1
                                                  : place[static_cast<std::size_t>(copies[j])];
  }
  ByRows u = gram(distinct, distinct);
  if (!factorize(u, smallest_pivot)) return {};
  MatrixXd result = MatrixXd::Zero(u.rows(), gram.cols());
  for (std::size_t j = 0; j < place.size(); ++j) {
    if (place[j] != zero)
      result.col(static_cast<Index>(j)).head(place[j] + 1) = u.col(place[j]).head(place[j] + 1);
  }
  return result;
}

}  // namespace nngpcheck::empirical
