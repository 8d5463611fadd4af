// Coordinatewise functions as values: what a function is, not how to compute it. The analytic and the
// empirical side each bring their own evaluation, and share none.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nngpcheck::netsor {

/// A function φ: R → R that a program applies to every coordinate.
///
/// Named functions, with the field's conventions:
///   identity, relu, abs, step (1 if x > 0, else 0), sign (sign(0) = 0), square, relu_squared,
///   leaky_relu_S (slope S for x < 0), power_P = x^P, rectified_power_P = max(x, 0)^P (P an integer in 1..20),
///   erf, erf_sigmoid = (1 + erf x)/2, sigmoid = 1/(1 + e^-x), tanh, hardtanh = min(max(x, -1), 1),
///   gelu = x Φ(x) (exact), silu = x sigmoid(x), softplus = log(1 + e^x), elu (e^x - 1 for x < 0),
///   sin, cos, exp, gaussian = exp(-x²).
/// Names that mean the same function give the same value: power_2 is square, leaky_relu_0 is relu.
class Activation {
 public:
  enum class Kind {
    identity, relu, leaky_relu, abs, step, sign, square, relu_squared, power, rectified_power,
    erf, erf_sigmoid, sigmoid, tanh, hardtanh, gelu, silu, softplus, elu, sin, cos, exp, gaussian,
    custom
  };

  /// The function of that name. Throws ProgramError with the nearest valid name if there is none.
  static Activation named(std::string_view name);

  /// A user's function, with the points where it or a derivative of low order jumps ("kinks"; declaring
  /// them keeps quadrature accurate). It must be callable from several threads at once. Two custom
  /// functions are the same when their names are. Throws ProgramError if the name is empty or taken by a
  /// named function, the function is empty, or a kink is not finite.
  static Activation custom(std::string name, std::function<double(double)> function,
                           std::vector<double> kinks = {});

  /// One line per name that `named` accepts, e.g. "leaky_relu_S".
  static std::vector<std::string> names();

  Kind kind() const { return kind_; }

  /// The slope S of leaky_relu or the exponent P of power and rectified_power; 0 for all others.
  double parameter() const { return parameter_; }

  /// The name under which `named` finds it, or the custom function's own.
  std::string name() const;

  /// Only for Kind::custom.
  const std::function<double(double)>& function() const { return custom_->function; }
  const std::vector<double>& kinks() const { return custom_->kinks; }

  friend bool operator==(const Activation& left, const Activation& right);

 private:
  struct Custom {
    std::string name;
    std::function<double(double)> function;
    std::vector<double> kinks;  // ascending, distinct
  };

  explicit Activation(Kind kind, double parameter = 0) : kind_(kind), parameter_(parameter) {}

  Kind kind_;
  double parameter_;
  std::shared_ptr<const Custom> custom_;
};

}  // namespace nngpcheck::netsor
