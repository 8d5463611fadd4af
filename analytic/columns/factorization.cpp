#include "nngpcheck/analytic/columns/factorization.hpp"

namespace nngpcheck::analytic {

namespace {

struct OpenGroup {
  Factorization::Group factors;
  Families families;
};

void insert(std::vector<OpenGroup>& groups, const Structure& structure, NodeIndex factor, bool on_left,
            const Families& known) {
  OpenGroup merged{{}, without(structure.families(factor), known)};
  for (auto group = groups.begin(); group != groups.end();) {
    if (disjoint(group->families, merged.families)) {
      ++group;
      continue;
    }
    merged.families = unite(merged.families, group->families);
    auto& [left, right] = group->factors;
    merged.factors.left.insert(merged.factors.left.end(), left.begin(), left.end());
    merged.factors.right.insert(merged.factors.right.end(), right.begin(), right.end());
    group = groups.erase(group);
  }
  (on_left ? merged.factors.left : merged.factors.right).push_back(factor);
  groups.push_back(std::move(merged));
}

// The list with its products replaced by their factors, and whether there were any.
bool take_apart(std::vector<NodeIndex>& factors, const Structure& structure) {
  std::vector<NodeIndex> result;
  for (const NodeIndex factor : factors) {
    const auto& parts = structure.factors(factor);
    result.insert(result.end(), parts.begin(), parts.end());
  }
  const bool changed = result.size() > factors.size();
  factors = std::move(result);
  return changed;
}

}  // namespace

Factorization factorize(const Structure& structure, NodeIndex x, NodeIndex y, const Families& known) {
  std::vector<NodeIndex> left = structure.factors(x);
  std::vector<NodeIndex> right = y == one ? std::vector<NodeIndex>{} : structure.factors(y);
  Factorization result;
  while (!left.empty() || !right.empty()) {
    std::vector<OpenGroup> groups;
    for (const bool on_left : {true, false}) {
      for (const NodeIndex factor : on_left ? left : right) {
        if (!known.empty() && subset(structure.families(factor), known)) {
          (on_left ? result.known_left : result.known_right).push_back(factor);
        } else {
          insert(groups, structure, factor, on_left, known);
        }
      }
    }
    left.clear();
    right.clear();
    for (OpenGroup& group : groups) {
      auto& [group_left, group_right] = group.factors;
      if (group.factors.is_pair()) {
        result.groups.push_back(group.factors);
        continue;
      }
      const bool left_changed = take_apart(group_left, structure);
      const bool right_changed = take_apart(group_right, structure);
      if (!left_changed && !right_changed) {
        result.groups.push_back(group.factors);
      } else {
        left.insert(left.end(), group_left.begin(), group_left.end());
        right.insert(right.end(), group_right.begin(), group_right.end());
      }
    }
  }
  return result;
}

}  // namespace nngpcheck::analytic
