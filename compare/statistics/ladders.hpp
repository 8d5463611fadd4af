// Networks of several widths, and their extrapolation to n = ∞.
//
// One network of width n has the kernel K̂ = K + B/n + C/n² + ξ/√n with E ξ = 0. A *ladder* is one independent
// network at each of some widths n₁ < … < n_w; ladders are independent and identically distributed.
// Kernels are held as *entries*, their upper triangles as vectors (see docs/statistics.md).
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

namespace nngpcheck::compare {

/// Where an entry stands in the matrix; row ≤ column.
struct EntryPosition {
  Eigen::Index row = 0;
  Eigen::Index column = 0;
};

/// The upper triangle of an m×m matrix, column by column: (row, column) is entry column(column + 1)/2 + row.
Eigen::VectorXd upper_triangle(const Eigen::MatrixXd& matrix);
EntryPosition entry_position(Eigen::Index entry);

/// The symmetric matrix with this upper triangle. Throws CompareError if no m has m(m + 1)/2 entries.
Eigen::MatrixXd symmetric_matrix(const Eigen::VectorXd& entries);

struct Ladders {
  std::vector<std::int64_t> widths;      // increasing
  std::vector<Eigen::MatrixXd> kernels;  // for each width, ladders × entries

  Eigen::Index count() const { return kernels.empty() ? 0 : kernels.front().rows(); }
  Eigen::Index entries() const { return kernels.empty() ? 0 : kernels.front().cols(); }
};

/// The ladders of `first`, then those of `second`. Throws CompareError if they differ in widths or entries.
Ladders concatenate(const Ladders& first, const Ladders& second);

/// The fewest widths that can be checked: the three terms of the extrapolation leave one contrast.
inline constexpr std::size_t fewest_widths = 4;

/// Weighted least squares of K̂(n_j) on (1, 1/n_j, 1/n_j²) with weights n_j, because Var K̂(n) ∝ 1/n.
struct LadderDesign {
  /// Throws CompareError unless there are at least `fewest_widths`, increasing and positive.
  explicit LadderDesign(const std::vector<std::int64_t>& widths);

  /// a ∈ R^w, the weights of the intercept: Σ a_j = 1, Σ a_j/n_j = Σ a_j/n_j² = 0.
  Eigen::VectorXd extrapolation;
  /// b, (w − 3) × w: Σ_j b_rj n_j^−k = 0 for k = 0, 1, 2 and Σ_j b_rj b_sj/n_j = δ_rs. What they make of a
  /// ladder has mean zero whatever K, B and C are, the covariance of ξ, and is uncorrelated with the
  /// extrapolation.
  Eigen::MatrixXd contrasts;
};

/// Y = Σ_j a_j K̂(n_j), ladders × entries. Precondition, here and below: the design is of these widths.
Eigen::MatrixXd extrapolate(const Ladders& ladders, const LadderDesign& design);

/// Σ_j b_rj K̂(n_j) for each contrast r, ladders × entries each.
std::vector<Eigen::MatrixXd> residual_contrasts(const Ladders& ladders, const LadderDesign& design);

}  // namespace nngpcheck::compare
