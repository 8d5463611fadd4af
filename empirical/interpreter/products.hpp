// Matrix products whose bits depend on the operands of one network alone, not on the batch it is in. On the
// CPU none of them is BLAS's, which may round by where its operands lie.
#pragma once

#include <ATen/ATen.h>

#include <Eigen/Core>

#include "nngpcheck/empirical/random/simd.hpp"

namespace nngpcheck::empirical {

/// Y = W X for every network: W is [networks, rows, inner] and contiguous, X [columns, networks, inner] (any
/// strides but unit stride in the last dimension), Y [columns, networks, rows].
void multiply_weights(const at::Tensor& weights, const at::Tensor& bundle, const at::Tensor& result);

/// XᵀY in float64 for network b: X is [a, networks, n] and Y is [b, networks, n]. Exactly symmetric if they
/// are the same tensor.
Eigen::MatrixXd inner_products(const at::Tensor& left, const at::Tensor& right, std::int64_t b);

/// Its diagonal alone, for equally many columns.
Eigen::VectorXd diagonal_inner_products(const at::Tensor& left, const at::Tensor& right, std::int64_t b);

/// Y = X T for network b: X is [a, networks, n], Y is [b, networks, n], T ∈ R^{a×b}.
void multiply_table(const at::Tensor& bundle, const Eigen::MatrixXd& table, std::int64_t b,
                    const at::Tensor& result);

/// Row j is column j of network b. Precondition: float64, on the CPU, unit stride in the last dimension.
Rows<double> columns_of(const at::Tensor& bundle, std::int64_t b);

/// A copy as [rows, columns].
at::Tensor to_tensor(const Eigen::MatrixXd& matrix, const at::TensorOptions& options);

}  // namespace nngpcheck::empirical
