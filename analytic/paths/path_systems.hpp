#pragma once

#include <map>
#include <set>

#include "nngpcheck/analytic/columns/structure.hpp"

namespace nngpcheck::analytic {

/// Which families are sampled together, and which Gaussian bundles that takes.
struct PathSystems {
  std::map<int, Families> families;            // of each system, by the first of them; disjoint
  std::set<int> common;                        // systems whose steps share their paths
  std::set<NodeIndex> leaves;                  // Gaussian bundles on common paths, in the order of sampling
  std::map<int, netsor::Index> local_columns;  // of each system: most columns that a local entry depends on
};

}  // namespace nngpcheck::analytic
