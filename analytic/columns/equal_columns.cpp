#include "nngpcheck/analytic/columns/equal_columns.hpp"

#include "nngpcheck/netsor/passes/traits.hpp"

namespace nngpcheck::analytic {

using netsor::Index;

const std::vector<Index>& EqualColumns::of(NodeIndex node) {
  if (const auto found = found_.find(node); found != found_.end()) return found->second;
  std::vector<Index> result;
  std::map<Recipe, Index> first;
  for (Index j = 0; j < structure_.columns(node); ++j)
    result.push_back(first.try_emplace(recipe(node, j), j).first->second);
  return found_[node] = std::move(result);
}

std::vector<Index> EqualColumns::among(NodeIndex node, const std::vector<Index>& columns) {
  const std::vector<Index>& all = of(node);
  std::vector<Index> result;
  std::map<Index, Index> first;
  for (const Index column : columns)
    result.push_back(first.try_emplace(all[column], static_cast<Index>(result.size())).first->second);
  return result;
}

EqualColumns::Recipe EqualColumns::recipe(NodeIndex node, Index column) {
  const netsor::Operation& operation = structure_.program().nodes()[node].operation;
  if (const auto* input = std::get_if<netsor::Input>(&operation)) {
    const auto data = input->data->col(column);
    return {data.begin(), data.end()};
  }
  const auto unlike_others = [&] { return Recipe{static_cast<double>(column)}; };
  if (!netsor::table_operands(operation).empty()) return unlike_others();
  Recipe result;
  for (const auto& [operand, map] : netsor::bundle_operands(operation)) {
    const std::vector<Index>& equal = of(operand.index());
    const auto own = [&] {
      result.push_back(static_cast<double>(equal[structure_.operand_column(operand.index(), column)]));
    };
    if (std::holds_alternative<netsor::AllColumns>(map)) return unlike_others();
    if (const auto* rows = std::get_if<netsor::MatrixRows>(&map)) {
      for (netsor::SparseMatrix::InnerIterator entry(*rows->matrix, column); entry; ++entry) {
        result.push_back(static_cast<double>(equal[entry.row()]));
        result.push_back(entry.value());
      }
      continue;
    }
    if (const auto* group = std::get_if<netsor::SameGroup>(&map)) result.push_back((*group->group)[column]);
    own();
  }
  return result;
}

}  // namespace nngpcheck::analytic
