// Which expectations the limit of a program needs, in which order, and by which rule: EXPLAIN for kernels.
#pragma once

#include <vector>

#include "nngpcheck/analytic/paths/path_systems.hpp"
#include "nngpcheck/analytic/rules/step.hpp"

namespace nngpcheck::analytic {

/// Steps in an order in which each finds its needs met.
struct Plan {
  struct Entry {
    StepPointer step;
    bool replicated;  // depends on random paths, so it is computed once per randomization
  };
  std::vector<Entry> entries;
  DemandMap<std::size_t> position;  // of the step that meets a demand
  PathSystems systems;

  bool contains(const Demand& demand) const { return position.contains(demand); }
  const Entry& entry(const Demand& demand) const { return entries[position.at(demand)]; }
};

/// The plan for these goals. With force_paths, rule 5 replaces rules 2 to 4 for moments. `structure` must
/// outlive it. Throws LimitError if a limit does not exist.
Plan make_plan(const Structure& structure, const std::vector<Demand>& goals, bool force_paths);

}  // namespace nngpcheck::analytic
