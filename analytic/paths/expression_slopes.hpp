// Partial derivatives of expressions.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "nngpcheck/netsor/expression.hpp"

namespace nngpcheck::analytic {

/// The gradient of an expression by the chain rule, backwards through its tree. At kinks that of one side.
class ExpressionSlopes {
 public:
  /// Nothing where an operator may jump (sign, rounding, comparisons, atan2, a choice between two values), or
  /// where its tree does not show that a quotient, a logarithm or a power stays away from what it has at 0.
  static std::optional<ExpressionSlopes> of(const netsor::Expression& expression);

  /// ∂f/∂x_k at these variables, one for each. NaN or infinite where a derivative is.
  void gradient(std::span<const double> variables, std::span<double> result);

 private:
  explicit ExpressionSlopes(const netsor::Expression& expression);

  netsor::Expression expression_;
  std::vector<double> values_, adjoints_;  // of the nodes
};

}  // namespace nngpcheck::analytic
