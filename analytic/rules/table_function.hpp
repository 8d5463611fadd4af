#pragma once

#include <vector>

#include "nngpcheck/analytic/columns/changes.hpp"
#include "nngpcheck/analytic/uncertain.hpp"
#include "nngpcheck/netsor/operation.hpp"

namespace nngpcheck::analytic {

/// f(T₁, T₂, …) with the arguments' bounds propagated (exactly for sums and softmax, to first order for the
/// others) and rounding included. Throws LimitError if f is not continuous there: 1/√t at t ≤ 0.
UncertainMatrix apply(const netsor::TableFunction& function,
                      const std::vector<const UncertainMatrix*>& arguments);

/// The derivative of f in each of so many directions of its arguments; null: that argument does not change.
Directions push_table(const netsor::TableFunction& function,
                      const std::vector<const UncertainMatrix*>& arguments,
                      const std::vector<const Directions*>& changes, Eigen::Index directions);

}  // namespace nngpcheck::analytic
