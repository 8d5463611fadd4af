// LibTorch's evaluation of the coordinatewise functions.
#pragma once

#include <ATen/ATen.h>

#include "nngpcheck/netsor/activation.hpp"

namespace nngpcheck::empirical {

/// LibTorch's vectorised loops hand the entries that are left over to scalar code, which rounds differently:
/// in a tensor of a multiple of these many entries an entry's place does not matter.
inline constexpr std::int64_t vector_multiple = 64;

/// y = φ(x), entry by entry, in the precision of x; y is another tensor of the same shape. A custom function
/// is called on the CPU, in float64.
void apply_activation(const netsor::Activation& activation, const at::Tensor& x, at::Tensor& y);

}  // namespace nngpcheck::empirical
