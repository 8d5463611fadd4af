// Instructions of pointwise form on numbers: everything the limit knows of them along paths.
#pragma once

#include <Eigen/Core>
#include <optional>
#include <vector>

#include "nngpcheck/netsor/operation.hpp"

namespace nngpcheck::analytic {

/// What an instruction φ(x₁, …, x_k) of pointwise form is applied to: an array per argument, in order.
using Arguments = std::vector<const Eigen::ArrayXd*>;

/// φ(x₁, …, x_k), element by element.
Eigen::ArrayXd pointwise(const netsor::Operation& operation, const Arguments& x);

/// ∂φ/∂x_l, element by element, for each argument. None where φ may jump or its derivative is not known: a
/// user's function, an expression. At kinks, one of the values beside them.
std::optional<std::vector<Eigen::ArrayXd>> partial_derivatives(const netsor::Operation& operation,
                                                               const Arguments& x);

/// Whether φ is (locally) Lipschitz with derivatives that are known.
bool has_derivatives(const netsor::Operation& operation);

}  // namespace nngpcheck::analytic
