#include "nngpcheck/compare/statistics/sign_flips.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace nngpcheck::compare {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

/// ridge I + AAᵀ, factorized.
Eigen::LLT<MatrixXd> factorize(const MatrixXd& a, double ridge) {
  MatrixXd product = ridge * MatrixXd::Identity(a.rows(), a.rows());
  product.selfadjointView<Eigen::Lower>().rankUpdate(a);
  return Eigen::LLT<MatrixXd>(product);
}

/// BBᵀ, both triangles.
MatrixXd outer(const MatrixXd& b) {
  MatrixXd product = MatrixXd::Zero(b.rows(), b.rows());
  product.selfadjointView<Eigen::Lower>().rankUpdate(b);
  return MatrixXd(product.selfadjointView<Eigen::Lower>());
}

void fill_with_signs(MatrixXd& signs, std::mt19937_64& random) {
  std::uint64_t bits = 0;
  for (Index k = 0; k < signs.size(); ++k, bits >>= 1) {
    if (k % 64 == 0) bits = random();
    signs.data()[k] = (bits & 1) != 0 ? 1 : -1;
  }
}

}  // namespace

MatrixXd scaled_to_unit_mean_square(const MatrixXd& rows) {
  MatrixXd result = rows;
  for (Index e = 0; e < rows.cols(); ++e) {
    const double size = rows.col(e).norm() / std::sqrt(static_cast<double>(rows.rows()));
    if (size > 0) result.col(e) /= size;
  }
  return result;
}

MatrixXd group_sums(const MatrixXd& rows, Index groups) {
  const Index size = (rows.rows() + groups - 1) / groups;
  if (size <= 1) return rows;
  MatrixXd result((rows.rows() + size - 1) / size, rows.cols());
  for (Index g = 0; g < result.rows(); ++g) {
    const Index first = g * size;
    result.row(g) = rows.middleRows(first, std::min(size, rows.rows() - first)).colwise().sum();
  }
  return result;
}

Whitener::Whitener(const MatrixXd& vectors, double ridge)
    : scaled_(scaled_to_unit_mean_square(vectors) / std::sqrt(static_cast<double>(vectors.rows()))),
      ridge_(ridge) {
  factor_ = woodbury() ? factorize(scaled_, ridge) : factorize(scaled_.transpose(), ridge);
}

MatrixXd Whitener::apply(const MatrixXd& x) const {
  if (!woodbury()) return factor_.solve(x.transpose()).transpose();
  const MatrixXd along = scaled_ * x.transpose();
  const MatrixXd inside = factor_.solve(along);
  return (x - inside.transpose() * scaled_) / ridge_;
}

MatrixXd Whitener::gram(const MatrixXd& x) const {
  if (!woodbury()) {
    const MatrixXd root = factor_.matrixL().solve(x.transpose());
    return outer(root.transpose());
  }
  MatrixXd along = scaled_ * x.transpose();
  factor_.matrixL().solveInPlace(along);
  return (outer(x) - outer(along.transpose())) / ridge_;
}

MatrixXd Whitener::gram_of_vectors() const {
  const auto count = static_cast<double>(scaled_.rows());
  if (!woodbury()) return count * gram(scaled_);
  // Z (ZᵀZ + λI)⁻¹ Zᵀ = I − λ(ZZᵀ + λI)⁻¹
  const MatrixXd identity = MatrixXd::Identity(scaled_.rows(), scaled_.rows());
  return count * (identity - ridge_ * factor_.solve(identity));
}

double sign_flip_p(const MatrixXd& gram, SignFlips& flips) {
  // Signs that are all equal tie with the data; rounding must not decide that.
  const double observed = gram.sum() * (1 - 1e-9);
  constexpr int block = 256;
  int reached = 0;
  for (int done = 0; done < flips.count; done += block) {
    MatrixXd signs(gram.rows(), std::min(block, flips.count - done));
    fill_with_signs(signs, flips.random);
    const MatrixXd product = gram * signs;
    const Eigen::RowVectorXd values = product.cwiseProduct(signs).colwise().sum();
    reached += static_cast<int>((values.array() >= observed).count());
  }
  return (1. + reached) / (1. + flips.count);
}

MatrixXd sum_of_diagonal_blocks(const MatrixXd& gram, Index blocks) {
  const Index size = gram.rows() / blocks;
  MatrixXd result = MatrixXd::Zero(size, size);
  for (Index r = 0; r < blocks; ++r) result += gram.block(r * size, r * size, size, size);
  return result;
}

}  // namespace nngpcheck::compare
