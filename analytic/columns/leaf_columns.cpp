#include "nngpcheck/analytic/columns/leaf_columns.hpp"

#include <algorithm>

#include "nngpcheck/netsor/passes/traits.hpp"

namespace nngpcheck::analytic {

using netsor::Index;

const std::set<LeafColumns::Column>& LeafColumns::of(Column column) {
  if (const auto found = found_.find(column); found != found_.end()) return found->second;
  return found_[column] = find(column);
}

Index LeafColumns::most(NodeIndex node) {
  std::size_t result = 0;
  for (Index j = 0; j < structure_.columns(node); ++j) result = std::max(result, of({node, j}).size());
  return static_cast<Index>(result);
}

std::set<LeafColumns::Column> LeafColumns::find(Column column) {
  const auto [node, j] = column;
  if (structure_.gaussian(node)) {
    const Families& families = structure_.families(node);
    return !families.empty() && subset(families, sampled_) ? std::set<Column>{column} : std::set<Column>{};
  }
  std::set<Column> result;
  for (const auto& [operand, map] : netsor::bundle_operands(structure_.program().nodes()[node].operation)) {
    for (const Index k : netsor::columns_read(map, {j}, structure_.columns(operand.index()))) {
      const auto& columns = of({operand.index(), k});
      result.insert(columns.begin(), columns.end());
    }
  }
  return result;
}

}  // namespace nngpcheck::analytic
