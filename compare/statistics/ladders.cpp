#include "nngpcheck/compare/statistics/ladders.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <Eigen/QR>
#include <cmath>

#include "nngpcheck/compare/error.hpp"

namespace nngpcheck::compare {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr Index terms = 3;  // 1, 1/n, 1/n²

Index triangle(Index size) { return size * (size + 1) / 2; }

void check_widths(const std::vector<std::int64_t>& widths) {
  bool increasing = widths.empty() || widths.front() > 0;
  for (std::size_t w = 1; w < widths.size(); ++w) increasing = increasing && widths[w - 1] < widths[w];
  if (widths.size() < fewest_widths || !increasing) {
    throw CompareError(fmt::format(
        "widths {}: extrapolating to infinite width needs at least {} of them, increasing and positive; "
        "64, 128, …, 8192 serve most networks",
        widths, fewest_widths));
  }
}

MatrixXd combine(const Ladders& ladders, const VectorXd& weights) {
  MatrixXd result = weights(0) * ladders.kernels[0];
  for (Index w = 1; w < weights.size(); ++w) {
    result += weights(w) * ladders.kernels[static_cast<std::size_t>(w)];
  }
  return result;
}

}  // namespace

VectorXd upper_triangle(const MatrixXd& matrix) {
  VectorXd result(triangle(matrix.cols()));
  for (Index column = 0; column < matrix.cols(); ++column) {
    result.segment(triangle(column), column + 1) = matrix.col(column).head(column + 1);
  }
  return result;
}

EntryPosition entry_position(Index entry) {
  auto column = static_cast<Index>((std::sqrt(8 * static_cast<double>(entry) + 1) - 1) / 2);
  while (triangle(column) > entry) --column;  // where the root was rounded
  while (triangle(column + 1) <= entry) ++column;
  return {entry - triangle(column), column};
}

MatrixXd symmetric_matrix(const VectorXd& entries) {
  const Index size = entries.size() > 0 ? entry_position(entries.size() - 1).column + 1 : 0;
  if (triangle(size) != entries.size()) {
    throw CompareError(fmt::format("{} numbers are no upper triangle of a square matrix", entries.size()));
  }
  MatrixXd result(size, size);
  for (Index column = 0; column < size; ++column) {
    result.col(column).head(column + 1) = entries.segment(triangle(column), column + 1);
    result.row(column).head(column) = entries.segment(triangle(column), column).transpose();
  }
  return result;
}

Ladders concatenate(const Ladders& first, const Ladders& second) {
  if (first.widths != second.widths || first.entries() != second.entries()) {
    throw CompareError("ladders of different widths or kernels cannot be put together");
  }
  Ladders result{first.widths, {}};
  for (std::size_t w = 0; w < first.kernels.size(); ++w) {
    MatrixXd both(first.count() + second.count(), first.entries());
    both << first.kernels[w], second.kernels[w];
    result.kernels.push_back(std::move(both));
  }
  return result;
}

LadderDesign::LadderDesign(const std::vector<std::int64_t>& widths) {
  check_widths(widths);
  const Index count = std::ssize(widths);
  VectorXd width(count);
  for (Index w = 0; w < count; ++w) width(w) = static_cast<double>(widths[static_cast<std::size_t>(w)]);
  const VectorXd root = width.cwiseSqrt();
  MatrixXd basis(count, terms);  // in powers of n₁/n, which are of order 1
  basis.col(0) = root;
  for (Index k = 1; k < terms; ++k) {
    basis.col(k) = (basis.col(k - 1).array() * width(0) / width.array()).matrix();
  }
  const Eigen::HouseholderQR<MatrixXd> qr(basis);
  const MatrixXd q = qr.householderQ() * MatrixXd::Identity(count, count);
  const MatrixXd r = qr.matrixQR().topRows(terms);
  const VectorXd intercept =
      r.triangularView<Eigen::Upper>().transpose().solve(VectorXd::Unit(terms, 0)).eval();
  const VectorXd weights = q.leftCols(terms) * intercept;
  extrapolation = root.cwiseProduct(weights);
  contrasts = q.rightCols(count - terms).transpose() * root.asDiagonal();
}

MatrixXd extrapolate(const Ladders& ladders, const LadderDesign& design) {
  return combine(ladders, design.extrapolation);
}

std::vector<MatrixXd> residual_contrasts(const Ladders& ladders, const LadderDesign& design) {
  std::vector<MatrixXd> result;
  for (Index r = 0; r < design.contrasts.rows(); ++r) {
    result.push_back(combine(ladders, design.contrasts.row(r)));
  }
  return result;
}

}  // namespace nngpcheck::compare
