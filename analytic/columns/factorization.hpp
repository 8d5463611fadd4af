#pragma once

#include <vector>

#include "nngpcheck/analytic/columns/structure.hpp"

namespace nngpcheck::analytic {

/// E[XᵀY] as a product of expectations: factors of X and of Y that are connected by common families form a
/// group, independent of the other groups.
struct Factorization {
  struct Group {
    std::vector<NodeIndex> left, right;
    bool is_pair() const { return left.size() + right.size() <= 2; }
  };
  std::vector<Group> groups;
  std::vector<NodeIndex> known_left, known_right;  // functions of families whose values are known
};

/// Products are taken apart only where that is needed to make groups of at most two factors. With no `known`
/// families every factor is in a group.
Factorization factorize(const Structure& structure, NodeIndex x, NodeIndex y, const Families& known);

}  // namespace nngpcheck::analytic
