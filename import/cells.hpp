// Private to import/: tensors as arrays of cells.
//
// A tensor is an array over the slots of its axes. Each slot holds a cell: what the tensor is there as a
// function of the coordinates of the widths among its axes. A cell without one is a number; with one a
// vector; with two a matrix, which parameters are, and sums of products. Views, transposes,
// concatenations only move cells.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "nngpcheck/import/axes.hpp"
#include "nngpcheck/netsor/builder.hpp"

namespace nngpcheck::importer {

/// A column of the program.
struct Column {
  netsor::BundleId bundle;
  netsor::Index index;
  friend auto operator<=>(const Column&, const Column&) = default;
};

/// An entry of a table of the program.
struct Entry {
  netsor::TableId table;
  netsor::Index row, column;
  friend auto operator<=>(const Entry&, const Entry&) = default;
};

/// uᵀv/n of two columns.
struct Dot {
  Column left, right;
  friend auto operator<=>(const Dot&, const Dot&) = default;
};

/// A block of a parameter, as it was drawn: its slots, and which axes of the parameter its widths are, in the
/// order of the tensor's.
struct Block {
  std::size_t input;  // its number among the graph's inputs
  std::int64_t slot;
  std::vector<int> axes;  // of the parameter; as many as it has widths
  friend auto operator<=>(const Block&, const Block&) = default;
};

/// Σ factor · (entry or dot): a number that converges.
struct Scalar {
  struct Term {
    Values factor;
    std::variant<Entry, Dot> value;
  };
  std::vector<Term> terms;
  Values constant{};
};

class Evaluation;

/// A number that stays random at every width: of the network's output, or of a parameter without a width.
struct Random {
  std::function<double(const Evaluation&)> value;
  std::string diagnosis;     // what is wrong if the network goes on from here
  std::string source;        // the parameter that makes it random
  int readout = -1;          // which of the writer's readouts it comes from last, if any
  Values scale = {1, 1, 1};  // what that was multiplied by since
  Values bias = {};          // the variance of what was added since, which does not depend on the input
};

struct MatrixSum;

struct Cell {
  /// `monostate`: the number `factor` at every coordinate. All others are times `factor`.
  std::variant<std::monostate, Block, Column, std::shared_ptr<const Scalar>, std::shared_ptr<const Random>,
               std::shared_ptr<const MatrixSum>>
      value;
  Values factor{};
  bool depends = false;                // on what the user gives
  const std::string* blame = nullptr;  // the parameter whose law made the factor depend on n

  bool is_number() const { return std::holds_alternative<std::monostate>(value); }
  bool is_zero() const { return is_number() && all_zero(factor); }
};

/// Σ u vᵀ + Σ A⋯B of vectors and of blocks of parameters: never formed, but read again as Σ u (vᵀx) + Σ
/// A(⋯(Bx)). Of two vectors the first extends over the first of the two widths; matrices have their summed
/// width last.
struct MatrixSum {
  std::vector<std::pair<Cell, Cell>> terms;
  std::vector<std::vector<Cell>> products;
};

inline Cell number(const Values& values, bool depends = false) { return {{}, values, depends}; }
inline Cell number(double value) { return number(constant_values(value)); }

/// What a mask adds to a score.
bool is_minus_infinity(const Cell& cell);

/// A matrix with its two widths in the other order.
Cell transposed(Cell cell);

struct Tensor {
  std::vector<Axis> axes;
  std::vector<Cell> cells;  // over the slots of the axes, the last axis fastest

  /// The number of slots of each axis.
  std::vector<std::int64_t> shape() const {
    std::vector<std::int64_t> result;
    for (const Axis& axis : axes) result.push_back(slots(axis));
    return result;
  }
};

/// The widths of each cell, in the order of the axes.
std::vector<std::vector<int>> cell_widths(const std::vector<Axis>& axes);

/// What a tensor reads at each of its slots when it is `shape`, of a tensor that has strides over those axes.
std::vector<std::int64_t> strides(const std::vector<std::int64_t>& shape);

/// More cells than any tensor of a model has that can be imported.
inline constexpr std::int64_t most_cells = 5'000'000;

/// Throws std::length_error unless a tensor may have so many slots.
void require_cells(const std::vector<std::int64_t>& shape);

/// Calls visit(position) for every position of the shape, the last axis fastest.
template <class Visit>
void for_each_position(const std::vector<std::int64_t>& shape, const Visit& visit) {
  std::vector<std::int64_t> at(shape.size(), 0);
  require_cells(shape);
  for (const std::int64_t length : shape)
    if (length == 0) return;
  for (;;) {
    visit(at);
    std::size_t axis = shape.size();
    while (axis > 0 && ++at[axis - 1] == shape[axis - 1]) at[--axis] = 0;
    if (axis == 0) return;
  }
}

}  // namespace nngpcheck::importer
