// Rule 5: randomized quasi-Monte Carlo over limit paths.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <memory>
#include <vector>

#include "analytic/conditional_draws.hpp"
#include "analytic/path_block.hpp"
#include "analytic/plan.hpp"
#include "analytic/sobol.hpp"

namespace nngpcheck::analytic {

class Evaluation;

/// Averages over paths, and of each, from above, that of the absolute value: the size that errors are
/// relative to where terms cancel.
struct Averages {
  Eigen::MatrixXd value;
  Eigen::MatrixXd magnitude;
};

/// N paths of the families that one system samples, one randomization:
///     E[xy] = (1/N) Σ_paths E[xy | path].
class Paths {
 public:
  /// `system` is one of the plan's. `axes`: of an earlier run of the same plan, or null.
  Paths(Evaluation& values, int system, const PrincipalAxes* axes, int log2_points, std::uint64_t seed);

  /// Draws the columns of a leaf for all later averages. Throws LimitError if the paths need more coordinates
  /// than the Sobol sequence has.
  void sample(NodeIndex leaf);

  /// E[XᵀY] over the common paths, m×m'; y = one gives E[X], m×1.
  Averages average(NodeIndex x, NodeIndex y);

  /// The same where every entry has paths of its own, in the columns that it depends on and no others.
  Averages average_locally(NodeIndex x, NodeIndex y);

  /// Of all columns on common paths.
  PrincipalAxes principal_axes() const { return draws_.principal_axes(); }

  /// Gives back the memory of the paths, for good.
  void release();

  Eigen::Index points() const { return Eigen::Index{1} << log2_points_; }

 private:
  /// Points and the blocks they are cut into.
  struct Points {
    Points(int dimension, int log2_points, std::uint64_t seed);
    ScrambledSobol sobol;
    std::vector<BlockNormals> blocks;
  };

  Averages block_sums(PathBlock& block, NodeIndex x, NodeIndex y) const;

  Evaluation& values_;
  int system_;
  int log2_points_;
  std::uint64_t seed_;
  std::unique_ptr<Points> common_, local_;
  ConditionalDraws draws_;
  std::vector<PathBlock> blocks_;
};

}  // namespace nngpcheck::analytic
