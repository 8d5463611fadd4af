// Tests of a zero mean in many strongly correlated dimensions (see docs/statistics.md).
#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <random>
#include <vector>

namespace nngpcheck::compare {

/// Multiplies by (C + ridge I)⁻¹, where C = ZᵀZ is the correlation matrix (second moments; they are not
/// centred) of R vectors of p entries, the rows of Z up to scaling. No p×p matrix is formed if R < p
/// (Woodbury). An entry that is 0 in all of them is uncorrelated with the others.
class Whitener {
 public:
  explicit Whitener(const Eigen::MatrixXd& vectors, double ridge = 0.1);

  /// X (C + ridge I)⁻¹ and X (C + ridge I)⁻¹ Xᵀ, for X with p columns.
  Eigen::MatrixXd apply(const Eigen::MatrixXd& x) const;
  Eigen::MatrixXd gram(const Eigen::MatrixXd& x) const;

  /// gram(√R Z): that of the vectors themselves, each entry scaled to mean square 1.
  Eigen::MatrixXd gram_of_vectors() const;

 private:
  bool woodbury() const { return scaled_.rows() < scaled_.cols(); }

  Eigen::MatrixXd scaled_;              // Z, R×p
  Eigen::LLT<Eigen::MatrixXd> factor_;  // of ridge I + ZZᵀ (Woodbury), or C + ridge I
  double ridge_;
};

/// Each column divided by its root mean square; columns of zeros stay.
Eigen::MatrixXd scaled_to_unit_mean_square(const Eigen::MatrixXd& rows);

/// Consecutive rows summed in groups of equal size (but the last), so that at most `groups` are left. Sums of
/// independent vectors are such vectors again; it keeps the cost of the tests below bounded.
Eigen::MatrixXd group_sums(const Eigen::MatrixXd& rows, Eigen::Index groups);

/// The tests' own numbers: a seeded generator and how many flips.
struct SignFlips {
  std::mt19937_64 random;
  int count = 1999;
};

/// For G = XWXᵀ with W positive semidefinite and X of N independent rows: (1 + #{s : sᵀGs ≥ 1ᵀG1})/(1 +
/// count) over random signs s ∈ {−1, 1}^N. A p-value for the mean of X being zero: exact if rows are
/// symmetrically distributed, approximate otherwise.
double sign_flip_p(const Eigen::MatrixXd& gram, SignFlips& flips);

/// Σ_r of the r-th blocks on the diagonal, for the rows of several X stacked on top of each other: flips
/// whole ladders where there are several vectors of each. Precondition: blocks divides its size.
Eigen::MatrixXd sum_of_diagonal_blocks(const Eigen::MatrixXd& gram, Eigen::Index blocks);

}  // namespace nngpcheck::compare
