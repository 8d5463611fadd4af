#include "nngpcheck/netsor/passes/needed.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>

namespace nngpcheck::netsor {

namespace {

using Columns = std::vector<Index>;

// Adds to a list of numbers, both ascending and without duplicates; whether it grew.
bool unite(Columns& all, const Columns& more) {
  if (std::includes(all.begin(), all.end(), more.begin(), more.end())) return false;
  Columns both;
  std::set_union(all.begin(), all.end(), more.begin(), more.end(), std::back_inserter(both));
  all = std::move(both);
  return true;
}

bool unite(Part& all, const Part& more) {
  const bool columns = unite(all.columns, more.columns), rows = unite(all.rows, more.rows);
  return columns || rows;
}

// A matrix outside of whose entries a table is 0; null if none is known.
const Eigen::MatrixXd* support(const Program& program, const Operation& operation) {
  if (const auto* constant = std::get_if<Constant>(&operation)) return constant->matrix.get();
  const auto* apply = std::get_if<Apply>(&operation);
  if (!apply) return nullptr;
  if (const auto* softmax = std::get_if<SoftmaxKeys>(&apply->function)) return softmax->mask.get();
  if (!std::holds_alternative<Product>(apply->function)) return nullptr;
  for (const TableId factor : apply->arguments) {
    const Operation& made = program.nodes()[factor.index()].operation;
    if (const auto* constant = std::get_if<Constant>(&made)) return constant->matrix.get();
  }
  return nullptr;
}

// The rows in which a table may have entries in these columns; at least one.
Columns rows_with_entries(const Program& program, std::size_t table, const Columns& columns) {
  const Node& node = program.nodes()[table];
  const Eigen::MatrixXd* entries = support(program, node.operation);
  const Index rows = std::get<TableType>(node.type).rows;
  std::vector<unsigned char> read(static_cast<std::size_t>(rows), !entries);
  if (entries) {
    for (const Index j : columns) {
      const double* column = entries->col(j).data();
      for (std::size_t i = 0; i < read.size(); ++i) read[i] |= column[i] != 0;
    }
  }
  Columns result;
  for (Index i = 0; i < rows; ++i) {
    if (read[static_cast<std::size_t>(i)]) result.push_back(i);
  }
  return result.empty() ? Columns{0} : result;
}

// What a function of tables reads of each of them.
Part argument_part(const TableFunction& function, const Part& result) {
  if (std::holds_alternative<Transpose>(function)) return {result.rows, result.columns};
  if (std::holds_alternative<Diagonal>(function)) return {result.columns, result.columns};
  return result;
}

// What it can make of that part of an argument.
Part result_part(const TableFunction& function, const Part& argument) {
  if (std::holds_alternative<Transpose>(function)) return {argument.rows, argument.columns};
  if (!std::holds_alternative<Diagonal>(function)) return argument;
  Part result{argument.columns, {0}};
  unite(result.columns, argument.rows);
  return result;
}

}  // namespace

std::vector<Index> columns_read(const ColumnMap& map, const Part& made, Index available) {
  // All columns: one for each row of a table.
  return std::holds_alternative<AllColumns>(map) ? made.rows : columns_read(map, made.columns, available);
}

NeededParts::NeededParts(const Program& program, const Columns& outputs)
    : program_(program),
      needed_(program.nodes().size()),
      with_rows_(needed_.size()),
      named_(needed_.size(), false) {
  Columns sorted = outputs;
  std::sort(sorted.begin(), sorted.end());
  for (const BundleId block : program.output().blocks) add_bundle(block.index(), sorted);
  do {  // until tables that meet have parts that meet
    tables_grew_ = false;
    for (std::size_t k = needed_.size(); k-- > 0;) {
      if (named_[k] && needed_[k].columns.empty()) needed_[k].columns = {0};
      if (!needed_[k].columns.empty()) propagate(k);
    }
  } while (tables_grew_);
}

const Part& NeededParts::made_part(std::size_t index) const {
  const Node& node = program_.nodes()[index];
  if (std::holds_alternative<TableType>(node.type)) return needed_[index];
  const std::vector<TableOperand> tables = table_operands(node.operation);
  return needed_[tables.empty() ? index : tables.front().table.index()];
}

void NeededParts::propagate(std::size_t index) {
  const Node& node = program_.nodes()[index];
  if (const auto* apply = std::get_if<Apply>(&node.operation)) {
    fit_to_arguments(index);
    const Part part = argument_part(apply->function, needed_[index]);
    for (const TableId argument : apply->arguments) add_table(argument.index(), part);
  } else {
    const Columns& columns = needed_[index].columns;
    for (const auto& [table, map] : table_operands(node.operation))
      add_rows_with_entries(table.index(), columns);
  }
  const Part& made = made_part(index);
  for (const auto& [bundle, map] : bundle_operands(node.operation)) {
    add_bundle(bundle.index(), columns_read(map, made, program_.type(bundle).columns));
    named_[bundle.index()] = true;
  }
}

void NeededParts::fit_to_arguments(std::size_t index) {
  const auto& apply = std::get<Apply>(program_.nodes()[index].operation);
  Part part = needed_[index];
  for (const TableId argument : apply.arguments) {
    const Part& there = needed_[argument.index()];
    if (!there.columns.empty()) unite(part, result_part(apply.function, there));
  }
  add_table(index, part);
  if (std::holds_alternative<SoftmaxKeys>(apply.function)) add_rows_with_entries(index, part.columns);
}

void NeededParts::add_bundle(std::size_t index, const Columns& columns) {
  unite(needed_[index].columns, columns);
}

void NeededParts::add_table(std::size_t index, const Part& part) {
  if (unite(needed_[index], part)) tables_grew_ = true;
}

void NeededParts::add_rows_with_entries(std::size_t table, const Columns& columns) {
  if (!unite(with_rows_[table], columns)) return;
  add_table(table, {columns, rows_with_entries(program_, table, columns)});
}

}  // namespace nngpcheck::netsor
