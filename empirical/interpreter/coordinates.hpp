// Coordinates of vectors in an orthonormal basis of them.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <optional>
#include <vector>

#include "nngpcheck/empirical/exact/gram_schmidt.hpp"

namespace nngpcheck::empirical {

/// Of vectors x_1, x_2, … of one dimension, given a few at a time: c_1, c_2, … with x_j = Σ_i c_ij q_i, in
/// the basis that Gram and Schmidt's process makes of them in this order.
///
/// As long as the vectors are far enough from dependent, the basis is not formed: the vectors are kept, and
/// with q_i = Σ_l t_li x_l, coordinates are c = Tᵀ(inner products with the x_l), one read of them. Its
/// rounding errors are those of the sums that define q_i, Σ_l |t_li| ‖x_l‖ ε. Where that factor would exceed
/// `most_cancellation`, the basis is formed from the vectors and kept instead, by GramSchmidt, with
/// coordinates that are good whatever the vectors are. Copies of earlier vectors have their coordinates, to
/// the last bit.
class Coordinates {
 public:
  struct Rules {
    double most_cancellation = 128;  // less than 1: the basis is always formed
    GramSchmidt::Rules gram_schmidt;
  };

  /// `storage` holds GramSchmidt::storage_size(dimension, uses) numbers, for at most `uses` vectors. Keeps
  /// the pointer.
  Coordinates(double* storage, std::int64_t dimension, std::int64_t uses, const Rules& rules);

  /// The coordinates of the rows of x, in columns, rank() of each.
  Eigen::MatrixXd of(Rows<const double> x);

  std::int64_t rank() const;

  /// q_1..q_rank, formed if they are not yet.
  Rows<const double> basis();

 private:
  bool add(const double* x, const Eigen::VectorXd& products, double square, Eigen::VectorXd& result);
  double remainder(const double* x, const Eigen::VectorXd& combination);
  std::optional<Eigen::VectorXd> copied(const double* x) const;
  GramSchmidt& orthonormalized();

  double* storage_;
  std::int64_t dimension_, uses_;
  Rules rules_;
  // The vectors that are kept: norms, coordinates, and t_i, each of length i + 1.
  std::vector<double> norms_;
  std::vector<Eigen::VectorXd> coordinates_, combinations_;
  std::optional<GramSchmidt> basis_;
};

}  // namespace nngpcheck::empirical
