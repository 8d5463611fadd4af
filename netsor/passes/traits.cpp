#include "nngpcheck/netsor/passes/traits.hpp"

#include <algorithm>
#include <numeric>
#include <set>

#include "nngpcheck/netsor/program.hpp"

namespace nngpcheck::netsor {

namespace {

std::vector<Index> sorted(std::vector<Index> columns) {
  if (!std::is_sorted(columns.begin(), columns.end())) std::sort(columns.begin(), columns.end());
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  return columns;
}

std::vector<Index> group_members(const std::vector<int>& group, const std::vector<Index>& columns) {
  std::set<int> touched;
  for (const Index column : columns) touched.insert(group[static_cast<std::size_t>(column)]);
  std::vector<Index> result;
  for (std::size_t j = 0; j < group.size(); ++j) {
    if (touched.contains(group[j])) result.push_back(static_cast<Index>(j));
  }
  return result;
}

Index entries(const SparseMatrix& matrix, Index column) {
  return matrix.outerIndexPtr()[column + 1] - matrix.outerIndexPtr()[column];
}

}  // namespace

std::vector<Index> columns_read(const ColumnMap& map, const std::vector<Index>& columns, Index available) {
  return std::visit(Overloaded{
                        [&](OwnColumn) { return available == 1 ? std::vector<Index>{0} : sorted(columns); },
                        [&](AllColumns) {
                          std::vector<Index> result(static_cast<std::size_t>(available));
                          std::iota(result.begin(), result.end(), 0);
                          return result;
                        },
                        [&](MatrixRows rows) {
                          std::vector<Index> result;
                          for (const Index column : columns) {
                            for (SparseMatrix::InnerIterator it(*rows.matrix, column); it; ++it) {
                              result.push_back(it.row());
                            }
                          }
                          return sorted(std::move(result));
                        },
                        [&](SameGroup same) { return group_members(*same.group, columns); },
                    },
                    map);
}

bool reads_one_column(const ColumnMap& map, Index available) {
  return std::visit(Overloaded{
                        [](OwnColumn) { return true; },
                        [&](AllColumns) { return available <= 1; },
                        [](MatrixRows rows) {
                          for (Index j = 0; j < rows.matrix->cols(); ++j) {
                            if (entries(*rows.matrix, j) > 1) return false;
                          }
                          return true;
                        },
                        [](SameGroup same) {
                          return std::set<int>(same.group->begin(), same.group->end()).size() ==
                                 same.group->size();
                        },
                    },
                    map);
}

ColumnMap column_map(const TableFunction& function) {
  return std::visit(Overloaded{
                        [](const SoftmaxKeys&) -> ColumnMap { return OwnColumn{}; },
                        [](const Rsqrt&) -> ColumnMap { return OwnColumn{}; },
                        [](const Transpose&) -> ColumnMap { return AllColumns{}; },
                        [](const Diagonal&) -> ColumnMap { return OwnColumn{}; },
                        [](const Sum&) -> ColumnMap { return OwnColumn{}; },
                        [](const Product&) -> ColumnMap { return OwnColumn{}; },
                    },
                    function);
}

Form form(const Operation& operation) {
  return std::visit([]<class Op>(const Op&) { return Traits<Op>::form; }, operation);
}

std::vector<std::size_t> operands(const Operation& operation) {
  std::vector<std::size_t> result;
  for_each_operand(operation, [&](const auto& id, const ColumnMap&) { result.push_back(id.index()); });
  return result;
}

std::vector<BundleOperand> bundle_operands(const Operation& operation) {
  std::vector<BundleOperand> result;
  for_each_operand(operation, Overloaded{
                                  [&](BundleId id, const ColumnMap& map) {
                                    result.push_back({id, map});
                                  },
                                  [](TableId, const ColumnMap&) {},
                              });
  return result;
}

std::vector<TableOperand> table_operands(const Operation& operation) {
  std::vector<TableOperand> result;
  for_each_operand(operation, Overloaded{
                                  [](BundleId, const ColumnMap&) {},
                                  [&](TableId id, const ColumnMap& map) {
                                    result.push_back({id, map});
                                  },
                              });
  return result;
}

std::optional<RandomObject> random_object(const Operation& operation) {
  std::optional<RandomObject> result;
  for_each_object(operation, [&](const auto& object) { result = object; });
  return result;
}

std::vector<LinearTerm> linear_terms(const Operation& operation) {
  return visit<Form::linear>([]<class Op>(const Op& op) { return Traits<Op>::terms(op); }, operation);
}

}  // namespace nngpcheck::netsor
