#include "nngpcheck/analytic/columns/structure.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>

#include "nngpcheck/netsor/passes/traits.hpp"

namespace nngpcheck::analytic {

namespace {

using netsor::Overloaded;

std::vector<NodeIndex> merge(const std::vector<NodeIndex>& left, const std::vector<NodeIndex>& right) {
  std::vector<NodeIndex> result;
  std::set_union(left.begin(), left.end(), right.begin(), right.end(), std::back_inserter(result));
  return result;
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
  const netsor::Operation& operation = program_.nodes()[node].operation;
  switch (netsor::form(operation)) {
    case netsor::Form::source:
      facts.sources = {node};
      break;
    case netsor::Form::linear:
      for (const auto& [operand, columns] : netsor::bundle_operands(operation)) {
        inherit(operand.index());
        facts.selects = facts.selects && netsor::reads_one_column(columns, this->columns(operand.index()));
      }
      for (const auto& [table, columns] : netsor::table_operands(operation)) {
        facts.tables = merge(facts.tables, {table.index()});
      }
      break;
    case netsor::Form::pointwise:
    case netsor::Form::groupwise:
      facts.atoms = {node};
      for (const auto& [operand, columns] : netsor::bundle_operands(operation)) {
        facts.leaves = merge(facts.leaves, facts_[operand.index()].leaves);
      }
      if (const auto* product = std::get_if<netsor::Mul>(&operation)) {
        facts.factors = {product->left.index(), product->right.index()};
      }
      break;
    case netsor::Form::table:
      break;
  }
  if (gaussian(node)) {
    facts.atoms = facts.leaves = {node};
  } else if (!is_atom(node)) {
    for (const NodeIndex a : facts.atoms) facts.leaves = merge(facts.leaves, facts_[a].leaves);
  }
}

// Union–find over random objects: those that meet in a Gaussian bundle are one family.
void Structure::find_families() {
  std::map<netsor::RandomObject, int> number;
  std::vector<int> parent;
  const std::function<int(int)> root = [&](int f) {
    while (parent[static_cast<std::size_t>(f)] != f) f = parent[static_cast<std::size_t>(f)];
    return f;
  };
  const auto objects = [&](NodeIndex gaussian_node) {
    std::vector<int> result;
    for (const NodeIndex source : facts_[gaussian_node].sources) {
      const auto object = netsor::random_object(program_.nodes()[source].operation);
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

double Structure::mean_of_source(NodeIndex source) const {
  return netsor::visit<netsor::Form::source>(
      Overloaded{
          [](const netsor::Input&) { return 0.0; },
          [&](const netsor::BiasColumn& op) { return program_[op.bias].mean; },
          [](const netsor::Ones&) { return 1.0; },
          [](const netsor::MatMul&) { return 0.0; },
      },
      program_.nodes()[source].operation);
}

bool Structure::same_object(NodeIndex left, NodeIndex right) const {
  const auto object = netsor::random_object(program_.nodes()[left].operation);
  return object && object == netsor::random_object(program_.nodes()[right].operation);
}

}  // namespace nngpcheck::analytic
