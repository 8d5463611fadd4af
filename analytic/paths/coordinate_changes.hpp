// How the coordinates of a program change with what they are computed from.
#pragma once

#include <Eigen/Core>
#include <map>
#include <vector>

#include "nngpcheck/analytic/columns/form_changes.hpp"
#include "nngpcheck/analytic/paths/coordinates.hpp"

namespace nngpcheck::analytic {

/// Path by path, the derivatives of the columns of a program in a batch of directions: those of given
/// Gaussian columns are given (0 otherwise), those of tables are known to the forms.
class CoordinateChanges {
 public:
  /// `forms`: one per direction. All arguments must outlive this object.
  CoordinateChanges(Coordinates& coordinates, std::vector<FormChanges>& forms)
      : coordinates_(coordinates), forms_(forms) {}

  void set(const Column& gaussian, Eigen::ArrayXXd change) { changes_[gaussian] = std::move(change); }

  /// paths × directions. Throws LimitError if a function without a derivative stands between a column that
  /// changes and this one.
  const Eigen::ArrayXXd& operator()(NodeIndex node, Eigen::Index column);

  Eigen::Index directions() const { return std::ssize(forms_); }

 private:
  Eigen::ArrayXXd linear(NodeIndex node, Eigen::Index column);
  Eigen::ArrayXXd atom(NodeIndex node, Eigen::Index column);
  Eigen::ArrayXXd pointwise(NodeIndex node, Eigen::Index column);
  Eigen::ArrayXXd standardized(NodeIndex node, NodeIndex argument, Eigen::Index column);

  Coordinates& coordinates_;
  std::vector<FormChanges>& forms_;
  std::map<Column, Eigen::ArrayXXd> changes_;
};

}  // namespace nngpcheck::analytic
