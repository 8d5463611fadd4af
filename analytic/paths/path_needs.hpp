#pragma once

#include <map>
#include <set>
#include <utility>

#include "nngpcheck/analytic/columns/demand.hpp"
#include "nngpcheck/analytic/columns/factorization.hpp"

namespace nngpcheck::analytic {

/// How E[XᵀY | path] is found on paths that carry certain families, one step down. Planning asks for what it
/// takes, PathBlock evaluates it.
struct ConditionalForm {
  bool known;             // X and Y have a value on every path: its product
  bool constant;          // no sampled family touches them: E[XᵀY], or E[X], a number
  bool atoms;             // both are atoms; else the sum over their atoms' conditional moments
  Factorization factors;  // of unknown atoms: the known factors, times the conditional moment of each group

  /// What is in a group of at most two; with one factor the other is `one`.
  static std::pair<NodeIndex, NodeIndex> members(const Factorization::Group& group);
};

/// y may be `one`.
ConditionalForm conditional_form(const Structure& structure, const Families& sampled, NodeIndex x,
                                 NodeIndex y);

/// The conditional forms for paths of one system, each found once.
class ConditionalForms {
 public:
  ConditionalForms(const Structure& structure, const Families& sampled)
      : structure_(structure), sampled_(sampled) {}

  const ConditionalForm& of(NodeIndex x, NodeIndex y);
  const Families& sampled() const { return sampled_; }

 private:
  const Structure& structure_;
  const Families& sampled_;
  std::map<std::pair<NodeIndex, NodeIndex>, ConditionalForm> made_;
};

/// What a conditional form reads.
struct PathNeeds {
  using Pair = std::pair<NodeIndex, NodeIndex>;

  Families missing;            // families that the paths must carry and do not
  std::set<NodeIndex> known;   // bundles whose values on the paths are read
  std::set<NodeIndex> leaves;  // Gaussian bundles that they are functions of
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

  /// All the way down: no pairs.
  PathNeeds complete(PathNeeds::Pair pair, const Families& sampled) const;

  /// Families that are missing anywhere below the pair; none once `sampled` is enough.
  Families missing(PathNeeds::Pair pair, const Families& sampled, const Families& elsewhere);

 private:
  void add_known(PathNeeds& needs, NodeIndex node) const;
  void add_pair(PathNeeds& needs, NodeIndex x, NodeIndex y, const Families& sampled) const;
  Families to_sample(const Factorization::Group& group, const Families& sampled,
                     const Families& elsewhere) const;

  const Structure& structure_;
  std::map<Families, std::set<PathNeeds::Pair>> settled_;
};

}  // namespace nngpcheck::analytic
