// A program, run on one coordinate: numbers in, numbers out.
#pragma once

#include <Eigen/Core>
#include <map>

#include "nngpcheck/analytic/columns/values.hpp"

namespace nngpcheck::analytic {

/// In the limit one coordinate of all bundles is a function of that coordinate of the Gaussian ones, and of
/// the tables. This interprets the program on it, on a batch of paths: columns of Gaussian bundles are given,
/// as arrays of one number per path; all others are computed when they are asked for, and kept. A Gaussian
/// column that is not given is a combination of its sources' columns.
class Coordinates {
 public:
  /// `forms` have the tables' values; both arguments must outlive this object.
  Coordinates(const Structure& structure, LinearForms& forms, Eigen::Index paths)
      : structure_(structure), forms_(forms), paths_(paths) {}

  void set(const Column& gaussian, Eigen::ArrayXd values) { values_[gaussian] = std::move(values); }

  /// One column of a bundle. Throws LimitError if a Gaussian source that it depends on was not given, or if
  /// it divides by 0.
  const Eigen::ArrayXd& operator()(NodeIndex node, Eigen::Index column);

  Eigen::Index paths() const { return paths_; }
  const Structure& structure() const { return structure_; }

  /// The combination of other columns that a column is; empty if it is given, or a source or an atom itself.
  struct Term {
    NodeIndex node;
    Eigen::Index column;
    double coefficient;
  };
  std::vector<Term> terms(NodeIndex node, Eigen::Index column);

  /// The columns that a column of an instruction reads, operand by operand.
  std::vector<Column> operands(NodeIndex node, Eigen::Index column) const;

  /// What Standardize makes of one group of columns: (x_j - mean)·inverse.
  struct Group {
    std::vector<Eigen::Index> members;
    Eigen::ArrayXd mean, inverse;
  };
  Group group(NodeIndex standardize, Eigen::Index column);

 private:
  Eigen::ArrayXd atom(NodeIndex node, Eigen::Index column);

  const Structure& structure_;
  LinearForms& forms_;
  Eigen::Index paths_;
  std::map<Column, Eigen::ArrayXd> values_;
};

}  // namespace nngpcheck::analytic
