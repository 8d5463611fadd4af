// The rules of the limit, one file each.
#pragma once

#include <functional>

#include "nngpcheck/analytic/columns/asked.hpp"
#include "nngpcheck/analytic/paths/path_needs.hpp"
#include "nngpcheck/analytic/paths/path_systems.hpp"
#include "nngpcheck/analytic/rules/step.hpp"

namespace nngpcheck::analytic {

/// What rules may ask while a plan is made, and where rule 5 notes what is sampled. Plans are made in passes,
/// until nothing changes.
struct Planning {
  const Structure& structure;
  const Asked& asked;
  bool force_paths;                                // rule 5 replaces rules 2 to 4
  bool has_tables;                                 // the program
  std::function<bool(const Demand&)> was_planned;  // by the pass before
  const PathSystems& before;                       // as the pass before left them
  PathSystems& systems;                            // of this pass
  PathAnalysis& analysis;

  /// The demand to read a diagonal from: one for more entries where that is wanted anyway.
  Demand diagonal(const Demand& demand) const;

  /// Of E[XᵀX] or cov(X, X): the entries of a bundle that the limit needs, if the entries of this demand are
  /// those that it needs of the demand's bundle, which reads it; otherwise all.
  Pattern entries_for(const Demand& demand, NodeIndex bundle) const;

  /// The demand to read E[x_j²] from: one for all entries where only that can be computed.
  Demand second_moment(NodeIndex x) const;
};

/// Says when a rule applies: makes a step of a demand, or null where it does not.
using Resolver = StepPointer(const Planning& planning, const Demand& demand);

Resolver gaussian_rule;    // 1: E[XᵀY] = covariance + product of means
Resolver linear_rule;      // 1: a combination of what sources or atoms have
Resolver zero_rule;        // 1: a factor of mean 0 is independent of the rest
Resolver product_rule;     // 1: independent factors
Resolver dual_rule;        // 2, 3: E[φ(u)ψ(v)]
Resolver batch_norm_rule;  // 4
Resolver table_rule;
Resolver paths_rule;  // 5; applies to everything that is left

/// The step of the first rule that applies.
StepPointer resolve(const Planning& planning, const Demand& demand);

/// The tables that the coefficients of these bundles read, as demands.
std::vector<Demand> tables_of(const Structure& structure, std::initializer_list<NodeIndex> nodes);

}  // namespace nngpcheck::analytic
