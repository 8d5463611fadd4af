#include "nngpcheck/analytic/paths/path_needs.hpp"

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

std::pair<NodeIndex, NodeIndex> ConditionalForm::members(const Factorization::Group& group) {
  std::vector<NodeIndex> all = group.left;
  all.insert(all.end(), group.right.begin(), group.right.end());
  return {all.front(), all.size() == 1 ? one : all.back()};
}

ConditionalForm conditional_form(const Structure& structure, const Families& sampled, NodeIndex x,
                                 NodeIndex y) {
  const Families left = families_of(structure, x), right = families_of(structure, y);
  ConditionalForm result{subset(left, sampled) && subset(right, sampled),
                         disjoint(left, sampled) && disjoint(right, sampled),
                         is_atom(structure, x) && is_atom(structure, y),
                         {}};
  if (!result.known && result.atoms) result.factors = factorize(structure, x, y, sampled);
  return result;
}

const ConditionalForm& ConditionalForms::of(NodeIndex x, NodeIndex y) {
  const auto found = made_.find({x, y});
  if (found != made_.end()) return found->second;
  return made_.emplace(std::pair(x, y), conditional_form(structure_, sampled_, x, y)).first->second;
}

void PathNeeds::add(const PathNeeds& other) {
  missing = unite(missing, other.missing);
  known.insert(other.known.begin(), other.known.end());
  leaves.insert(other.leaves.begin(), other.leaves.end());
  constants.insert(other.constants.begin(), other.constants.end());
  pairs.insert(other.pairs.begin(), other.pairs.end());
}

void PathAnalysis::add_known(PathNeeds& needs, NodeIndex node) const {
  if (node == one) return;
  needs.known.insert(node);
  needs.leaves.insert(structure_.leaves(node).begin(), structure_.leaves(node).end());
}

void PathAnalysis::add_pair(PathNeeds& needs, NodeIndex x, NodeIndex y, const Families& sampled) const {
  const Families left = families_of(structure_, x), right = families_of(structure_, y);
  if (subset(left, sampled) && subset(right, sampled)) {
    add_known(needs, x);
    add_known(needs, y);
  } else if (disjoint(left, sampled) && disjoint(right, sampled)) {
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
  const ConditionalForm form = conditional_form(structure_, sampled, x, y);
  if (form.known) {
    add_known(needs, x);
    add_known(needs, y);
  } else if (!form.atoms) {
    for (const NodeIndex a : atoms_of(structure_, x)) {
      for (const NodeIndex b : atoms_of(structure_, y)) add_pair(needs, a, b, sampled);
    }
  }
  for (const NodeIndex factor : form.factors.known_left) add_known(needs, factor);
  for (const NodeIndex factor : form.factors.known_right) add_known(needs, factor);
  for (const auto& group : form.factors.groups) {
    if (!group.is_pair()) {
      needs.missing = unite(needs.missing, to_sample(group, sampled, elsewhere));
      continue;
    }
    const auto [first, second] = ConditionalForm::members(group);
    const NodeIndex last = second == one ? first : second;
    if (first == x && last == (y == one ? x : y)) {  // nothing left to take apart
      for (const NodeIndex member : {first, last}) {
        needs.missing = unite(needs.missing, without(structure_.families(member), sampled));
      }
    } else {
      add_pair(needs, first, second, sampled);
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
