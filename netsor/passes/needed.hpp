// What some columns of a program's output depend on.
#pragma once

#include <vector>

#include "nngpcheck/netsor/passes/traits.hpp"
#include "nngpcheck/netsor/program.hpp"

namespace nngpcheck::netsor {

/// Columns of an instruction, ascending; of a table those of some rows. The rows of a bundle are none.
struct Part {
  std::vector<Index> columns = {};
  std::vector<Index> rows = {};
};

/// For each instruction the part of it that these columns of the output depend on; no columns: none.
///
/// Entries of a table that are 0 in every network (of a constant, outside of a softmax's mask, of a product
/// with a constant) are not read by X·T, nor the columns of X there: of attention within sequences a sequence
/// needs itself. Tables that a function reads have the part that their place in it makes of its own, so that
/// entries meet, and a softmax all rows in which its mask has entries. X·T and X·diag(t) are needed at
/// columns that are among those of their table, `made_part`.
class NeededParts {
 public:
  NeededParts(const Program& program, const std::vector<Index>& outputs);

  const Part& of(std::size_t index) const { return needed_[index]; }

  /// What is to be made of an instruction so that its part is there: of X·T and X·diag(t) all columns of
  /// the table's part, whose rows those of X are; of others their part.
  const Part& made_part(std::size_t index) const;

 private:
  void propagate(std::size_t index);
  void fit_to_arguments(std::size_t index);
  void add_bundle(std::size_t index, const std::vector<Index>& columns);
  void add_table(std::size_t index, const Part& part);
  void add_rows_with_entries(std::size_t table, const std::vector<Index>& columns);

  const Program& program_;
  std::vector<Part> needed_;
  std::vector<std::vector<Index>> with_rows_;  // of a table, whose rows with entries are in its part
  std::vector<bool> named_;  // some instruction that is needed names it, even if it reads no column of it
  bool tables_grew_ = false;
};

/// The columns of a bundle that an instruction reads by this map, where that part of the instruction is made.
std::vector<Index> columns_read(const ColumnMap& map, const Part& made, Index available);

}  // namespace nngpcheck::netsor
