// Which expectations the limit of a program needs, in which order, and by which rule: EXPLAIN for kernels.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "analytic/structure.hpp"

namespace nngpcheck::analytic {

/// An order parameter of the limit, or a step towards one.
struct Demand {
  enum class Kind {
    mean,         // E[X], m×1
    covariance,   // of two Gaussian bundles, m×m'
    moment,       // E[XᵀY], m×m'
    table,        // the value of a table
    sample,       // paths of a Gaussian bundle: no number, but what later paths are conditioned on
    conditional,  // E[XᵀY | path], on paths of one system: no number, but one per path
  };
  Kind kind;
  NodeIndex left;
  NodeIndex right;        // ≥ left; `one` for means, `left` for tables and samples
  bool diagonal = false;  // only the diagonal, as m×1; needs left = right
  int system = -1;        // of a conditional: whose paths

  static Demand mean(NodeIndex x) { return {Kind::mean, x, one}; }
  static Demand covariance(NodeIndex x, NodeIndex y) {
    return {Kind::covariance, std::min(x, y), std::max(x, y)};
  }
  static Demand moment(NodeIndex x, NodeIndex y) { return {Kind::moment, std::min(x, y), std::max(x, y)}; }
  static Demand variance(NodeIndex x) { return {Kind::covariance, x, x, true}; }
  static Demand second_moment(NodeIndex x) { return {Kind::moment, x, x, true}; }
  static Demand table(NodeIndex t) { return {Kind::table, t, t}; }
  static Demand conditional(NodeIndex x, NodeIndex y, int system) {
    return {Kind::conditional, std::min(x, y), std::max(x, y), false, system};
  }
  static Demand sample(NodeIndex leaf) { return {Kind::sample, leaf, leaf}; }

  friend auto operator<=>(const Demand&, const Demand&) = default;
};

/// How a demand is met.
enum class Method {
  zero,         // a factor of mean 0 is independent of the rest
  linear,       // from moments or means of atoms, random objects and data
  gaussian,     // covariance + product of means
  product,      // independent factors: product of their moments
  dual,         // E[φ(u)ψ(v)] or E[φ(u)]: dual.hpp
  batch_norm,   // batch_norm.hpp
  table,        // a function of moments, means and tables
  sample,       // next columns of the paths
  conditional,  // nothing yet: its arguments are at hand when an average asks for it
  paths,        // average over paths
};

struct Step {
  Demand demand;
  Method method;
  std::vector<Demand> dependencies;
  bool replicated = false;  // depends on random paths, so it is computed once per randomization
  int system = -1;          // of paths and samples
  bool local = false;       // every entry on paths of its own
};

/// Steps in an order in which each finds its dependencies met.
struct Plan {
  std::vector<Step> steps;
  std::map<Demand, std::size_t> position;  // of the step that meets a demand
  std::map<int, Families> systems;  // families that are sampled together, by the first of them; disjoint
  std::set<int> common;             // systems whose steps share their paths
  std::set<NodeIndex> leaves;       // Gaussian bundles on common paths, in the order of sampling
  std::map<int, netsor::Index> local_columns;  // of each system: most columns that a local entry depends on

  bool contains(const Demand& demand) const { return position.contains(demand); }
  const Step& step(const Demand& demand) const { return steps[position.at(demand)]; }

  /// The demand that gives E[XᵀY] or the covariance's diagonal: a planned full one before a diagonal one.
  Demand diagonal_source(Demand diagonal) const {
    const Demand full{diagonal.kind, diagonal.left, diagonal.right};
    return contains(full) ? full : diagonal;
  }
};

/// The plan for these goals. With force_paths, rule 5 replaces rules 2 to 4 for moments.
/// Throws LimitError if a limit does not exist.
Plan make_plan(const Structure& structure, const std::vector<Demand>& goals, bool force_paths);

}  // namespace nngpcheck::analytic
