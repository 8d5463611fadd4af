#pragma once

#include <functional>
#include <string>

#include "nngpcheck/netsor/program.hpp"

namespace nngpcheck::netsor {

/// The program in the notation of "Tensor Programs I", one line per random object, instruction and output:
///
///     Input:  U : A(n, 32), iid N(0, 1/32)
///     Input:  W : A(n, n), iid N(0, 1/n)
///      1: g1 := U D1 : G(n)^16            D1 is 32×16
///      2: g2 := g1 M1 : G(n)^2            M1 is 16×2, 2 nonzeros
///      3: x3 := erf(g2) : H(n)^2
///     Output: vᵀ x3 / √n, v ~ N(0, 1), 2 columns
///
/// A(r, c) is a matrix, G(n)^m a bundle of m columns that are Gaussian in the limit, H(n)^m any other bundle,
/// R^{a×b} a table. D1, M2, C28, K16 and S14 are data, a matrix, a constant, a mask and numbers of groups, of
/// which only the sizes are printed.
std::string print(const Program& program);

/// The right-hand side of one instruction, e.g. "W g2". Instruction numbers count from 0.
std::string print_operation(const Program& program, std::size_t index);

/// A matrix of more numbers than these is put into a file of its own, if there is a way to.
inline constexpr Index most_inline = 64;

/// Saves a matrix that belongs to a text, called D1 or the like, and returns what the text shall name.
using SaveMatrix = std::function<std::string(const std::string& name, const Eigen::MatrixXd& matrix)>;

/// The program as text that `read_text` reads as the same program, to the last bit: instructions as `print`
/// has them, with constants, functions that are expressions, labels, and where instructions come from. Throws
/// ProgramError for functions that are somebody's C++.
std::string write_text(const Program& program, const SaveMatrix& save = {});

}  // namespace nngpcheck::netsor
