// Private to config/: tables of numbers as text, with whatever stands beside the numbers.
#pragma once

#include <Eigen/Core>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "nngpcheck/files/array.hpp"
#include "nngpcheck/files/data_file.hpp"

namespace nngpcheck::inputs {

/// How a table is to be read. What is missing is guessed, where the guess is sure.
struct TableFormat {
  using Column = std::variant<std::string, Eigen::Index>;  // by its name, or by its number from 0

  std::vector<Column> columns = {};       // the inputs; empty: all that hold numbers and are nothing else
  std::vector<Column> labels = {};        // texts of the rows; empty: all that hold no number
  std::vector<Column> skip_columns = {};  // neither
  Eigen::Index skip_lines = 0;            // at the top
  std::optional<bool> header = {};
  std::optional<char> separator = {};  // see parse_csv
  std::optional<char> decimal = {};    // '.' or ','
};

/// A table's numbers, and what its rows are.
struct Table {
  files::Array numbers;            // rows × columns
  std::vector<std::string> texts;  // of the label columns or a textual index, one per row; or empty
  /// Tokens of sequences: the header's first columns are "sequence", "position", "token"; one entry per
  /// sequence, and texts "0:1 token". Otherwise empty.
  std::vector<Eigen::Index> lengths;
  std::string said;  // how it was read, in words
};

/// A table of text:
///   - the first line is a header if a column of numbers has something else in it; a header of the numbers 0,
///   1, 2, …, as
///     pandas gives columns without a name, is one if the first column is an index, and otherwise cannot be
///     told from a row of numbers;
///   - the first column is an index, and no input, if it has no name, as in R's and pandas's files, or if it
///   is called
///     "index", "id" or "Unnamed: 0" and counts the rows;
///   - numbers may have a decimal comma, if none has a point; True and False are 1 and 0;
///   - an empty last column is left out (a separator at the end of every line).
/// Throws InputError, naming file, line and column, for what is not sure, for missing values, and for
/// numbers that are not finite.
Table parse_table(const files::TextFile& file, const TableFormat& format = {});

}  // namespace nngpcheck::inputs
