// Orthonormal bases, one vector after the other.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "nngpcheck/empirical/random/simd.hpp"

namespace nngpcheck::empirical {

/// An orthonormal basis q_1..q_k of what was asked for so far, by Gram and Schmidt's process:
///
///     x = Σ_i c_i q_i + ‖r‖ q_{k+1}
///
/// QᵀQ = 1 to rounding whatever the vectors are, because projections are repeated ("twice is enough", Kahan
/// and Parlett) and rounding errors are not taken for new directions. k never exceeds the dimension.
class GramSchmidt {
 public:
  struct Rules {
    double enough = 0.5;  // a projection that leaves more of what it was given is the last one
    double negligible = 64 * std::numeric_limits<double>::epsilon();  // remainders up to it, of ‖x‖, are 0
  };

  /// Numbers that `storage` must hold for at most `uses` different vectors.
  static double storage_size(std::int64_t dimension, std::int64_t uses);

  /// Keeps the pointer; q_i is put at storage + i·dimension, and a remainder behind the last one.
  GramSchmidt(double* storage, std::int64_t dimension, std::int64_t uses, const Rules& rules);

  /// The coordinates of x, rank() of them: one more than before if x was not in the span. x may lie where the
  /// next q will.
  const std::vector<double>& coordinates(const double* x);

  std::int64_t rank() const { return rank_; }
  Rows<double> basis() const;

 private:
  double project(const double* from, const double* coefficients, double* to);

  double* storage_;
  std::int64_t dimension_, capacity_;
  Rules rules_;
  std::int64_t rank_ = 0;
  std::vector<double> coordinates_, negative_, next_;
};

}  // namespace nngpcheck::empirical
