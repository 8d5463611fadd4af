// Inputs of a kernel's rows and columns.
#pragma once

#include "nngpcheck/inputs/inputs.hpp"

namespace nngpcheck::inputs {

/// The samples of both, those of `rows` first, as inputs of one network; with labels "row …" and "column …",
/// and each with batches of its own. Throws InputError unless both are vectors, sequences, or samples
/// on the same grid, of the same dimension, without other inputs beside them.
Inputs joined(const Inputs& rows, const Inputs& columns);

}  // namespace nngpcheck::inputs
