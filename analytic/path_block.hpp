// A block of limit paths: arrays of numbers, one per path.
#pragma once

#include <Eigen/Core>
#include <map>
#include <utility>
#include <vector>

#include "analytic/conditional_draws.hpp"
#include "analytic/plan.hpp"
#include "analytic/sobol.hpp"

namespace nngpcheck::analytic {

class Evaluation;

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

/// Everything else on a path is coordinatewise arithmetic on these arrays. A bundle all of whose families are
/// sampled is *known*: it has a value on each path. For other bundles there are conditional moments E[xy |
/// path], which are linear, split over independent factors, and are a number already known for pairs that no
/// sampled family touches.
class PathBlock {
 public:
  /// `values` gives means, moments and linear forms, as far as the plan has come.
  PathBlock(Evaluation& values, const Families& sampled, BlockNormals& normals)
      : values_(values), sampled_(sampled), normals_(normals) {}

  void draw(const Draw& draw);

  bool known(NodeIndex node) const;

  /// Precondition: known(node), and its leaves are drawn.
  const Eigen::ArrayXd& value(NodeIndex node, Eigen::Index column);

  /// Σ over the block's paths of E[x_i y_j | path], and of its absolute value; y may be `one`.
  struct Sum {
    double value = 0;
    double magnitude = 0;
  };
  Sum sum(NodeIndex x, Eigen::Index i, NodeIndex y, Eigen::Index j);

 private:
  /// A number for all paths, or one per path.
  struct Conditional {
    double constant = 0;
    Eigen::ArrayXd array;  // empty: the constant
    void add(double coefficient, const Conditional& other);
    void multiply(const Conditional& other);
    void multiply(const Eigen::ArrayXd& other);
  };

  /// One column of a bundle as a combination of columns of atoms.
  struct Entry {
    NodeIndex atom;
    Eigen::Index column;
    double coefficient;
  };

  std::vector<Entry> entries(NodeIndex node, Eigen::Index column);
  Eigen::ArrayXd atom_value(NodeIndex node, Eigen::Index column);
  void standardize(NodeIndex node, int group);
  Conditional conditional(NodeIndex x, Eigen::Index i, NodeIndex y, Eigen::Index j);
  Conditional conditional_atoms(NodeIndex x, Eigen::Index i, NodeIndex y, Eigen::Index j);

  Evaluation& values_;
  const Families& sampled_;
  BlockNormals& normals_;
  std::map<Column, Eigen::ArrayXd> known_values_;
  std::map<std::pair<Column, Column>, Conditional> conditionals_;
};

}  // namespace nngpcheck::analytic
