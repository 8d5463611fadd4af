// Numbers that know how wrong they may be.
#pragma once

#include <Eigen/Core>
#include <limits>

namespace nngpcheck::analytic {

/// Twice the largest relative error of one rounded operation.
inline constexpr double epsilon = std::numeric_limits<double>::epsilon();

/// A computed number and a deterministic bound on its distance from the exact one.
struct Estimate {
  double value = 0;
  double bound = 0;
};

/// A matrix, and entry by entry a deterministic bound on the distance from the exact one. Same shapes.
struct UncertainMatrix {
  Eigen::MatrixXd value;
  Eigen::MatrixXd bound;
};

/// A vector, and entry by entry a deterministic bound on the distance from the exact one.
struct UncertainVector {
  Eigen::VectorXd value;
  Eigen::VectorXd bound;
};

}  // namespace nngpcheck::analytic
