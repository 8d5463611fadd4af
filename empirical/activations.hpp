// LibTorch's evaluation of the coordinatewise functions.
#pragma once

#include <ATen/ATen.h>

#include "netsor/activation.hpp"

namespace nngpcheck::empirical {

/// φ(x), entry by entry, in the precision of x. An entry's result depends on that entry alone, to the last
/// bit. A custom function is called on the CPU, in float64.
at::Tensor apply_activation(const netsor::Activation& activation, const at::Tensor& x);

}  // namespace nngpcheck::empirical
