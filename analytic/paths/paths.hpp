// Rule 5: randomized quasi-Monte Carlo over limit paths.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "nngpcheck/analytic/paths/conditional_draws.hpp"
#include "nngpcheck/analytic/paths/path_block.hpp"
#include "nngpcheck/analytic/paths/path_systems.hpp"
#include "nngpcheck/analytic/paths/sobol.hpp"
#include "nngpcheck/support/progress.hpp"

namespace nngpcheck::analytic {

/// How expectations over paths change. Pathwise: with their columns. Score: with the columns' law, for
/// functions that jump.
enum class PathDerivative { pathwise, score };

/// An average over paths of E[xy | path], entry by entry, and of its absolute value, or what bounds that.
struct PathAverage {
  Eigen::MatrixXd value, size;
};

/// N paths of the families that one system samples, one randomization:
///     E[xy] = (1/N) Σ_paths E[xy | path].
class Paths {
 public:
  /// `system` is one of `systems`. `axes`: of an earlier run of the same plan, or null.
  Paths(Values& values, const PathSystems& systems, int system, const PrincipalAxes* axes, int log2_points,
        std::uint64_t seed, const Progress& progress = {});

  /// Draws the columns of a leaf for all later averages. Throws LimitError if the paths need more coordinates
  /// than the Sobol sequence has.
  void sample(NodeIndex leaf);

  /// E[XᵀY] over the common paths, m×m'; y = one gives E[X], m×1.
  PathAverage average(NodeIndex x, NodeIndex y);

  /// The same where every entry has paths of its own, in the columns that it depends on and no others.
  PathAverage average_locally(NodeIndex x, NodeIndex y);

  /// The changes of these averages, with the same points. For the score the expectation of f times the score
  /// is taken of f less its mean, which changes nothing but the error.
  Directions push(NodeIndex x, NodeIndex y, const Changes& changes, PathDerivative derivative);
  Directions push_locally(NodeIndex x, NodeIndex y, const Changes& changes, PathDerivative derivative);

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

  /// Of E[XᵀY].
  struct Shape {
    Eigen::Index rows, columns;
    bool symmetric;
  };
  Shape shape(NodeIndex x, NodeIndex y) const;
  PathAverage block_sums(PathBlock& block, NodeIndex x, NodeIndex y) const;
  Points& local_points();
  std::vector<Draw> draw_locally(ConditionalDraws& draws, const Column& x, const Column& y);

  using EntryList = std::vector<std::pair<Eigen::Index, Eigen::Index>>;
  Eigen::MatrixXd pushed(Points& points, const ConditionalDraws& draws, const std::vector<Draw>& drawn,
                         NodeIndex x, NodeIndex y, const EntryList& entries, const Changes& changes,
                         PathDerivative derivative);

  Values& values_;
  const PathSystems& systems_;
  int system_;
  int log2_points_;
  std::uint64_t seed_;
  Progress progress_;
  std::unique_ptr<Points> common_, local_;
  ConditionalForms forms_;
  ConditionalDraws draws_;
  std::vector<Draw> drawn_;
  std::vector<PathBlock> blocks_;
};

/// The paths of one randomization, by system, made when they are first asked for.
class PathPool {
 public:
  /// The principal axes of each system's common paths.
  using Axes = std::map<int, PrincipalAxes>;

  /// All references must outlive this object.
  PathPool(Values& values, const PathSystems& systems, const Axes& axes, int log2_points, std::uint64_t seed,
           Progress progress = {})
      : values_(values),
        systems_(systems),
        axes_(axes),
        log2_points_(log2_points),
        seed_(seed),
        progress_(std::move(progress)) {}

  Paths& operator[](int system);
  Axes principal_axes() const;
  void release();

 private:
  Values& values_;
  const PathSystems& systems_;
  const Axes& axes_;
  int log2_points_;
  std::uint64_t seed_;
  Progress progress_;
  std::map<int, Paths> paths_;
};

}  // namespace nngpcheck::analytic
