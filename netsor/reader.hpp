// Programs as text: docs/netsor.md has the language.
#pragma once

#include <Eigen/Core>
#include <functional>
#include <string>
#include <string_view>

#include "nngpcheck/netsor/program.hpp"

namespace nngpcheck::netsor {

/// The matrix in a file that a text names: "net.D1.npy".
using LoadMatrix = std::function<Eigen::MatrixXd(const std::string& file)>;

/// What a matrix without entries may take: columns of all sparse matrices of a text, beside as many as they
/// have entries.
inline constexpr Index most_empty_columns = 1 << 20;
/// The numbers of all constants of a text, each counted for each instruction that uses it.
inline constexpr Index most_numbers = 1 << 27;

/// The program that a text describes, in the language that `write_text` writes:
///
///     Input:  U : A(n, 2), iid N(0, 1/2)      // random objects: matrices A(rows, columns) and vectors
///     G(width) Input:  W : A(n, n), iid N(0, 2/n) Input:  b : G(n), iid N(0, 0.1) Matrix: D1 := [1 0 1; 0 1
///     1]            // data and constants, by rows h := U D1                               // one
///     instruction a line; what follows a second : is checked x := relu(h) : H(n)^3 y := W x g := y + b z :=
///     tanh(g) Output: vᵀ z / √n, v ~ N(0, 1)
///
/// Every instruction is written by a Builder, and checked as there. Throws InputError with `source`, line and
/// column for what is no such text; without `load`, for texts that name files, too.
Program read_text(std::string_view text, const std::string& source, const LoadMatrix& load = {});

}  // namespace nngpcheck::netsor
