// Matrix products whose bits depend on the operands of one network alone, not on the batch it is in.
#pragma once

#include <ATen/ATen.h>

#include <Eigen/Core>

namespace nngpcheck::empirical {

/// W X for every network: W is [networks, rows, inner] and contiguous, X is [columns, networks, inner] (any
/// strides but unit stride in the last dimension), the result [columns, networks, rows].
at::Tensor multiply_weights(const at::Tensor& weights, const at::Tensor& bundle);

/// XᵀY in float64 for one network: X is [a, n] and Y is [b, n].
Eigen::MatrixXd inner_products(const at::Tensor& left, const at::Tensor& right);

/// X T for one network: X is [a, n], the result [b, n] for T ∈ R^{a×b}.
at::Tensor multiply_table(const at::Tensor& bundle, const Eigen::MatrixXd& table);

/// A copy as [rows, columns].
at::Tensor to_tensor(const Eigen::MatrixXd& matrix, const at::TensorOptions& options);

}  // namespace nngpcheck::empirical
