#pragma once

#include <map>
#include <set>
#include <utility>

#include "analytic/factorization.hpp"
#include "analytic/plan.hpp"

namespace nngpcheck::analytic {

/// Whether E[XᵀY] is a number for paths that carry `sampled`: it depends on none of these families. y may be
/// `one`.
bool independent_of(const Structure& structure, const Families& sampled, NodeIndex x, NodeIndex y);

/// What the conditional moments E[XᵀY | path] of one pair are made of, one step down. PathBlock evaluates by
/// the same cases.
struct PathNeeds {
  using Pair = std::pair<NodeIndex, NodeIndex>;

  Families missing;            // families that the paths must carry and do not
  std::set<NodeIndex> leaves;  // Gaussian bundles that they sample
  std::set<Demand> constants;  // moments and means that enter as numbers
  std::set<Pair> pairs;        // conditional moments of other pairs

  void add(const PathNeeds& other);
};

/// Finds what paths need, and remembers which pairs are settled: thousands of pairs share what they are made
/// of.
class PathAnalysis {
 public:
  explicit PathAnalysis(const Structure& structure) : structure_(structure) {}

  /// One step down, for paths that carry `sampled`. `elsewhere`: families that paths of other steps carry.
  PathNeeds direct(PathNeeds::Pair pair, const Families& sampled, const Families& elsewhere) const;

  /// All the way down: leaves and constants only.
  PathNeeds complete(PathNeeds::Pair pair, const Families& sampled) const;

  /// Families that are missing anywhere below the pair; none once `sampled` is enough.
  Families missing(PathNeeds::Pair pair, const Families& sampled, const Families& elsewhere);

 private:
  bool known(NodeIndex node, const Families& sampled) const;
  void add_leaves(PathNeeds& needs, NodeIndex node) const;
  void add_pair(PathNeeds& needs, NodeIndex x, NodeIndex y, const Families& sampled) const;
  Families to_sample(const Factorization::Group& group, const Families& sampled,
                     const Families& elsewhere) const;

  const Structure& structure_;
  std::map<Families, std::set<PathNeeds::Pair>> settled_;
};

}  // namespace nngpcheck::analytic
