// Programs and matrices that several tests share.
#pragma once

#include "nngpcheck/netsor/builder.hpp"

namespace nngpcheck::testing {

/// Four outputs, labelled a, b, c, d; blocks of width n and 2n.
netsor::Program everything();

/// x tanh(y) + z/(1 + x²).
const netsor::Function& bend();

/// The matrix with these rows.
Eigen::MatrixXd matrix(std::initializer_list<std::initializer_list<double>> rows);
netsor::SparseMatrix sparse(std::initializer_list<std::initializer_list<double>> rows);

}  // namespace nngpcheck::testing
