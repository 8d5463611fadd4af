#include "nngpcheck/analytic/rules/rules.hpp"

#include <stdexcept>

#include "nngpcheck/analytic/rules/patterns.hpp"

namespace nngpcheck::analytic {

Demand Planning::second_moment(NodeIndex x) const {
  const bool direct = structure.gaussian(x) ||
                      (structure.is_atom(x) && !force_paths && dual_pattern(structure, x).has_value());
  return direct ? diagonal(Demand::second_moment(x)) : Demand::moment(x, x);
}

Demand Planning::diagonal(const Demand& demand) const {
  if (was_planned(demand.full())) return demand.full();
  Demand some = demand;
  some.entries = asked(demand.left);
  return was_planned(some) ? some : demand;
}

Pattern Planning::entries_for(const Demand& demand, NodeIndex bundle) const {
  const bool expected =
      demand.left == demand.right && asked.reached(demand.left) && demand.entries == asked(demand.left);
  return expected ? asked(bundle) : Pattern::full();
}

StepPointer resolve(const Planning& planning, const Demand& demand) {
  for (Resolver* rule : {gaussian_rule, linear_rule, zero_rule, product_rule, dual_rule, batch_norm_rule,
                         table_rule, paths_rule}) {
    if (StepPointer step = rule(planning, demand)) return step;
  }
  throw std::logic_error("no rule for a demand");
}

std::vector<Demand> tables_of(const Structure& structure, std::initializer_list<NodeIndex> nodes) {
  std::vector<Demand> result;
  for (const NodeIndex node : nodes) {
    if (node == one) continue;
    for (const NodeIndex table : structure.tables(node)) {
      const Demand demand = Demand::table(table);
      if (std::find(result.begin(), result.end(), demand) == result.end()) result.push_back(demand);
    }
  }
  return result;
}

}  // namespace nngpcheck::analytic
