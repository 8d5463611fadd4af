// E[φ(u) ψ(v)] as a series in the correlation (Mehler's formula): fast for blocks.
#pragma once

#include <Eigen/Core>
#include <memory>
#include <optional>
#include <vector>

#include "nngpcheck/analytic/gaussian/closed_form.hpp"

namespace nngpcheck::analytic {

/// The Hermite coefficients of φ at many marginals,
///   a_k(i) = E[φ(mean_i + deviation_i x) h_k(x)],  x ~ N(0, 1),  h_k = He_k / √(k!),
/// by Gauss-Kronrod quadrature on panels that resolve φ. With them E[φ(u_i) ψ(v_j)] = Σ_k a_k(i) b_k(j) ρ^k,
/// and cutting after k = K costs at most |ρ|^{K+1} t_K(i) t_K(j), t_K² = Σ_{k>K} a_k² = E[φ²] - Σ_{k≤K} a_k².
struct HermiteTable {
  Eigen::MatrixXd
      coefficients;       // marginals × orders; zero beyond the order where a marginal's tail is negligible
  Eigen::MatrixXd tails;  // marginals × orders: upper bounds on t_k / norm
  Eigen::VectorXd norm;   // √E[φ²]
  Eigen::VectorXd error;  // bound on the l2 norm of the coefficients' errors
  Eigen::VectorXd gradient;    // √Σ k a_k² = deviation √E[φ'²], up to the tail
  Eigen::VectorXd curvature;   // √Σ k(k-1) a_k² = variance √E[φ''²], up to the tail
  std::vector<Moment> square;  // E[φ²], with the derivatives `with_bounds_on_diagonal` wants
  /// Whether the coefficients are accurate; false e.g. for an undeclared jump, zero variance or overflow.
  std::vector<bool> usable;

  Eigen::Index orders() const { return coefficients.cols(); }
};

/// Coefficients k < orders; orders is rounded up to a power of 2, at least 32 and at most largest_orders: few
/// numbers, so that columns which meet many others have few rows.
HermiteTable hermite_table(const netsor::Activation& phi, const std::vector<Normal>& marginals,
                           Eigen::Index orders);

inline constexpr Eigen::Index usual_orders = 256;
inline constexpr Eigen::Index largest_orders = 4096;

/// Makes tables, and keeps their rows: those of one activation, number of orders, mean and variance are
/// computed once, or once more by threads that ask at the same time, as long as all together take no more
/// than half a gigabyte. Any thread may ask.
class HermiteTables {
 public:
  HermiteTables();
  ~HermiteTables();

  /// As `hermite_table`.
  HermiteTable table(const netsor::Activation& phi, const std::vector<Normal>& marginals,
                     Eigen::Index orders);

 private:
  struct Kept;
  std::unique_ptr<Kept> kept_;
};

/// What is left of a series that is cut off, relative to √(E[φ²] E[ψ²]), and may be neglected.
inline constexpr double negligible_remainder = 1e-13;

/// How many orders a pair of tables needs for what the series leaves to be negligible, or rounding, at every
/// |ρ| ≤ `correlation`: judged by the marginals of largest variance, since the tails decay the slower the
/// larger the variance. None where even largest_orders are not enough, or usual_orders for functions with
/// kinks, whose tails decay like powers.
std::optional<Eigen::Index> sufficient_orders(HermiteTables& tables, const netsor::Activation& phi,
                                              const std::vector<Normal>& rows, const netsor::Activation& psi,
                                              const std::vector<Normal>& columns, double correlation);

/// Operations that a table of so many orders takes for each marginal, roughly.
double table_work(Eigen::Index orders);

}  // namespace nngpcheck::analytic
