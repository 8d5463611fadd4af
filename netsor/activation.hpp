// Coordinatewise functions as values: what a function is, not how to compute it. The analytic and the
// empirical side each bring their own evaluation, and share none.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nngpcheck/netsor/expression.hpp"

namespace nngpcheck::netsor {

/// A function φ: R → R that a program applies to every coordinate.
///
/// Named functions, with the field's conventions:
///   identity, relu, abs, step (1 if x > 0, else 0), sign (sign(0) = 0), square, relu_squared,
///   leaky_relu_S (slope S for x < 0), power_P = x^P, rectified_power_P = max(x, 0)^P (P an integer
///   in 1..20), erf, erf_sigmoid = (1 + erf x)/2, sigmoid = 1/(1 + e^-x), tanh, hardtanh = min(max(x, -1),
///   1), gelu = x Φ(x) (exact), silu = x sigmoid(x), softplus = log(1 + e^x), elu (e^x - 1 for x < 0), sin,
///   cos, exp, gaussian = exp(-x²);
/// and, as expressions (`Kind::expression`), PyTorch's others with its constants: selu, mish, hardswish,
/// hardsigmoid, relu6, softsign, tanhshrink, hardshrink, softshrink, logsigmoid, gelu_tanh, quick_gelu. Upper
/// and lower case do not matter, nor does _ in a name without a number: GELU, HardSwish, hard_swish. Other
/// names of the same: swish, logistic, linear, leaky_relu (slope 0.01, as in PyTorch and flax; not Keras), …
/// Names that mean the same function give the same value: power_2 is square, leaky_relu_0 is relu.
class Activation {
 public:
  enum class Kind {
    identity,
    relu,
    leaky_relu,
    abs,
    step,
    sign,
    square,
    relu_squared,
    power,
    rectified_power,
    erf,
    erf_sigmoid,
    sigmoid,
    tanh,
    hardtanh,
    gelu,
    silu,
    softplus,
    elu,
    sin,
    cos,
    exp,
    gaussian,
    expression,
    custom
  };

  /// Where an expression has finite values.
  enum class Domain { line, part };

  /// The function of that name. Throws ProgramError with what is near or valid if there is none.
  static Activation named(std::string_view name);

  /// The function that an expression in x describes (netsor/expression.hpp), "x*tanh(x)"; its name is its
  /// text unless another is given. `kinks` replaces the breakpoints that are found from the expression.
  /// Throws ProgramError if the text is no such expression, has no finite value somewhere in [-10, 10], or
  /// the name is a named function's or a kink is not finite.
  static Activation from_expression(std::string_view text, std::string name = "",
                                    std::optional<std::vector<double>> kinks = {});
  /// The same of an expression of one variable, whatever its name. `part` skips the check of values: of
  /// functions of numbers that are known to lie in the function's domain, such as the logarithm of a
  /// variance.
  static Activation from_expression(Expression expression, std::string name = "",
                                    std::optional<std::vector<double>> kinks = {},
                                    Domain domain = Domain::line);

  /// A user's function. It must be callable from several threads at once. Throws ProgramError if the name is
  /// empty or taken by a named function, or the function is empty. Where it has kinks or jumps is not
  /// known, so error bars of its expectations are estimates.
  static Activation custom(std::string name, std::function<double(double)> function);

  /// The same with all points where it or a derivative of low order jumps; {} if there are none. Throws
  /// ProgramError if one is not finite.
  static Activation custom(std::string name, std::function<double(double)> function,
                           std::vector<double> kinks);

  /// One line per name that `named` accepts, e.g. "leaky_relu_S"; without other names of the same.
  static std::vector<std::string> names();

  Kind kind() const { return kind_; }

  /// The slope S of leaky_relu or the exponent P of power and rectified_power; 0 for all others.
  double parameter() const { return parameter_; }

  /// The name under which `named` finds it, or the user's own.
  std::string name() const;

  /// The points between low and high where φ or a derivative of low order may jump. Complete for named
  /// functions; for expressions see `Expression::breakpoints`; for a user's function as declared, incomplete
  /// if nothing was.
  Breakpoints breakpoints(double low, double high) const;

  /// Only for Kind::expression.
  const Expression& expression() const { return *own_->expression; }
  /// As they were declared, ascending and distinct.
  std::optional<std::vector<double>> kinks() const { return own_ ? own_->kinks : std::nullopt; }
  Domain domain() const { return own_ ? own_->domain : Domain::line; }
  /// Only for Kind::custom.
  const std::function<double(double)>& function() const { return own_->function; }

  std::size_t hash() const;

  /// Whether they are the same function as far as can be known: expressions with the same tree; a user's
  /// function is only itself and its copies. Names do not count.
  friend bool operator==(const Activation& left, const Activation& right);

 private:
  struct Own {
    std::string name;
    std::function<double(double)> function;
    std::optional<Expression> expression;
    std::optional<std::vector<double>> kinks;  // ascending, distinct
    Domain domain = Domain::line;
  };

  explicit Activation(Kind kind, double parameter = 0) : kind_(kind), parameter_(parameter) {}
  Activation(Kind kind, Own own);

  static Activation expressed(std::string_view name);

  Kind kind_;
  double parameter_;
  std::shared_ptr<const Own> own_;
};

}  // namespace nngpcheck::netsor
