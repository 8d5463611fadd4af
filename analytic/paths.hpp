// Rule 5: randomized quasi-Monte Carlo over limit paths.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "analytic/path_block.hpp"
#include "analytic/plan.hpp"
#include "analytic/sobol.hpp"

namespace nngpcheck::analytic {

class Evaluation;

/// Draws columns one after the other, each from its conditional law given the earlier ones of its family:
/// rows of an incremental Cholesky factor. A column that is a combination of earlier ones (zero pivot) needs
/// no coordinate.
class ConditionalDraws {
 public:
  explicit ConditionalDraws(const Evaluation& values) : values_(values) {}

  /// Throws LimitError if the covariance is far from positive semidefinite.
  const Draw& append(Column column);

 private:
  struct Row {
    Draw draw;
    std::vector<double> factor;  // on this column's and the earlier columns' own normals
  };

  const Evaluation& values_;
  std::map<int, std::vector<Row>> families_;
  int coordinates_ = 0;
};

/// N paths of the families that one system samples, one randomization:
///     E[xy] = (1/N) Σ_paths E[xy | path].
class Paths {
 public:
  /// `system` is one of the plan's.
  Paths(Evaluation& values, int system, int log2_points, std::uint64_t seed);

  /// Draws the columns of a leaf for all later averages. Throws LimitError if the paths need more coordinates
  /// than the Sobol sequence has.
  void sample(NodeIndex leaf);

  /// E[XᵀY] over the common paths, m×m'; y = one gives E[X], m×1.
  Eigen::MatrixXd average(NodeIndex x, NodeIndex y);

  /// The same where every entry has paths of its own, in the columns that it depends on and no others.
  Eigen::MatrixXd average_locally(NodeIndex x, NodeIndex y);

  Eigen::Index points() const { return Eigen::Index{1} << log2_points_; }

 private:
  /// Points and the blocks they are cut into.
  struct Points {
    Points(int dimension, int log2_points, std::uint64_t seed);
    ScrambledSobol sobol;
    std::vector<BlockNormals> blocks;
  };

  Eigen::MatrixXd block_sums(PathBlock& block, NodeIndex x, NodeIndex y) const;

  Evaluation& values_;
  int system_;
  int log2_points_;
  std::uint64_t seed_;
  std::unique_ptr<Points> common_, local_;
  ConditionalDraws draws_;
  std::vector<PathBlock> blocks_;
};

}  // namespace nngpcheck::analytic
