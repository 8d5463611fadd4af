// Private to import/: what a cell is; null if it is something else.
#pragma once

#include "nngpcheck/import/cells.hpp"

namespace nngpcheck::importer {

inline const Column* as_column(const Cell& cell) { return std::get_if<Column>(&cell.value); }
inline const Block* as_block(const Cell& cell) { return std::get_if<Block>(&cell.value); }
inline const Scalar* as_scalar(const Cell& cell) {
  const auto* scalar = std::get_if<std::shared_ptr<const Scalar>>(&cell.value);
  return scalar ? scalar->get() : nullptr;
}
inline const Random* as_random(const Cell& cell) {
  const auto* random = std::get_if<std::shared_ptr<const Random>>(&cell.value);
  return random ? random->get() : nullptr;
}
inline const MatrixSum* as_matrix_sum(const Cell& cell) {
  const auto* outer = std::get_if<std::shared_ptr<const MatrixSum>>(&cell.value);
  return outer ? outer->get() : nullptr;
}
/// A block of a parameter with two widths.
inline bool is_matrix(const Cell& cell) { return as_block(cell) && as_block(cell)->axes.size() == 2; }
/// A random number of a parameter, without a width.
inline bool is_finite_block(const Cell& cell) { return as_block(cell) && as_block(cell)->axes.empty(); }

}  // namespace nngpcheck::importer
