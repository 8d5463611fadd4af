#include "nngpcheck/netsor/text_matrices.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>
#include <vector>

#include "nngpcheck/support/spelling.hpp"

namespace nngpcheck::netsor {

namespace {

using Entries = std::vector<Eigen::Triplet<double>>;

constexpr Index longest = std::numeric_limits<int>::max();

double read_number(Lexer& lexer) {
  const bool negative = lexer.peek().is("-");
  if (negative) lexer.next();
  const Token token = lexer.next();
  if (token.kind != Token::Kind::number) lexer.fail(token.offset, "a number is missing here");
  return negative ? -token.value : token.value;
}

void expect(Lexer& lexer, const char* symbol, const char* problem) {
  const Token token = lexer.next();
  if (!token.is(symbol)) lexer.fail(token.offset, problem);
}

bool take(Lexer& lexer, const char* symbol) {
  if (!lexer.peek().is(symbol)) return false;
  lexer.next();
  return true;
}

Eigen::MatrixXd load_matrix(Lexer& lexer, const LoadMatrix& load) {
  const Token file = lexer.next();
  if (!load) lexer.fail(file.offset, "a text without a folder names no files; write the numbers: [1 0; 0 1]");
  return load(file.text);
}

Eigen::MatrixXd read_rows(Lexer& lexer) {
  lexer.next();  // [
  std::vector<double> numbers;
  Index rows = 0, columns = 0;
  for (bool more = true; more; ++rows) {
    const std::size_t start = lexer.peek().offset, before = numbers.size();
    while (!lexer.peek().is(";") && !lexer.peek().is("]")) {
      numbers.push_back(read_number(lexer));
      take(lexer, ",");
    }
    const Index length = static_cast<Index>(numbers.size() - before);
    if (length == 0) lexer.fail(start, "a row without numbers; give each row as many");
    if (rows > 0 && length != columns)
      lexer.fail(start, "this row has " + std::to_string(length) + " numbers, the first " +
                            std::to_string(columns) + "; give each row as many");
    columns = length;
    more = lexer.next().is(";");
  }
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<const RowMajor>(numbers.data(), rows, columns);
}

/// A place in a matrix, from a number.
int place(Lexer& lexer, std::size_t offset, double value, Index length, const char* what) {
  if (!(value >= 0 && value < static_cast<double>(length)) ||
      value != static_cast<double>(static_cast<int>(value)))
    lexer.fail(offset, std::string(what) + " " + support::shortest(value) + " of " + std::to_string(length) +
                           "; rows and columns count from 0");
  return static_cast<int>(value);
}

/// Not setFromTriplets, which takes memory for every row: there may be 2³¹ of them.
SparseMatrix assemble(Lexer& lexer, std::size_t offset, Index rows, Index columns, Entries entries,
                      Index& empty_columns) {
  empty_columns -= std::max<Index>(0, columns - static_cast<Index>(entries.size()));
  if (rows > longest || columns > longest || empty_columns < 0)
    lexer.fail(offset, "a matrix of " + std::to_string(rows) + "×" + std::to_string(columns) +
                           " with so few entries is too large; leave out columns without entries");
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return std::pair(a.col(), a.row()) < std::pair(b.col(), b.row());
  });
  SparseMatrix result(rows, columns);
  result.reserve(static_cast<Index>(entries.size()));
  auto entry = entries.begin();
  for (Index j = 0; j < columns; ++j) {
    result.startVec(j);
    for (; entry != entries.end() && entry->col() == j;) {
      double& value = result.insertBack(entry->row(), j);
      value = entry->value();
      for (const int row = entry->row();
           ++entry != entries.end() && entry->col() == j && entry->row() == row;)
        value += entry->value();
    }
  }
  result.finalize();
  return result;
}

SparseMatrix read_selection(Lexer& lexer, std::size_t offset, Index& empty_columns) {
  const Index rows = read_index(lexer);
  expect(lexer, ";", "\";\" and the chosen columns are missing: select(6; 0, 2, 3)");
  Entries entries;
  while (!lexer.peek().is(")")) {
    const std::size_t at = lexer.peek().offset;
    const int row = place(lexer, at, read_number(lexer), rows, "column");
    entries.emplace_back(row, static_cast<int>(entries.size()), 1.0);
    take(lexer, ",");
  }
  lexer.next();
  return assemble(lexer, offset, rows, static_cast<Index>(entries.size()), entries, empty_columns);
}

SparseMatrix read_sparse(Lexer& lexer, std::size_t offset, const LoadMatrix& load, Index& empty_columns) {
  const Index rows = read_index(lexer);
  expect(lexer, ",", "\",\" and the number of columns are missing: sparse(6, 4; 0 0 0.5)");
  const Index columns = read_index(lexer);
  Entries entries;
  const auto add = [&](std::size_t at, double row, double column, double value) {
    const int i = place(lexer, at, row, rows, "row"), j = place(lexer, at, column, columns, "column");
    entries.emplace_back(i, j, value);
  };
  while (take(lexer, ";")) {
    const std::size_t at = lexer.peek().offset;
    if (lexer.peek().kind == Token::Kind::quoted) {
      const Eigen::MatrixXd list = load_matrix(lexer, load);
      if (list.cols() != 3) lexer.fail(at, "a sparse matrix' file has three columns: row, column, value");
      for (Index k = 0; k < list.rows(); ++k) add(at, list(k, 0), list(k, 1), list(k, 2));
      continue;
    }
    const double row = read_number(lexer), column = read_number(lexer);
    add(at, row, column, read_number(lexer));
  }
  expect(lexer, ")", "\";\" or \")\" is missing before this: sparse(6, 4; 0 0 0.5; 1 2 -1)");
  return assemble(lexer, offset, rows, columns, std::move(entries), empty_columns);
}

}  // namespace

Index read_index(Lexer& lexer) {
  const Token token = lexer.next();
  Index value = 0;
  const char* last = token.text.data() + token.text.size();
  const auto [end, error] = std::from_chars(token.text.data(), last, value);
  if (token.kind != Token::Kind::number || error != std::errc() || end != last)
    lexer.fail(token.offset, "a whole number is missing here");
  return value;
}

TextMatrix read_matrix(Lexer& lexer, const LoadMatrix& load, Index& empty_columns) {
  const Token& first = lexer.peek();
  if (first.is("[")) return read_rows(lexer);
  if (first.kind == Token::Kind::quoted) return load_matrix(lexer, load);
  const Token name = lexer.next();
  if (name.is_name("select") || name.is_name("sparse")) {
    expect(lexer, "(", "\"(\" is missing before this");
    if (name.text == "select") return read_selection(lexer, name.offset, empty_columns);
    return read_sparse(lexer, name.offset, load, empty_columns);
  }
  lexer.fail(
      name.offset,
      "a matrix is missing here; write [1 0; 0 1], select(6; 0, 2), sparse(6, 4; 0 0 0.5) or \"file.npy\"");
}

// ---- Writing ----

namespace {

/// The rows of 1 in each column, if that is all there is.
std::optional<std::vector<int>> selected(const SparseMatrix& matrix) {
  std::vector<int> rows;
  for (Index j = 0; j < matrix.cols(); ++j) {
    SparseMatrix::InnerIterator entry(matrix, j);
    if (!entry || entry.value() != 1) return {};
    rows.push_back(static_cast<int>(entry.row()));
    if (++entry) return {};
  }
  return rows;
}

}  // namespace

std::string matrix_text(const Eigen::MatrixXd& matrix, const std::string& name, const SaveMatrix& save) {
  if (save && matrix.size() > most_inline) return in_quotes(save(name, matrix));
  std::string result = "[";
  for (Index i = 0; i < matrix.rows(); ++i) {
    for (Index j = 0; j < matrix.cols(); ++j)
      result += (j > 0 ? " " : i > 0 ? "; " : "") + support::shortest(matrix(i, j));
  }
  return result + "]";
}

std::string matrix_text(const SparseMatrix& matrix, const std::string& name, const SaveMatrix& save) {
  const auto rows = selected(matrix);
  const bool saved = save && matrix.nonZeros() > most_inline;
  if (rows && !saved) {
    std::string result = "select(" + std::to_string(matrix.rows()) + ";";
    for (std::size_t j = 0; j < rows->size(); ++j)
      result += (j > 0 ? ", " : " ") + std::to_string((*rows)[j]);
    return result + ")";
  }
  std::string result = "sparse(" + std::to_string(matrix.rows()) + ", " + std::to_string(matrix.cols());
  Eigen::MatrixXd list(saved ? matrix.nonZeros() : 0, 3);
  Index k = 0;
  for (Index j = 0; j < matrix.cols(); ++j) {
    for (SparseMatrix::InnerIterator entry(matrix, j); entry; ++entry) {
      if (saved) {
        list.row(k++) << static_cast<double>(entry.row()), static_cast<double>(j), entry.value();
      } else {
        result += "; " + std::to_string(entry.row()) + " " + std::to_string(j) + " " +
                  support::shortest(entry.value());
      }
    }
  }
  return result + (saved ? "; " + in_quotes(save(name, list)) : "") + ")";
}

}  // namespace nngpcheck::netsor
