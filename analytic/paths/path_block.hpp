// A block of limit paths: arrays of numbers, one per path.
#pragma once

#include <Eigen/Core>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "nngpcheck/analytic/paths/conditional_draws.hpp"
#include "nngpcheck/analytic/paths/coordinate_changes.hpp"
#include "nngpcheck/analytic/paths/path_needs.hpp"
#include "nngpcheck/analytic/paths/sobol.hpp"

namespace nngpcheck::analytic {

/// Standard normals of consecutive points, coordinate by coordinate, made on demand and kept.
class BlockNormals {
 public:
  BlockNormals(const ScrambledSobol& sobol, Eigen::Index first, Eigen::Index count)
      : sobol_(sobol), first_(first), count_(count), made_(static_cast<std::size_t>(sobol.dimension())) {}

  const Eigen::ArrayXd& operator[](int coordinate);
  Eigen::Index count() const { return count_; }

 private:
  const ScrambledSobol& sobol_;
  Eigen::Index first_, count_;
  std::vector<Eigen::ArrayXd> made_;
};

/// A number for all paths, or one per path, and its changes in a batch of directions.
class PathNumber {
 public:
  PathNumber(double constant = 0) : constant_(constant) {}
  PathNumber(Eigen::ArrayXd array) : array_(std::move(array)) {}

  void add(double coefficient, const PathNumber& other);
  void multiply(const PathNumber& other);
  void multiply(const Eigen::ArrayXd& other);

  /// rows: one, where it is the same on all paths, or one per path; a column per direction.
  void set_change(Eigen::ArrayXXd change) { change_ = std::move(change); }

  /// On each of so many paths.
  Eigen::ArrayXd values(Eigen::Index paths) const;
  double sum(Eigen::Index paths) const;
  /// Σ of the absolute values.
  double size_sum(Eigen::Index paths) const;
  /// Σ over the paths of the changes; 0 for none.
  Eigen::RowVectorXd change_sum(Eigen::Index paths, Eigen::Index directions) const;

 private:
  bool is_constant() const { return array_.size() == 0; }

  double constant_ = 0;
  Eigen::ArrayXd array_;    // empty: the constant
  Eigen::ArrayXXd change_;  // empty: none
};

/// Everything else on a path is coordinatewise arithmetic on these arrays. A bundle all of whose families are
/// sampled is *known*: it has a value on each path. For other bundles there are conditional moments E[xy |
/// path], which are linear, split over independent factors, and are a number already known for pairs that no
/// sampled family touches.
class PathBlock {
 public:
  /// `values` gives moments and linear forms, as far as the plan has come.
  PathBlock(Values& values, ConditionalForms& forms, BlockNormals& normals)
      : values_(values),
        forms_(forms),
        normals_(normals),
        coordinates_(std::make_unique<Coordinates>(values.structure(), values.forms(), normals.count())) {}

  /// The same with the derivatives in the directions of `changes`, one of form_changes for each.
  PathBlock(Values& values, ConditionalForms& forms, BlockNormals& normals, const Changes& changes,
            std::vector<FormChanges>& form_changes);

  void draw(const Draw& draw);
  /// A column that equals one that was drawn.
  void draw(const Column& column, const Column& equal);
  void draw(const DrawChange& change);

  bool known(NodeIndex node) const;

  /// Precondition: known(node), and its leaves are drawn.
  const Eigen::ArrayXd& value(NodeIndex node, Eigen::Index column) { return (*coordinates_)(node, column); }

  /// Over the block's paths.
  struct Sum {
    double value = 0;
    double size = 0;  // of the absolute values
  };
  /// Σ E[x_i y_j | path]; y may be `one`.
  Sum sum(NodeIndex x, Eigen::Index i, NodeIndex y, Eigen::Index j);

  /// E[x_i y_j | path], with its changes if there are any: one that is kept, or else in `storage`.
  const PathNumber& conditional(NodeIndex x, Eigen::Index i, NodeIndex y, Eigen::Index j,
                                PathNumber& storage);

  Eigen::Index paths() const { return normals_.count(); }

 private:
  PathNumber constant(NodeIndex x, Eigen::Index i, NodeIndex y, Eigen::Index j) const;
  PathNumber combination(NodeIndex x, Eigen::Index i, NodeIndex y, Eigen::Index j);
  PathNumber atoms(const ConditionalForm& form, NodeIndex x, Eigen::Index i, NodeIndex y, Eigen::Index j);
  std::vector<Coordinates::Term> terms(NodeIndex node, Eigen::Index column);
  void multiply(PathNumber& number, NodeIndex node, Eigen::Index column);
  void add_form_changes(PathNumber& number, NodeIndex x, Eigen::Index i, NodeIndex y, Eigen::Index j);

  Values& values_;
  ConditionalForms& forms_;
  BlockNormals& normals_;
  std::unique_ptr<Coordinates> coordinates_;
  const Changes* changes_ = nullptr;
  std::vector<FormChanges>* form_changes_ = nullptr;
  std::unique_ptr<CoordinateChanges> coordinate_changes_;
  std::map<std::pair<Column, Column>, PathNumber> conditionals_;
};

}  // namespace nngpcheck::analytic
