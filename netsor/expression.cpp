#include "nngpcheck/netsor/expression.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

#include "nngpcheck/support/spelling.hpp"

namespace nngpcheck::netsor {

namespace {

double sigmoid(double x) {
  const double decay = std::exp(-std::abs(x));
  return (x >= 0 ? 1 : decay) / (1 + decay);
}

double sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }

// NaN where an argument is, as in NumPy.
double minimum(double a, double b) { return a < b || std::isnan(a) ? a : b; }
double maximum(double a, double b) { return a > b || std::isnan(a) ? a : b; }

double apply(Operator op, double a, double b, double c) {
  switch (op) {
    case Operator::constant:
    case Operator::variable:
      return a;
    case Operator::negate:
      return -a;
    case Operator::logical_not:
      return a == 0;
    case Operator::abs:
      return std::abs(a);
    case Operator::sign:
      return sign(a);
    case Operator::floor:
      return std::floor(a);
    case Operator::ceil:
      return std::ceil(a);
    case Operator::rint:
      return std::rint(a);
    case Operator::trunc:
      return std::trunc(a);
    case Operator::relu:
      return maximum(a, 0);
    case Operator::sqrt:
      return std::sqrt(a);
    case Operator::cbrt:
      return std::cbrt(a);
    case Operator::exp:
      return std::exp(a);
    case Operator::expm1:
      return std::expm1(a);
    case Operator::log:
      return std::log(a);
    case Operator::log1p:
      return std::log1p(a);
    case Operator::log2:
      return std::log2(a);
    case Operator::log10:
      return std::log10(a);
    case Operator::sin:
      return std::sin(a);
    case Operator::cos:
      return std::cos(a);
    case Operator::tan:
      return std::tan(a);
    case Operator::asin:
      return std::asin(a);
    case Operator::acos:
      return std::acos(a);
    case Operator::atan:
      return std::atan(a);
    case Operator::sinh:
      return std::sinh(a);
    case Operator::cosh:
      return std::cosh(a);
    case Operator::tanh:
      return std::tanh(a);
    case Operator::asinh:
      return std::asinh(a);
    case Operator::acosh:
      return std::acosh(a);
    case Operator::atanh:
      return std::atanh(a);
    case Operator::erf:
      return std::erf(a);
    case Operator::erfc:
      return std::erfc(a);
    case Operator::sigmoid:
      return sigmoid(a);
    case Operator::softplus:
      return maximum(a, 0) + std::log1p(std::exp(-std::abs(a)));
    case Operator::add:
      return a + b;
    case Operator::subtract:
      return a - b;
    case Operator::multiply:
      return a * b;
    case Operator::divide:
      return a / b;
    case Operator::power:
      return b == 2 ? a * a : std::pow(a, b);
    case Operator::atan2:
      return std::atan2(a, b);
    case Operator::minimum:
      return minimum(a, b);
    case Operator::maximum:
      return maximum(a, b);
    case Operator::less:
      return a < b;
    case Operator::less_equal:
      return a <= b;
    case Operator::greater:
      return a > b;
    case Operator::greater_equal:
      return a >= b;
    case Operator::equal:
      return a == b;
    case Operator::not_equal:
      return a != b;
    case Operator::logical_and:
      return a != 0 && b != 0;
    case Operator::logical_or:
      return a != 0 || b != 0;
    case Operator::select:
      return a != 0 ? b : c;
  }
  return a;
}

// ---- Printing ----

// How tightly a text binds, from loosely to tightly.
enum Binding { ternary, either, both, comparison, sum, product, prefix, exponent, atom };

struct Printed {
  std::string text;
  Binding binding;
};

std::string within(const Printed& inner, Binding at_least) {
  return inner.binding < at_least ? "(" + inner.text + ")" : inner.text;
}

struct Infix {
  Operator op;
  const char* symbol;
  Binding binding, left, right;  // what the operands must bind at least
};

constexpr std::array<Infix, 13> infixes = {{
    {Operator::add, " + ", sum, sum, product},
    {Operator::subtract, " - ", sum, sum, product},
    {Operator::multiply, "*", product, product, prefix},
    {Operator::divide, "/", product, product, prefix},
    {Operator::power, "^", exponent, atom, prefix},
    {Operator::less, " < ", comparison, sum, sum},
    {Operator::less_equal, " <= ", comparison, sum, sum},
    {Operator::greater, " > ", comparison, sum, sum},
    {Operator::greater_equal, " >= ", comparison, sum, sum},
    {Operator::equal, " == ", comparison, sum, sum},
    {Operator::not_equal, " != ", comparison, sum, sum},
    {Operator::logical_and, " && ", both, both, comparison},
    {Operator::logical_or, " || ", either, either, both},
}};

std::string print_constant(double value) {
  if (value == std::numbers::pi) return "pi";
  if (value == std::numbers::e) return "e";
  return support::shortest(value);
}

}  // namespace

std::string_view function_name(Operator op);  // expression_parser.cpp

int arity(Operator op) {
  if (op <= Operator::variable) return 0;
  if (op < Operator::add) return 1;
  return op < Operator::select ? 2 : 3;
}

bool operator==(const Expression::Node& left, const Expression::Node& right) {
  return left.op == right.op && left.value == right.value &&
         std::signbit(left.value) == std::signbit(right.value) && left.variable == right.variable &&
         left.arguments == right.arguments;
}

double Expression::operator()(std::span<const double> variables) const {
  constexpr std::size_t few = 64;
  const std::size_t count = nodes().size();
  if (count <= few) {
    std::array<double, few> values;
    evaluate(variables, {values.data(), count});
    return values[count - 1];
  }
  thread_local std::vector<double> values;
  values.resize(count);
  evaluate(variables, values);
  return values.back();
}

void Expression::evaluate(std::span<const double> variables, std::span<double> values) const {
  const std::span<const Node> all = nodes();
  for (std::size_t k = 0; k < all.size(); ++k) {
    const Node& node = all[k];
    if (node.op == Operator::constant)
      values[k] = node.value;
    else if (node.op == Operator::variable)
      values[k] = variables[node.variable];
    else  // arguments that do not count are node 0
      values[k] =
          apply(node.op, values[node.arguments[0]], values[node.arguments[1]], values[node.arguments[2]]);
  }
}

std::string Expression::text() const {
  const std::span<const Node> all = nodes();
  std::vector<Printed> printed(all.size());
  for (std::size_t k = 0; k < all.size(); ++k) {
    const Node& node = all[k];
    const auto argument = [&](int i) -> const Printed& { return printed[node.arguments[i]]; };
    const auto infix =
        std::find_if(infixes.begin(), infixes.end(), [&](const Infix& row) { return row.op == node.op; });
    if (node.op == Operator::constant) {
      printed[k] = {print_constant(node.value), std::signbit(node.value) ? prefix : atom};
    } else if (node.op == Operator::variable) {
      printed[k] = {variables()[node.variable], atom};
    } else if (node.op == Operator::negate || node.op == Operator::logical_not) {
      printed[k] = {(node.op == Operator::negate ? "-" : "!") + within(argument(0), exponent), prefix};
    } else if (infix != infixes.end()) {
      printed[k] = {within(argument(0), infix->left) + infix->symbol + within(argument(1), infix->right),
                    infix->binding};
    } else if (node.op == Operator::select) {
      printed[k] = {within(argument(0), either) + " ? " + argument(1).text + " : " + argument(2).text,
                    ternary};
    } else {
      std::string text = std::string(function_name(node.op)) + "(" + argument(0).text;
      for (int i = 1; i < arity(node.op); ++i) text += ", " + argument(i).text;
      printed[k] = {text + ")", atom};
    }
  }
  return printed.back().text;
}

std::size_t Expression::hash() const {
  std::size_t result = 0;
  const auto add = [&](std::size_t value) {
    result = (result ^ value) * 0x9E3779B97F4A7C15u + (result >> 29);
  };
  for (const Node& node : nodes()) {
    add(static_cast<std::size_t>(node.op));
    add(std::hash<double>()(node.value));
    add(node.variable);
    for (const std::uint32_t argument : node.arguments) add(argument);
  }
  return result;
}

bool operator==(const Expression& left, const Expression& right) {
  return left.data_ == right.data_ || left.data_->nodes == right.data_->nodes;
}

}  // namespace nngpcheck::netsor
