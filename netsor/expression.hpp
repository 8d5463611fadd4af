// Functions of real variables as values: what a text such as "x*tanh(x)" says, as a tree that can be
// evaluated, printed, compared, and searched for kinks and jumps.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nngpcheck::netsor {

/// What a node of an expression does with its arguments. Conventions: sign(0) = 0; rint rounds halves to
/// even; a comparison, `and`, `or` and `not` are 1 or 0, and what is not 0 is true; relu(a) = max(a, 0);
/// sigmoid(a) = 1/(1 + e^-a); softplus(a) = log(1 + e^a); select(c, a, b) is a where c is true, else b.
enum class Operator {
  constant,
  variable,
  negate,
  logical_not,
  abs,
  sign,
  floor,
  ceil,
  rint,
  trunc,
  relu,
  sqrt,
  cbrt,
  exp,
  expm1,
  log,
  log1p,
  log2,
  log10,
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  sinh,
  cosh,
  tanh,
  asinh,
  acosh,
  atanh,
  erf,
  erfc,
  sigmoid,
  softplus,
  add,
  subtract,
  multiply,
  divide,
  power,
  atan2,
  minimum,
  maximum,
  less,
  less_equal,
  greater,
  greater_equal,
  equal,
  not_equal,
  logical_and,
  logical_or,
  select
};

/// The number of arguments: 0 to 3.
int arity(Operator op);

/// Points where a function or a derivative of low order may jump, ascending and distinct.
struct Breakpoints {
  std::vector<double> points;
  bool complete = true;  // false: there may be others
};

/// An immutable function of some variables.
///
/// The language: numbers, the variables, pi, e; + - * /, ^ or ** (binds tighter than a minus on its left, and
/// to the right), < <= > >= == != (not chained), ! && ||, c ? a : b, where(c, a, b), parentheses; and the
/// functions `function_names()`. A function or constant may have the prefix of its Python module: np.tanh,
/// torch.nn.functional.relu, math.pi. log is the natural logarithm; round and rint round halves to even, as
/// NumPy and PyTorch do.
class Expression {
 public:
  struct Node {
    Operator op = Operator::constant;
    double value = 0;                             // of a constant
    std::uint32_t variable = 0;                   // which one
    std::array<std::uint32_t, 3> arguments = {};  // earlier nodes; the first arity(op) count

    friend bool operator==(const Node& left, const Node& right);
  };

  /// The function that the text describes. Throws ProgramError with the column if it describes none, nests
  /// deeper than some 100 parentheses, or has more than 4096 operations.
  static Expression parse(std::string_view text, std::vector<std::string> variables = {"x"});

  static std::vector<std::string> function_names();

  /// The value, in float64; NaN or infinite where the function is. Several threads may call it at once.
  /// Precondition: one number per variable.
  double operator()(std::span<const double> variables) const;
  double operator()(double x) const { return (*this)(std::span<const double>(&x, 1)); }

  /// The value of every node; the last is the function's.
  void evaluate(std::span<const double> variables, std::span<double> values) const;

  /// The nodes, each after its arguments and no two alike; the last is the whole.
  std::span<const Node> nodes() const { return data_->nodes; }
  const std::vector<std::string>& variables() const { return data_->variables; }

  /// A text that `parse` reads as the same tree.
  std::string text() const;

  /// All breakpoints between low and high of a function of one variable: where an argument of abs, sign,
  /// relu, min, max, a comparison, a rounding, … crosses the place of its kink or jump, as far as the
  /// function depends on it there. Each is where the computed argument crosses, to a few units in the last
  /// place of max(|low|, |high|); points closer than that are one. Incomplete if there are more than 10,000,
  /// or if the arguments cannot be bounded well enough within a limit of work (some 10 ms): sign(sin(1/x))
  /// has infinitely many.
  Breakpoints breakpoints(double low, double high) const;

  std::size_t hash() const;

  /// Whether the trees are the same; names of variables do not count.
  friend bool operator==(const Expression& left, const Expression& right);

 private:
  struct Data {
    std::vector<Node> nodes;
    std::vector<std::string> variables;
  };

  explicit Expression(Data data) : data_(std::make_shared<const Data>(std::move(data))) {}

  std::shared_ptr<const Data> data_;
};

}  // namespace nngpcheck::netsor
