// Private to netsor/: constants in a program's text.
#pragma once

#include <string>
#include <variant>

#include "nngpcheck/netsor/lexer.hpp"
#include "nngpcheck/netsor/operation.hpp"
#include "nngpcheck/netsor/printer.hpp"
#include "nngpcheck/netsor/reader.hpp"

namespace nngpcheck::netsor {

using TextMatrix = std::variant<Eigen::MatrixXd, SparseMatrix>;

/// Reads one of
///
///     [1 0 2; 0 1 1]               by rows; commas may stand between numbers
///     "net.D1.npy"
///     select(6; 0, 2, 3, 5)        6×4: column j has a 1 in row 0, 2, 3, 5
///     sparse(6, 4; 0 0 0.5; 1 2 -1)     6×4: 0.5 in row 0, column 0, …; two numbers for one place are added
///     sparse(6, 4; "net.M6.npy")        the same, from a k×3 matrix
///
/// `empty_columns` is what is left of most_empty_columns.
TextMatrix read_matrix(Lexer& lexer, const LoadMatrix& load, Index& empty_columns);

/// A whole number from 0 on. Throws InputError for other words.
Index read_index(Lexer& lexer);

/// The matrix as text; of more than most_inline numbers by `save`, if that is given.
std::string matrix_text(const Eigen::MatrixXd& matrix, const std::string& name, const SaveMatrix& save);
std::string matrix_text(const SparseMatrix& matrix, const std::string& name, const SaveMatrix& save);

}  // namespace nngpcheck::netsor
