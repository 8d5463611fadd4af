#include "nngpcheck/analytic/columns/asked.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "nngpcheck/analytic/columns/linear_form.hpp"
#include "nngpcheck/netsor/passes/traits.hpp"

namespace nngpcheck::analytic {

namespace {

using netsor::Index;
using Columns = std::vector<Index>;

/// The classes of a bundle's columns so far: union–find.
class Partition {
 public:
  explicit Partition(Index columns) : parent_(static_cast<std::size_t>(columns)) {
    std::iota(parent_.begin(), parent_.end(), Index{0});
  }

  void unite(const Columns& columns) {
    for (std::size_t k = 1; k < columns.size(); ++k) parent_[place(root(columns[k]))] = root(columns[0]);
  }

  ColumnClasses classes(NodeIndex bundle) {
    ColumnClasses result{bundle, {}, Columns(parent_.size()), 0};
    Columns number(parent_.size(), -1);  // of the class of a root
    for (Index j = 0; j < std::ssize(parent_); ++j) {
      Index& own = number[place(root(j))];
      if (own < 0) {
        own = std::ssize(result.members);
        result.members.emplace_back();
      }
      Columns& members = result.members[place(own)];
      result.place[place(j)] = std::ssize(members);
      members.push_back(j);
      result.largest = std::max<Index>(result.largest, std::ssize(members));
    }
    return result;
  }

 private:
  static std::size_t place(Index j) { return static_cast<std::size_t>(j); }
  Index root(Index j) {
    while (parent_[place(j)] != j) j = parent_[place(j)] = parent_[place(parent_[place(j)])];
    return j;
  }

  Columns parent_;
};

bool has_tables(const netsor::Program& program) {
  return std::any_of(program.nodes().begin(), program.nodes().end(), [](const netsor::Node& node) {
    return std::holds_alternative<netsor::TableType>(node.type);
  });
}

class Search {
 public:
  Search(const Structure& structure, bool by_formula)
      : structure_(structure),
        by_formula_(by_formula),
        forms_(
            structure,
            [](NodeIndex) -> const UncertainMatrix& { throw std::logic_error("a program without tables"); }),
        needs_(structure.program().nodes().size()) {}

  void need_all(NodeIndex bundle) { needs_[bundle].all = true; }

  std::vector<std::optional<Pattern>> patterns() {
    std::vector<std::optional<Pattern>> result(needs_.size());
    for (NodeIndex k = static_cast<NodeIndex>(needs_.size()); k-- > 0;) {
      Need& need = needs_[k];
      if (!need.all && !need.some) continue;
      if (!need.all && !is_passed(k)) need.all = true;
      result[k] = need.all ? Pattern::full() : pattern(k, *need.some);
      go_back(k, *result[k]);
    }
    return result;
  }

 private:
  struct Need {
    bool all = false;
    std::optional<Partition> some = {};
  };

  bool is_function(NodeIndex k) const {
    const auto* map = std::get_if<netsor::Map>(&structure_.program().nodes()[k].operation);
    return by_formula_ && map && structure_.gaussian(map->argument.index());
  }
  // Whether steps can be asked for some of its entries.
  bool is_passed(NodeIndex k) const {
    return structure_.gaussian(k) || is_function(k) || !structure_.is_atom(k);
  }

  Pattern pattern(NodeIndex k, Partition& partition) const {
    auto classes = std::make_shared<const ColumnClasses>(partition.classes(k));
    const bool saves = 2 * classes->largest < structure_.columns(k);
    return saves ? Pattern::within(std::move(classes)) : Pattern::full();
  }

  void go_back(NodeIndex k, const Pattern& entries) {
    if (structure_.gaussian(k)) return to_arguments(k, entries);
    if (is_function(k)) {
      const auto& map = std::get<netsor::Map>(structure_.program().nodes()[k].operation);
      return need(map.argument.index(), {k, {}}, entries);
    }
    if (structure_.is_atom(k)) {
      for (const auto& [operand, columns] :
           netsor::bundle_operands(structure_.program().nodes()[k].operation))
        need_all(operand.index());
      return;
    }
    const std::vector<NodeIndex>& atoms = structure_.atoms(k);
    if (atoms.size() == 1) return need(atoms.front(), forms_.of(k).terms.front(), entries);
    for (const NodeIndex atom : atoms) need_all(atom);
  }

  // Of a Gaussian bundle, to what its weights are applied to.
  void to_arguments(NodeIndex k, const Pattern& entries) {
    const auto& nodes = structure_.program().nodes();
    for (const LinearForm::Term& term : forms_.of(k).terms) {
      const auto* product = std::get_if<netsor::MatMul>(&nodes[term.atom].operation);
      if (!product) continue;
      const NodeIndex argument = product->argument.index();
      const auto& sources = structure_.sources(k);
      const bool alone = std::none_of(sources.begin(), sources.end(), [&](NodeIndex other) {
        return other != term.atom && structure_.same_object(other, term.atom);
      });
      alone ? need(argument, term, entries) : need_all(argument);
    }
  }

  // The columns of a bundle that the entries of E[XᵀX] read together, by a term of X.
  void need(NodeIndex bundle, const LinearForm::Term& term, const Pattern& entries) {
    Need& need = needs_[bundle];
    if (need.all) return;
    if (!need.some) need.some.emplace(structure_.columns(bundle));
    if (!entries.classes()) {
      need.some->unite(columns_read(term, structure_.columns(bundle)));
      return;
    }
    for (const Columns& members : entries.classes()->members) {
      Columns read;
      for (const Index j : members) {
        for_each_coefficient(term, j, [&](Index column, double) { read.push_back(column); });
      }
      need.some->unite(read);
    }
  }

  const Structure& structure_;
  bool by_formula_;
  LinearForms forms_;
  std::vector<Need> needs_;
};

}  // namespace

Asked::Asked(const Structure& structure, const std::vector<Demand>& goals, bool by_formula)
    : patterns_(structure.program().nodes().size()) {
  if (has_tables(structure.program())) return;
  Search search(structure, by_formula);
  for (const Demand& goal : goals) {
    search.need_all(goal.left);
    if (goal.right != one) search.need_all(goal.right);
  }
  patterns_ = search.patterns();
}

}  // namespace nngpcheck::analytic
