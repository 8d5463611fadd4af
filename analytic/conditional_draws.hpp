// Gaussian columns as combinations of the coordinates of quasi-Monte Carlo points.
#pragma once

#include <Eigen/Core>
#include <map>
#include <utility>
#include <vector>

#include "analytic/structure.hpp"

namespace nngpcheck::analytic {

class Evaluation;

/// One column of a bundle.
using Column = std::pair<NodeIndex, Eigen::Index>;

/// How the next column of a family is drawn from standard normals: mean + Σ_k weight_k · normal_k.
struct Draw {
  Column column;
  double mean;
  std::vector<std::pair<int, double>> weights;  // coordinate of the points, weight
};

/// Which combinations of a family's normals are which coordinates of the points. Sobol points are the better
/// the fewer and the earlier the coordinates that matter, so the first coordinates go to the directions in
/// which the columns vary most.
struct PrincipalAxes {
  struct Family {
    Eigen::MatrixXd rotation;  // orthogonal, one column per coordinate
    std::vector<int> coordinates;
  };
  std::map<int, Family> families;
};

/// Draws columns one after the other, each from its conditional law given the earlier ones of its family:
/// rows of an incremental Cholesky factor. A column that is a combination of earlier ones (zero pivot) needs
/// no normal of its own.
class ConditionalDraws {
 public:
  /// Without axes each normal is the next coordinate. With axes, columns must be appended in the order in
  /// which they were when the axes were found. `axes` may be null.
  ConditionalDraws(const Evaluation& values, const PrincipalAxes* axes) : values_(values), axes_(axes) {}

  /// Throws LimitError if the covariance is far from positive semidefinite.
  const Draw& append(Column column);

  /// Of the columns so far: per family the eigenvectors of LᵀL, L the Cholesky factor; over all families by
  /// descending eigenvalue.
  PrincipalAxes principal_axes() const;

 private:
  struct Row {
    Draw draw;
    std::vector<double> factor;  // on this column's and the earlier columns' own normals
  };

  std::vector<std::pair<int, double>> weights(int family, const std::vector<double>& factor);

  const Evaluation& values_;
  const PrincipalAxes* axes_;
  std::map<int, std::vector<Row>> families_;
  std::map<std::pair<int, std::size_t>, int> coordinates_;  // of a family's normals, where there are no axes
};

}  // namespace nngpcheck::analytic
