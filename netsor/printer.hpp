#pragma once

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
/// R^{a×b} a table.
std::string print(const Program& program);

/// The right-hand side of one instruction, e.g. "W g2". Instruction numbers count from 0.
std::string print_operation(const Program& program, std::size_t index);

}  // namespace nngpcheck::netsor
