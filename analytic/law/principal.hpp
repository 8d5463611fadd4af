// Covariances of many entries in few directions.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <functional>

namespace nngpcheck::analytic {

/// The N rows ξ(ω) of a matrix with p columns, in blocks: rows first, …, first + count - 1.
struct Rows {
  Eigen::Index count, size;  // N, p
  std::function<Eigen::MatrixXd(Eigen::Index first, Eigen::Index count)> block;
};

/// ξ(ω) = Σ_k d_k s_k(ω) + what is left out, uncorrelated with the s_k, and
///   (1/N) Σ_ω ξ(ω) ξ(ω)ᵀ ≈ Σ_k d_k d_kᵀ + Σ_j r_j r_jᵀ,
/// where the r_j are random, so that it is exact on average. Directions d_k and r_j are columns.
struct Principal {
  Eigen::MatrixXd directions;  // nearly the principal ones, ascending
  Eigen::MatrixXd scores;      // N rows: s_k(ω), uncorrelated, of mean square 1
  Eigen::MatrixXd rest;        // no columns where almost nothing is left out
  double left_out = 0;         // of the trace, the share that the d_k leave out
};

/// At most so many d_k, without those that share less than `left_out` of the trace; entries count divided by
/// `scale`. `squares`: mean_squares(rows). The s_k span a random sketch of the rows (Halko, Martinsson, Tropp
/// 2011; the sketch of Clarkson and Woodruff 2013): rows are asked for twice.
Principal principal(const Rows& rows, const Eigen::VectorXd& squares, const Eigen::VectorXd& scale,
                    Eigen::Index most, double left_out, std::uint64_t seed);

/// The mean squares of the entries.
Eigen::VectorXd mean_squares(const Rows& rows);

/// Calls visit(rows, first) with blocks of them.
void for_each_block(const Rows& rows, const std::function<void(const Eigen::MatrixXd&, Eigen::Index)>& visit);

/// How many of these ascending eigenvalues, so that the others sum up to no more than that share of all.
Eigen::Index to_keep(const Eigen::VectorXd& eigenvalues, double left_out);

}  // namespace nngpcheck::analytic
