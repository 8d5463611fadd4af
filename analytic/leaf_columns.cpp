#include "analytic/leaf_columns.hpp"

#include <algorithm>

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
  const auto include = [&, own = j](netsor::BundleId operand, Index operand_column) {
    const auto& columns = of({operand.index(), operand_column});
    result.insert(columns.begin(), columns.end());
  };
  const auto pointwise = [&, own = j](netsor::BundleId operand) {
    include(operand, structure_.operand_column(operand.index(), own));
  };
  std::visit(netsor::Overloaded{
                 [&, own = j](const netsor::Mix& op) {
                   for (netsor::SparseMatrix::InnerIterator it(*op.matrix, own); it; ++it) {
                     include(op.argument, it.row());
                   }
                 },
                 [&](const netsor::TableMix& op) {
                   for (Index k = 0; k < structure_.columns(op.argument.index()); ++k)
                     include(op.argument, k);
                 },
                 [&](const netsor::Add& op) {
                   for (const auto& term : op.terms) pointwise(term.bundle);
                 },
                 [&](const netsor::Scale& op) { pointwise(op.argument); },
                 [&](const netsor::Map& op) { pointwise(op.argument); },
                 [&](const netsor::Mul& op) {
                   pointwise(op.left);
                   pointwise(op.right);
                 },
                 [&](const netsor::Max& op) {
                   pointwise(op.left);
                   pointwise(op.right);
                 },
                 [&, own = j](const netsor::Standardize& op) {
                   for (std::size_t k = 0; k < op.group.size(); ++k) {
                     if (op.group[k] == op.group[static_cast<std::size_t>(own)]) {
                       include(op.argument, static_cast<Index>(k));
                     }
                   }
                 },
                 [](const auto&) {},
             },
             structure_.program().nodes()[node].operation);
  return result;
}

}  // namespace nngpcheck::analytic
