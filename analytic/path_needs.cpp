#include "analytic/path_needs.hpp"

#include <algorithm>

namespace nngpcheck::analytic {

namespace {

Families families_of(const Structure& structure, NodeIndex node) {
  return node == one ? Families{} : structure.families(node);
}

std::vector<NodeIndex> atoms_of(const Structure& structure, NodeIndex node) {
  return node == one ? std::vector<NodeIndex>{one} : structure.atoms(node);
}

bool is_atom(const Structure& structure, NodeIndex node) { return node == one || structure.is_atom(node); }

}  // namespace

bool independent_of(const Structure& structure, const Families& sampled, NodeIndex x, NodeIndex y) {
  return disjoint(families_of(structure, x), sampled) && disjoint(families_of(structure, y), sampled);
}

void PathNeeds::add(const PathNeeds& other) {
  missing = unite(missing, other.missing);
  leaves.insert(other.leaves.begin(), other.leaves.end());
  constants.insert(other.constants.begin(), other.constants.end());
  pairs.insert(other.pairs.begin(), other.pairs.end());
}

bool PathAnalysis::known(NodeIndex node, const Families& sampled) const {
  return subset(families_of(structure_, node), sampled);
}

void PathAnalysis::add_leaves(PathNeeds& needs, NodeIndex node) const {
  if (node != one) needs.leaves.insert(structure_.leaves(node).begin(), structure_.leaves(node).end());
}

void PathAnalysis::add_pair(PathNeeds& needs, NodeIndex x, NodeIndex y, const Families& sampled) const {
  if (known(x, sampled) && known(y, sampled)) {
    add_leaves(needs, x);
    add_leaves(needs, y);
  } else if (independent_of(structure_, sampled, x, y)) {
    const NodeIndex node = x == one ? y : x;
    needs.constants.insert(x == one || y == one ? Demand::mean(node) : Demand::moment(x, y));
  } else {
    needs.pairs.emplace(std::min(x, y), std::max(x, y));
  }
}

PathNeeds PathAnalysis::direct(PathNeeds::Pair pair, const Families& sampled,
                               const Families& elsewhere) const {
  const auto [x, y] = pair;
  PathNeeds needs;
  if (known(x, sampled) && known(y, sampled)) {
    add_leaves(needs, x);
    add_leaves(needs, y);
    return needs;
  }
  if (!is_atom(structure_, x) || !is_atom(structure_, y)) {
    for (const NodeIndex a : atoms_of(structure_, x)) {
      for (const NodeIndex b : atoms_of(structure_, y)) add_pair(needs, a, b, sampled);
    }
    return needs;
  }
  const Factorization factors = factorize(structure_, x, y, sampled);
  for (const NodeIndex factor : factors.known_left) add_leaves(needs, factor);
  for (const NodeIndex factor : factors.known_right) add_leaves(needs, factor);
  for (const auto& group : factors.groups) {
    std::vector<NodeIndex> members = group.left;
    members.insert(members.end(), group.right.begin(), group.right.end());
    if (!group.is_pair()) {
      needs.missing = unite(needs.missing, to_sample(group, sampled, elsewhere));
    } else if (members.front() == x && members.back() == (y == one ? x : y)) {  // nothing left to take apart
      for (const NodeIndex member : members) {
        needs.missing = unite(needs.missing, without(structure_.families(member), sampled));
      }
    } else {
      add_pair(needs, members.front(), members.size() == 1 ? one : members.back(), sampled);
    }
  }
  return needs;
}

PathNeeds PathAnalysis::complete(PathNeeds::Pair pair, const Families& sampled) const {
  PathNeeds result;
  std::set<PathNeeds::Pair> visited = {pair};
  std::vector<PathNeeds::Pair> open = {pair};
  while (!open.empty()) {
    const PathNeeds needs = direct(open.back(), sampled, {});
    open.pop_back();
    for (const auto& next : needs.pairs) {
      if (visited.insert(next).second) open.push_back(next);
    }
    result.add(needs);
  }
  return result;
}

Families PathAnalysis::missing(PathNeeds::Pair pair, const Families& sampled, const Families& elsewhere) {
  std::set<PathNeeds::Pair>& settled = settled_[sampled];
  std::set<PathNeeds::Pair> visited = {pair};
  std::vector<PathNeeds::Pair> open = {pair};
  while (!open.empty()) {
    const PathNeeds needs = direct(open.back(), sampled, elsewhere);
    open.pop_back();
    if (!needs.missing.empty()) return needs.missing;
    for (const auto& next : needs.pairs) {
      if (!settled.contains(next) && visited.insert(next).second) open.push_back(next);
    }
  }
  settled.merge(visited);
  return {};
}

// The families that two factors on one side share; if there are none, one that takes the group apart, and
// rather one that is sampled anyway.
Families PathAnalysis::to_sample(const Factorization::Group& group, const Families& sampled,
                                 const Families& elsewhere) const {
  Families twice, all;
  for (const auto* side : {&group.left, &group.right}) {
    Families seen;
    for (const NodeIndex factor : *side) {
      const Families open = without(structure_.families(factor), sampled);
      twice = unite(twice, without(open, without(open, seen)));
      seen = unite(seen, open);
    }
    all = unite(all, seen);
  }
  if (!twice.empty()) return twice;
  const auto anyway = std::find_if(all.begin(), all.end(), [&](int family) {
    return std::binary_search(elsewhere.begin(), elsewhere.end(), family);
  });
  return {anyway == all.end() ? all.front() : *anyway};
}

}  // namespace nngpcheck::analytic
