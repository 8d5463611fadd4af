// LibTorch's evaluation of functions that are given as expressions.
#pragma once

#include <ATen/ATen.h>

#include <span>

#include "nngpcheck/netsor/expression.hpp"

namespace nngpcheck::empirical {

/// y = f(x₁, …, x_k), entry by entry, by LibTorch's operations in the precision of the x; y is another tensor
/// of their shape. Precondition: f has k variables.
void apply_expression(const netsor::Expression& f, std::span<const at::Tensor> x, at::Tensor& y);

}  // namespace nngpcheck::empirical
