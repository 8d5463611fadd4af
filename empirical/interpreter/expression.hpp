// LibTorch's evaluation of activations that are given as expressions.
#pragma once

#include <ATen/ATen.h>

#include "nngpcheck/netsor/expression.hpp"

namespace nngpcheck::empirical {

/// y = f(x), entry by entry, by LibTorch's operations in the precision of x; y is another tensor of the same
/// shape. Precondition: f has one variable.
void apply_expression(const netsor::Expression& f, const at::Tensor& x, at::Tensor& y);

}  // namespace nngpcheck::empirical
