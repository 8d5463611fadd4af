// Products with a Gaussian matrix that is never drawn.
#pragma once

#include <cstdint>
#include <vector>

#include "empirical/normals.hpp"

namespace nngpcheck::empirical {

/// y = W x for W ∈ R^{rows×columns}, iid N(0, deviation²), one x after the other. Keeps orthonormal vectors
/// q_1..q_k that span all arguments so far, and the images b_i = W q_i, which are iid Gaussian columns
/// themselves:
///
///     x = Σ c_i q_i + ‖r‖ q_{k+1},   y = Σ c_i b_i + ‖r‖ b_{k+1},   b_{k+1} ~ N(0, deviation² I) drawn when
///     needed.
///
/// The law of all products is that of a drawn W, at every width, whatever the arguments: q_{k+1} is
/// orthogonal to the earlier ones to rounding, and fixed before b_{k+1} is drawn. So it costs O((rows +
/// columns)·k) time and memory instead of O(rows·columns).
///
/// Numerical rules: projections are repeated until one leaves more than half of what it was given ("twice is
/// enough", Kahan and Parlett); a remainder of at most 64 ε ‖x‖ counts as 0 (repeated tokens, identical
/// inputs), and nothing is drawn for it, nor once k = columns.
class ExactProduct {
 public:
  /// Numbers that `storage` must hold for at most `uses` different arguments.
  static std::int64_t storage_size(std::int64_t rows, std::int64_t columns, std::int64_t uses);

  /// Element i of b_k is number (k-1)·rows + i of the stream, times deviation. Keeps the pointer.
  ExactProduct(double* storage, std::int64_t rows, std::int64_t columns, std::int64_t uses,
               NormalStream stream, double deviation);

  /// y ∈ R^{rows} for x ∈ R^{columns}.
  void apply(const double* x, double* y);

  /// k, and q_1..q_k one after the other.
  std::int64_t rank() const { return rank_; }
  const double* basis() const { return basis_; }

 private:
  double* basis_;   // q_i at basis_ + i·columns_
  double* images_;  // b_i at images_ + i·rows_
  std::int64_t rows_, columns_, capacity_;
  std::int64_t rank_ = 0;
  NormalStream stream_;
  double deviation_;
  std::vector<double> coefficients_, correction_;
};

}  // namespace nngpcheck::empirical
