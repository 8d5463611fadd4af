#include "nngpcheck/netsor/enclosure.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace nngpcheck::netsor {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

bool is_integer(double x) { return std::isfinite(x) && x == std::floor(x); }

double square(double x) { return x * x; }

Interval integer_power(Interval a, double n) {
  if (n == 0) return Interval::point(1);
  const Interval ends = hull({std::pow(a.low, n), std::pow(a.high, n)});
  if (a.low < 0 && a.high > 0 && std::fmod(n, 2) == 0) return {0, ends.high};
  return ends;
}

/// a^b for a constant exponent; a does not change its sign unless b is an integer ≥ 0.
Jet constant_power(Jet a, double b, bool positive) {
  if (is_integer(b)) {
    if (b < 0) a.value = positive ? clamp(a.value, 0, infinity) : clamp(a.value, -infinity, 0);
    const auto raised = [&](double n) {
      return n >= 0 ? integer_power(a.value, n) : Interval::point(1) / integer_power(a.value, -n);
    };
    return {raised(b), Interval::point(b) * raised(b - 1) * a.slope};
  }
  a.value = clamp(a.value, 0, infinity);
  const auto raised = [&](double n) { return hull({std::pow(a.value.low, n), std::pow(a.value.high, n)}); };
  return {raised(b), Interval::point(b) * raised(b - 1) * a.slope};
}

Jet varying_power(Jet a, Jet b) {
  a.value = clamp(a.value, 0, infinity);
  const Interval log = monotone(std::log, a.value);
  const Interval value = monotone(std::exp, b.value * log);
  return {value, value * (b.slope * log + b.value * a.slope / a.value)};
}

/// An increasing or decreasing function of an argument, with its slope at the argument.
Jet chain(Interval value, Interval slope, Jet a) { return {value, slope * a.slope}; }

/// A function of one argument that is smooth on the piece; `middle` is a value of the argument there.
Jet smooth(Operator op, Jet a, double middle) {
  const Interval one = Interval::point(1);
  const Interval v = a.value;
  const auto squared = [](Interval u) { return even(square, u); };
  switch (op) {
    case Operator::abs:
      return middle < 0 ? Jet{clamp(-v, 0, infinity), -a.slope} : Jet{clamp(v, 0, infinity), a.slope};
    case Operator::relu:
      return {clamp(v, 0, infinity), a.slope};
    case Operator::negate:
      return {-v, -a.slope};
    case Operator::sqrt: {
      const Interval root = monotone(std::sqrt, clamp(v, 0, infinity));
      return chain(root, Interval::point(0.5) / root, a);
    }
    case Operator::cbrt: {
      const Interval root = monotone(std::cbrt, v);
      return chain(root, Interval::point(1.0 / 3) / squared(root), a);
    }
    case Operator::exp:
      return chain(monotone(std::exp, v), monotone(std::exp, v), a);
    case Operator::expm1:
      return chain(monotone(std::expm1, v), monotone(std::exp, v), a);
    case Operator::log:
    case Operator::log2:
    case Operator::log10: {
      const Interval u = clamp(v, 0, infinity);
      const double scale = op == Operator::log    ? 1
                           : op == Operator::log2 ? std::numbers::log2e
                                                  : std::numbers::log10e;
      return chain(Interval::point(scale) * monotone(std::log, u), Interval::point(scale) / u, a);
    }
    case Operator::log1p: {
      const Interval u = clamp(v, -1, infinity);
      return chain(monotone(std::log1p, u), one / clamp(one + u, 0, infinity), a);
    }
    case Operator::sin:
      return chain(sine(v, 0), sine(v, 1), a);
    case Operator::cos:
      return chain(sine(v, 1), -sine(v, 0), a);
    case Operator::tan: {
      const double centre = std::numbers::pi * std::rint(middle / std::numbers::pi);
      const double reach = std::numbers::pi / 2 * (1 - 1e-15);
      const Interval u = clamp(v - Interval::point(centre), -reach, reach);
      const Interval value = monotone(std::tan, u);
      return chain(value, one + squared(value), a);
    }
    case Operator::asin:
    case Operator::acos: {
      const Interval u = clamp(v, -1, 1);
      const Interval root = monotone(std::sqrt, clamp(one - squared(u), 0, 1));
      if (op == Operator::asin) return chain(monotone(std::asin, u), one / root, a);
      return chain(monotone(std::acos, u), -(one / root), a);
    }
    case Operator::atan:
      return chain(monotone(std::atan, v), one / (one + squared(v)), a);
    case Operator::sinh:
      return chain(monotone(std::sinh, v), even(std::cosh, v), a);
    case Operator::cosh:
      return chain(even(std::cosh, v), monotone(std::sinh, v), a);
    case Operator::tanh: {
      const auto slope = [](double x) { return 1 / square(std::cosh(x)); };
      return chain(monotone(std::tanh, v), even(+slope, v), a);
    }
    case Operator::asinh:
      return chain(monotone(std::asinh, v), one / monotone(std::sqrt, one + squared(v)), a);
    case Operator::acosh: {
      const Interval u = clamp(v, 1, infinity);
      return chain(monotone(std::acosh, u), one / monotone(std::sqrt, clamp(squared(u) - one, 0, infinity)),
                   a);
    }
    case Operator::atanh: {
      const Interval u = clamp(v, -1, 1);
      return chain(monotone(std::atanh, u), one / clamp(one - squared(u), 0, 1), a);
    }
    case Operator::erf:
    case Operator::erfc: {
      const auto density = [](double x) { return 2 / std::sqrt(std::numbers::pi) * std::exp(-x * x); };
      const Interval slope = even(+density, v);
      if (op == Operator::erf) return chain(monotone(std::erf, v), slope, a);
      return chain(monotone(std::erfc, v), -slope, a);
    }
    case Operator::sigmoid: {
      const auto value = [](double x) { return 1 / (1 + std::exp(-x)); };
      const auto slope = [](double x) { return 1 / square(2 * std::cosh(x / 2)); };
      return chain(monotone(+value, v), even(+slope, v), a);
    }
    case Operator::softplus: {
      const auto value = [](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); };
      const auto slope = [](double x) { return 1 / (1 + std::exp(-x)); };
      return chain(monotone(+value, v), monotone(+slope, v), a);
    }
    default:
      return {Interval::line(), Interval::line()};
  }
}

Jet smooth_pair(Operator op, Jet a, Jet b, double middle_a, double middle_b) {
  switch (op) {
    case Operator::add:
      return {a.value + b.value, a.slope + b.slope};
    case Operator::subtract:
      return {a.value - b.value, a.slope - b.slope};
    case Operator::multiply:
      return {a.value * b.value, a.slope * b.value + a.value * b.slope};
    case Operator::divide: {
      b.value = middle_b > 0 ? clamp(b.value, 0, infinity) : clamp(b.value, -infinity, 0);
      const Interval value = a.value / b.value;
      return {value, (a.slope - value * b.slope) / b.value};
    }
    case Operator::power:
      return b.slope.is_zero() ? constant_power(a, middle_b, middle_a > 0) : varying_power(a, b);
    case Operator::minimum:
      return middle_a < middle_b ? a : b;
    case Operator::maximum:
      return middle_a > middle_b ? a : b;
    case Operator::atan2:
      return {{-std::numbers::pi, std::numbers::pi},
              (b.value * a.slope - a.value * b.slope) / (even(square, a.value) + even(square, b.value))};
    default:
      return {Interval::line(), Interval::line()};
  }
}

}  // namespace

bool is_piecewise_constant(Operator op) {
  switch (op) {
    case Operator::sign:
    case Operator::floor:
    case Operator::ceil:
    case Operator::rint:
    case Operator::trunc:
    case Operator::logical_not:
      return true;
    default:
      return op >= Operator::less && op <= Operator::logical_or;
  }
}

Jet enclose(const Expression::Node& node, std::span<const Jet> jets, std::span<const double> middles,
            double middle) {
  if (std::isnan(middle)) return {};
  const auto a = node.arguments[0], b = node.arguments[1], c = node.arguments[2];
  const Jet constant = {Interval::point(middle), Interval::point(0)};
  if (node.op == Operator::constant || is_piecewise_constant(node.op)) return constant;
  if (node.op == Operator::select) return middles[a] != 0 ? jets[b] : jets[c];
  if (node.op == Operator::relu && middles[a] <= 0) return constant;
  bool all_constant = true;
  for (int i = 0; i < arity(node.op); ++i) {
    const Jet& argument = jets[node.arguments[i]];
    if (argument.value.empty()) return {};
    all_constant = all_constant && argument.slope.is_zero();
  }
  if (all_constant) return constant;
  return arity(node.op) == 1 ? smooth(node.op, jets[a], middles[a])
                             : smooth_pair(node.op, jets[a], jets[b], middles[a], middles[b]);
}

}  // namespace nngpcheck::netsor
