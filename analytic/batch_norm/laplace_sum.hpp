// Sums over the nodes of Laplace integrals, for batch_norm.hpp.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <limits>
#include <vector>

#include "nngpcheck/analytic/gaussian/closed_form.hpp"
#include "nngpcheck/analytic/gaussian/scalar_activation.hpp"
#include "nngpcheck/analytic/uncertain.hpp"

namespace nngpcheck::analytic {

/// Of a few operations, and of an eigendecomposition relative to the largest eigenvalue: an estimate, since
/// the bounds that theory has for the latter grow like a power of the size, and what happens does not.
inline constexpr double few_roundings = 8 * std::numeric_limits<double>::epsilon();

/// ∫_0^∞ s^{k/2-1} e^{-sε} F(s) ds / Γ(k/2) ≈ Σ weight F(s).
struct LaplaceNode {
  double s;
  double weight;
};

/// Nodes, with ε = `added`, for an F that decays like |I + sM|^{-1/2}, M with these eigenvalues, and varies
/// little before s = 1/tr M. With log s = x - e^{origin-x} the integrand decays doubly exponentially on the
/// left, as fast as it can on the right, and is analytic for |Im x| < π/2: the trapezoidal rule in x
/// converges exponentially. k = 0 is F(0).
std::vector<LaplaceNode> laplace_nodes(int k, const Eigen::VectorXd& spectrum, double added, double step);

/// A step for which the rule is good to rounding or nearly so: the peak's width in log s shrinks like 1/√k.
double laplace_step(int k);

enum class Entries { all, lower };

/// Σ weight E[φ(u_i) ψ(v_j)] over nodes (a, b), the laws of u and v being given at each.
class LaplaceSum {
 public:
  /// Rows and columns that are not alive are 0, and their moments with them.
  LaplaceSum(const HomogeneousForm& phi, const HomogeneousForm& psi, const std::vector<bool>& rows_alive,
             const std::vector<bool>& columns_alive, Entries entries);

  void add(double weight, const Eigen::VectorXd& row_variance, const Eigen::VectorXd& column_variance,
           const Eigen::MatrixXd& covariance, std::size_t a, std::size_t b);

  /// How far the sum over every other node is off, relatively, where there are so many nodes in either
  /// direction. The error of the whole sum is about its square.
  double coarse_error(std::size_t nodes_a, std::size_t nodes_b) const;

  /// The sum, and the bound of quadrature and rounding. Of quadrature it is an estimate: the trapezoidal
  /// rule's error at half the step is about the square of the coarse one's; 100 stands for what is not said
  /// there.
  UncertainMatrix result(double coarse_error) const;

  /// Moments evaluated.
  std::int64_t evaluations() const;

 private:
  HomogeneousPair pair_;
  int p_, q_;
  std::vector<bool> rows_alive_, columns_alive_;
  Entries entries_;
  std::vector<HomogeneousPair::Column> columns_;  // at the current node
  Eigen::MatrixXd value_, rounding_, magnitude_, odd_a_, odd_b_;
  double magnitude_factor_;  // |E[φ(u)ψ(v)]| ≤ factor √(var u)^p √(var v)^q
  double largest_ = 0;
  std::int64_t nodes_ = 0;
};

/// How far the sum can move when the joint covariance J of the centred columns moves by at most its bound. At
/// each node, of tilt T, the tilted covariance G = PJ, P = (I + JT)^{-1} = I - GT, moves by P dJ Pᵀ and the
/// logarithm of |I + JT|^{-1/2} by -½ tr(TP dJ); absolute values are taken before the summation. Where the
/// first order exceeds what the integrand can be, it is cut there: so the sum stays finite at J of rank 1 and
/// 2, where J's movements in the null directions count by their square root.
class LaplaceMovement {
 public:
  /// J is that of one group, or of two, one after the other. `row_mean`, `column_mean`: the unit vector of
  /// each that centring takes away, the second one empty for one group. Eigenvalues of J up to `noise` count
  /// as 0.
  LaplaceMovement(const HomogeneousForm& phi, const HomogeneousForm& psi, UncertainMatrix joint, double noise,
                  const Eigen::VectorXd& row_mean, const Eigen::VectorXd& column_mean);

  /// Adds weight × the movement of |I + JT|^{-1/2} E[φ(u_i) ψ(v_j)], T = diag(tilt), to total(i, j).
  void add(double weight, const Eigen::VectorXd& tilt, Eigen::MatrixXd& total) const;

 private:
  /// Of a symmetric matrix over J's columns: the diagonal, and the block of rows × columns.
  struct Block {
    Eigen::VectorXd row_variance;
    Eigen::VectorXd column_variance;
    Eigen::MatrixXd covariance;
  };

  Block block(const Eigen::MatrixXd& left, const Eigen::MatrixXd& right) const;
  void centre_columns(Eigen::MatrixXd& p) const;
  double movement(const Eigen::VectorXd& tilt, const Block& g, const Block& shift, Eigen::Index i,
                  Eigen::Index j, double log_determinant_shift) const;

  HomogeneousPair pair_;
  int p_, q_;
  Eigen::MatrixXd factor_;  // J = factor factorᵀ
  Eigen::MatrixXd bound_;
  Eigen::VectorXd row_mean_, column_mean_;
  Eigen::Index rows_, first_column_;
  double cap_;
};

}  // namespace nngpcheck::analytic
