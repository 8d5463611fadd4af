#include "nngpcheck/analytic/law/principal.hpp"

#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <random>

namespace nngpcheck::analytic {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

constexpr Index most_rows = 1024, fewest_rows = 16, most_numbers = Index{1} << 24;  // held at once
constexpr Index rest_directions = 64;  // random, for what the others leave out
// Relative to the largest, below which a column of a sketch depends on the others.
constexpr double dependent = 1e-10;

MatrixXd gaussian(Index rows, Index columns, std::mt19937_64& random) {
  std::normal_distribution<double> normal;
  return MatrixXd::NullaryExpr(rows, columns, [&] { return normal(random); });
}

/// An orthonormal basis of the columns' span.
MatrixXd orthonormal(const MatrixXd& columns) {
  Eigen::ColPivHouseholderQR<MatrixXd> qr;
  qr.setThreshold(dependent);
  qr.compute(columns);
  if (qr.rank() == 0) return MatrixXd(columns.rows(), 0);
  return qr.householderQ() * MatrixXd::Identity(columns.rows(), qr.rank());
}

/// The rows, entries divided by scale, times a matrix with one entry ± 1 in each row: so many random sums of
/// entries.
MatrixXd sketch(const Rows& rows, const VectorXd& scale, Index sums, std::mt19937_64& random) {
  std::uniform_int_distribution<Index> any(0, sums - 1);
  std::vector<Index> places;
  VectorXd signs(rows.size);
  for (Index k = 0; k < rows.size; ++k) {
    places.push_back(rows.size <= sums ? k : any(random));
    signs[k] = (random() & 1) != 0 ? 1 : -1;
  }
  MatrixXd result = MatrixXd::Zero(rows.count, std::min(sums, rows.size));
  for_each_block(rows, [&](const MatrixXd& block, Index first) {
    for (Index k = 0; k < rows.size; ++k) {
      result.col(places[static_cast<std::size_t>(k)]).segment(first, block.rows()) +=
          signs[k] / scale[k] * block.col(k);
    }
  });
  return result;
}

}  // namespace

void for_each_block(const Rows& rows, const std::function<void(const MatrixXd&, Index)>& visit) {
  const Index size = std::clamp(most_numbers / std::max<Index>(rows.size, 1), fewest_rows, most_rows);
  for (Index first = 0; first < rows.count; first += size)
    visit(rows.block(first, std::min(size, rows.count - first)), first);
}

VectorXd mean_squares(const Rows& rows) {
  VectorXd result = VectorXd::Zero(rows.size);
  for_each_block(rows,
                 [&](const MatrixXd& block, Index) { result += block.colwise().squaredNorm().transpose(); });
  return result / static_cast<double>(rows.count);
}

Index to_keep(const VectorXd& eigenvalues, double left_out) {
  const double allowed = left_out * eigenvalues.cwiseMax(0).sum();
  Index omitted = 0;
  for (double sum = 0; omitted < eigenvalues.size(); ++omitted) {
    sum += std::max(0.0, eigenvalues[omitted]);
    if (sum > allowed) break;
  }
  return eigenvalues.size() - omitted;
}

Principal principal(const Rows& rows, const VectorXd& squares, const VectorXd& scale, Index most,
                    double left_out, std::uint64_t seed) {
  const Principal nothing{MatrixXd(rows.size, 0), MatrixXd(rows.count, 0), MatrixXd(rows.size, 0)};
  if (squares.isZero(0)) return nothing;
  std::mt19937_64 random(seed);
  const auto count = static_cast<double>(rows.count);
  const double trace = squares.cwiseQuotient(scale.cwiseAbs2()).sum();
  const MatrixXd basis = orthonormal(sketch(rows, scale, std::min(most, rows.count), random));
  MatrixXd others = gaussian(rows.count, rest_directions, random);
  others -= basis * (basis.transpose() * others);
  MatrixXd coefficients(rows.count, basis.cols() + others.cols());
  coefficients << basis, others / std::sqrt(static_cast<double>(rest_directions));
  MatrixXd all = MatrixXd::Zero(rows.size, coefficients.cols());
  for_each_block(rows, [&](const MatrixXd& block, Index first) {
    all.noalias() += block.transpose() * coefficients.middleRows(first, block.rows());
  });
  all /= std::sqrt(count);
  const MatrixXd scaled = scale.cwiseInverse().asDiagonal() * all.leftCols(basis.cols());
  const Eigen::SelfAdjointEigenSolver<MatrixXd> rotation(scaled.transpose() * scaled);
  const MatrixXd vectors = rotation.eigenvectors().rightCols(to_keep(rotation.eigenvalues(), left_out));
  Principal result;
  result.directions = all.leftCols(basis.cols()) * vectors;
  result.scores = std::sqrt(count) * basis * vectors;
  result.left_out = std::max(0., 1 - rotation.eigenvalues().sum() / trace);
  result.rest = MatrixXd(rows.size, 0);
  if (result.left_out > left_out) result.rest = all.rightCols(others.cols());
  return result;
}

}  // namespace nngpcheck::analytic
