#include "analytic/structure.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <optional>

namespace nngpcheck::analytic {

namespace {

using netsor::Overloaded;

std::vector<NodeIndex> merge(const std::vector<NodeIndex>& left, const std::vector<NodeIndex>& right) {
  std::vector<NodeIndex> result;
  std::set_union(left.begin(), left.end(), right.begin(), right.end(), std::back_inserter(result));
  return result;
}

// Which random object a Gaussian source is a use of: its kind and number.
std::optional<std::pair<int, std::uint32_t>> random_object(const netsor::Operation& operation) {
  using Result = std::optional<std::pair<int, std::uint32_t>>;
  return std::visit(Overloaded{
                        [](const netsor::Input& op) {
                          return Result({0, op.weight.index()});
                        },
                        [](const netsor::MatMul& op) {
                          return Result({1, op.weight.index()});
                        },
                        [](const netsor::BiasColumn& op) {
                          return Result({2, op.bias.index()});
                        },
                        [](const auto&) { return Result(); },
                    },
                    operation);
}

bool one_per_column(const netsor::SparseMatrix& matrix) {
  for (netsor::Index j = 0; j < matrix.cols(); ++j) {
    if (matrix.outerIndexPtr()[j + 1] - matrix.outerIndexPtr()[j] > 1) return false;
  }
  return true;
}

}  // namespace

Families unite(const Families& left, const Families& right) {
  Families result;
  std::set_union(left.begin(), left.end(), right.begin(), right.end(), std::back_inserter(result));
  return result;
}

bool disjoint(const Families& left, const Families& right) {
  return std::none_of(left.begin(), left.end(),
                      [&](int f) { return std::binary_search(right.begin(), right.end(), f); });
}

bool subset(const Families& part, const Families& whole) {
  return std::includes(whole.begin(), whole.end(), part.begin(), part.end());
}

Families without(const Families& whole, const Families& part) {
  Families result;
  std::set_difference(whole.begin(), whole.end(), part.begin(), part.end(), std::back_inserter(result));
  return result;
}

Structure::Structure(const netsor::Program& program) : program_(program), facts_(program.nodes().size()) {
  for (NodeIndex node = 0; node < facts_.size(); ++node) {
    if (std::holds_alternative<netsor::BundleType>(program.nodes()[node].type)) find_atoms(node);
  }
  find_families();
}

// Facts of one bundle, from those of its operands.
void Structure::find_atoms(NodeIndex node) {
  Facts& facts = facts_[node];
  facts.factors = {node};
  const auto inherit = [&](NodeIndex operand) {
    const Facts& other = facts_[operand];
    facts.selects = facts.selects && other.selects &&
                    std::none_of(facts.sources.begin(), facts.sources.end(), [&](NodeIndex source) {
                      return std::binary_search(other.sources.begin(), other.sources.end(), source);
                    });
    facts.sources = merge(facts.sources, other.sources);
    facts.atoms = merge(facts.atoms, other.atoms);
    if (gaussian(operand) == gaussian(node)) facts.tables = merge(facts.tables, other.tables);
  };
  const auto atom = [&](std::initializer_list<NodeIndex> operands) {
    facts.atoms = {node};
    for (const NodeIndex operand : operands) facts.leaves = merge(facts.leaves, facts_[operand].leaves);
  };
  std::visit(Overloaded{
                 [&](const netsor::Mix& op) {
                   inherit(op.argument.index());
                   facts.selects = facts.selects && one_per_column(*op.matrix);
                 },
                 [&](const netsor::TableMix& op) {
                   inherit(op.argument.index());
                   facts.tables = merge(facts.tables, {op.table.index()});
                   facts.selects = false;
                 },
                 [&](const netsor::Add& op) {
                   for (const auto& term : op.terms) inherit(term.bundle.index());
                 },
                 [&](const netsor::Scale& op) {
                   inherit(op.argument.index());
                   facts.tables = merge(facts.tables, {op.factors.index()});
                 },
                 [&](const netsor::Map& op) { atom({op.argument.index()}); },
                 [&](const netsor::Mul& op) {
                   atom({op.left.index(), op.right.index()});
                   facts.factors = {op.left.index(), op.right.index()};
                 },
                 [&](const netsor::Max& op) {
                   atom({op.left.index(), op.right.index()});
                 },
                 [&](const netsor::Standardize& op) { atom({op.argument.index()}); },
                 [&](const auto&) { facts.sources = {node}; },
             },
             program_.nodes()[node].operation);
  if (gaussian(node)) {
    facts.atoms = facts.leaves = {node};
  } else if (!is_atom(node)) {
    for (const NodeIndex a : facts.atoms) facts.leaves = merge(facts.leaves, facts_[a].leaves);
  }
}

// Union–find over random objects: those that meet in a Gaussian bundle are one family.
void Structure::find_families() {
  std::map<std::pair<int, std::uint32_t>, int> number;
  std::vector<int> parent;
  const std::function<int(int)> root = [&](int f) {
    while (parent[static_cast<std::size_t>(f)] != f) f = parent[static_cast<std::size_t>(f)];
    return f;
  };
  const auto objects = [&](NodeIndex gaussian_node) {
    std::vector<int> result;
    for (const NodeIndex source : facts_[gaussian_node].sources) {
      const auto object = random_object(program_.nodes()[source].operation);
      if (!object) continue;
      const auto [entry, added] = number.try_emplace(*object, static_cast<int>(parent.size()));
      if (added) parent.push_back(entry->second);
      result.push_back(entry->second);
    }
    return result;
  };
  for (NodeIndex node = 0; node < facts_.size(); ++node) {
    if (facts_[node].atoms.empty() || !gaussian(node)) continue;
    const std::vector<int> met = objects(node);
    for (const int other : met) parent[static_cast<std::size_t>(root(other))] = root(met.front());
  }
  for (NodeIndex node = 0; node < facts_.size(); ++node) {
    for (const NodeIndex leaf : facts_[node].leaves) {
      Families roots;
      for (const int object : objects(leaf)) roots.push_back(root(object));
      std::sort(roots.begin(), roots.end());
      roots.erase(std::unique(roots.begin(), roots.end()), roots.end());
      facts_[node].families = unite(facts_[node].families, roots);
    }
  }
}

bool Structure::same_object(NodeIndex left, NodeIndex right) const {
  const auto object = random_object(program_.nodes()[left].operation);
  return object && object == random_object(program_.nodes()[right].operation);
}

}  // namespace nngpcheck::analytic
