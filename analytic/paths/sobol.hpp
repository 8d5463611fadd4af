// Randomized quasi-Monte Carlo points, as standard normals.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

namespace nngpcheck::analytic {

/// The first N = 2^m points of the Sobol sequence, the origin included, each coordinate scrambled on its own
/// by a random lower triangular binary matrix and a random digital shift (Matoušek 1998): every point is
/// uniform, the points of one randomization remain a digital net, and randomizations with different seeds are
/// independent. Direction numbers are Boost.Random's (Joe and Kuo 2008).
class ScrambledSobol {
 public:
  static constexpr int largest_dimension = 3667;
  static constexpr int largest_log2_points = 26;

  /// Precondition: 0 ≤ dimension ≤ largest_dimension, 0 ≤ log2_points ≤ largest_log2_points.
  ScrambledSobol(int dimension, int log2_points, std::uint64_t seed);

  Eigen::Index points() const { return Eigen::Index{1} << log2_points_; }
  int dimension() const { return dimension_; }

  /// Φ⁻¹ of one coordinate of points first, first + 1, …; points have the same order in every coordinate.
  /// 0 ≤ coordinate < dimension, first + count ≤ points().
  Eigen::ArrayXd normals(int coordinate, Eigen::Index first, Eigen::Index count) const;

  /// The coordinate itself, in (0, 1).
  Eigen::ArrayXd uniforms(int coordinate, Eigen::Index first, Eigen::Index count) const;

 private:
  int dimension_;
  int log2_points_;
  std::uint64_t seed_;
  std::vector<std::uint64_t> directions_;  // log2_points per coordinate, not scrambled
};

}  // namespace nngpcheck::analytic
