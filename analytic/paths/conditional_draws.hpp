// Gaussian columns as combinations of the coordinates of quasi-Monte Carlo points.
#pragma once

#include <Eigen/Core>
#include <map>
#include <utility>
#include <vector>

#include "nngpcheck/analytic/columns/changes.hpp"
#include "nngpcheck/analytic/columns/values.hpp"
#include "nngpcheck/analytic/error.hpp"

namespace nngpcheck::analytic {

/// Sampling errors of a covariance are too large to draw from it.
class IndefiniteCovariance : public LimitError {
 public:
  using LimitError::LimitError;
};

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
    std::vector<std::size_t> own;  // columns with normals of their own, ascending
    Eigen::MatrixXd rotation;      // of these; orthogonal, one column per coordinate
    std::vector<int> coordinates;  // of all columns
  };
  std::map<int, Family> families;
};

/// How a draw changes in each of a batch of directions (columns).
struct DrawChange {
  Column column;
  Eigen::RowVectorXd mean;
  std::vector<std::pair<int, Eigen::RowVectorXd>> weights;
};

/// How the normal law of a family's columns changes in one direction, as a score: E[f] changes by E[f s] with
///   s = shiftᵀz + zᵀ stretch z - tr stretch
/// in the normals z of the columns that have their own. z_j is a combination of coordinates of the points.
struct Score {
  std::vector<std::vector<std::pair<int, double>>> normals;
  Eigen::VectorXd shift;
  Eigen::MatrixXd stretch;
};

/// Draws columns one after the other, each from its conditional law given the earlier ones of its family:
/// rows of an incremental Cholesky factor. A column that is a combination of earlier ones (zero pivot) needs
/// no normal of its own.
class ConditionalDraws {
 public:
  /// Without axes each normal is the next coordinate. With axes, columns must be appended in the order in
  /// which they were when the axes were found. `axes` may be null.
  ConditionalDraws(const Values& values, const PrincipalAxes* axes) : values_(values), axes_(axes) {}

  /// Throws IndefiniteCovariance if the covariance is far from positive semidefinite.
  const Draw& append(Column column);

  /// Of the columns so far: per family the eigenvectors of LᵀL, L the Cholesky factor; over all families by
  /// descending eigenvalue.
  PrincipalAxes principal_axes() const;

  /// The same draws when means and covariances change, pathwise: coordinates and pivots stay. Columns in no
  /// particular order.
  std::vector<DrawChange> changes(const Changes& changes) const;

  /// The same for functions that need not be differentiable: one score per family, in one direction. Throws
  /// LimitError if a column that is a combination of earlier ones becomes another one.
  std::vector<Score> scores(const Changes& changes, Eigen::Index direction) const;

 private:
  struct Row {
    Draw draw;
    std::vector<double> factor;  // on this column's and the earlier columns' own normals
  };

  /// Of the means and the Cholesky factor of a family's columns, in one direction.
  struct FactorChange {
    Eigen::VectorXd mean;
    Eigen::MatrixXd factor;
  };
  FactorChange factor_change(const std::vector<Row>& rows, const Changes& changes,
                             Eigen::Index direction) const;
  std::vector<std::pair<int, double>> weights(int family, const std::vector<double>& factor);
  /// The normal of a family's column in the coordinates of the points.
  std::vector<std::pair<int, double>> normal(int family, std::size_t column) const;

  const Values& values_;
  const PrincipalAxes* axes_;
  std::map<int, std::vector<Row>> families_;
  std::map<int, std::vector<std::size_t>> own_;             // columns with normals of their own, ascending
  std::map<std::pair<int, std::size_t>, int> coordinates_;  // of a family's normals, where there are no axes
};

}  // namespace nngpcheck::analytic
