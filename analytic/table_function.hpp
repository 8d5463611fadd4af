#pragma once

#include <vector>

#include "analytic/uncertain.hpp"
#include "netsor/operation.hpp"

namespace nngpcheck::analytic {

/// f(T₁, T₂, …) with the arguments' bounds propagated (exactly for sums and softmax, to first order for the
/// others) and rounding included. Throws LimitError if f is not continuous there: 1/√t at t ≤ 0.
UncertainMatrix apply(const netsor::TableFunction& function,
                      const std::vector<const UncertainMatrix*>& arguments);

}  // namespace nngpcheck::analytic
