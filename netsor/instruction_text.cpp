#include "nngpcheck/netsor/instruction_text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "nngpcheck/netsor/program.hpp"
#include "nngpcheck/netsor/text_scope.hpp"
#include "nngpcheck/support/spelling.hpp"

namespace nngpcheck::netsor {

// ---- Writing ----

namespace {

// "c₁ x1 + c₂ x2 - x3", coefficients 1 left out.
template <class Names>
std::string sum_text(const std::vector<double>& coefficients, const Names& names) {
  std::string result;
  for (std::size_t k = 0; k < coefficients.size(); ++k) {
    const double c = coefficients[k];
    if (k == 0) {
      result += c < 0 ? "-" : "";
    } else {
      result += c < 0 ? " - " : " + ";
    }
    if (std::abs(c) != 1) result += support::shortest(std::abs(c)) + " ";
    result += names(k);
  }
  return result;
}

std::string joined(const std::vector<std::string>& texts, const char* separator) {
  std::string result;
  for (const std::string& text : texts) result += (result.empty() ? "" : separator) + text;
  return result;
}

std::string table_function(const TableFunction& function, const std::vector<std::string>& arguments,
                           const std::string& mask) {
  return std::visit(
      Overloaded{
          [&](const SoftmaxKeys& f) {
            return "softmax_keys(" + arguments[0] + (f.mask ? ", mask " + mask : "") + ")";
          },
          [&](const Rsqrt& f) {
            const std::string epsilon = f.epsilon == 0 ? "" : " + " + support::shortest(f.epsilon);
            return "1/√(" + arguments[0] + epsilon + ")";
          },
          [&](const Transpose&) { return arguments[0] + "ᵀ"; },
          [&](const Diagonal&) { return "diag(" + arguments[0] + ")"; },
          [&](const Sum& f) { return sum_text(f.coefficients, [&](std::size_t k) { return arguments[k]; }); },
          [&](const Product&) {
            return arguments.size() == 1 ? "product(" + arguments[0] + ")" : joined(arguments, " ⊙ ");
          },
      },
      function);
}

// As the builder numbers groups.
bool is_one_group(const Standardize& op) {
  return std::all_of(op.group.begin(), op.group.end(), [](int group) { return group == 0; });
}

// Whether the printer may give this name to an instruction or a constant.
bool is_numbered(std::string_view name) {
  return name.size() > 1 && std::string_view("gxtDMCSK").find(name[0]) != std::string_view::npos &&
         name.find_first_not_of("0123456789", 1) == std::string_view::npos;
}

}  // namespace

std::string object_text(const std::string& name) {
  return is_plain_name(name) && !is_numbered(name) ? name : in_quotes(name);
}

std::string function_text(const std::string& name) {
  constexpr std::array<std::string_view, 5> taken = {"max", "diag", "product", "softmax_keys", "standardize"};
  const bool plain = is_plain_name(name) && std::find(taken.begin(), taken.end(), name) == taken.end();
  return plain ? name : in_quotes(name);
}

std::string divisor_text(const Width& width) {
  return width == Width() ? "n" : std::string("(") + width.text() + ")";
}

std::string constant_name(const Program& program, std::size_t index) {
  const char letter = std::visit(Overloaded{
                                     [](const Input&) { return 'D'; },
                                     [](const Mix&) { return 'M'; },
                                     [](const Constant&) { return 'C'; },
                                     [](const Standardize&) { return 'S'; },
                                     [](const auto&) { return 'K'; },
                                 },
                                 program.nodes()[index].operation);
  return letter + std::to_string(index + 1);
}

std::string operation_text(const Program& program, std::size_t index, const std::string& constant) {
  const auto name = [&](auto id) { return program.name(id.index()); };
  return std::visit(
      Overloaded{
          [&](const Input& op) { return object_text(program[op.weight].name) + " " + constant; },
          [&](const BiasColumn& op) { return object_text(program[op.bias].name); },
          [&](const Ones&) { return std::string("1"); },
          [&](const MatMul& op) { return object_text(program[op.weight].name) + " " + name(op.argument); },
          [&](const Mix& op) { return name(op.argument) + " " + constant; },
          [&](const TableMix& op) { return name(op.argument) + " " + name(op.table); },
          [&](const Add& op) {
            std::vector<double> coefficients;
            for (const Add::Term& term : op.terms) coefficients.push_back(term.coefficient);
            return sum_text(coefficients, [&](std::size_t k) { return name(op.terms[k].bundle); });
          },
          [&](const Scale& op) { return name(op.argument) + " diag(" + name(op.factors) + ")"; },
          [&](const Map& op) { return function_text(op.activation.name()) + "(" + name(op.argument) + ")"; },
          [&](const Mul& op) { return name(op.left) + " ⊙ " + name(op.right); },
          [&](const Max& op) { return "max(" + name(op.left) + ", " + name(op.right) + ")"; },
          [&](const Nonlin& op) {
            std::vector<std::string> arguments;
            for (const BundleId argument : op.arguments) arguments.push_back(name(argument));
            return function_text(op.function.name()) + "(" + joined(arguments, ", ") + ")";
          },
          [&](const Standardize& op) {
            const std::string groups = is_one_group(op) ? "" : "; " + constant;
            const std::string epsilon = op.epsilon == 0 ? "" : "; ε = " + support::shortest(op.epsilon);
            return "standardize(" + name(op.argument) + groups + epsilon + ")";
          },
          [&](const Constant&) { return constant; },
          [&](const Gram& op) {
            return name(op.left) + "ᵀ " + name(op.right) + " / " + divisor_text(program.type(op.left).width);
          },
          [&](const Mean& op) {
            return "1ᵀ " + name(op.argument) + " / " + divisor_text(program.type(op.argument).width);
          },
          [&](const Apply& op) {
            std::vector<std::string> arguments;
            for (const TableId argument : op.arguments) arguments.push_back(name(argument));
            return table_function(op.function, arguments, constant);
          },
      },
      program.nodes()[index].operation);
}

// ---- Reading: a function per form of right-hand side ----

static_assert(
    std::variant_size_v<Operation> == 17 && std::variant_size_v<TableFunction> == 6,
    "an instruction is new: let it be read below, and put it into the language's table in docs/netsor.md");

namespace {

using Kind = Token::Kind;
using Constant = std::shared_ptr<const TextMatrix>;

/// A type as it is written behind an instruction.
struct Claim {
  std::size_t offset = 0;
  std::string letter;  // G, H or R
  Width width = {};
  std::optional<Index> rows, columns;
};

/// G(n)^6, H(2n), R^{4×6}.
std::optional<Claim> read_claim(TextScope& scope) {
  if (!scope.take(":")) return {};
  Claim claim{scope.lexer().peek().offset, scope.plain_name("a type").text, {}, {}, {}};
  if (claim.letter == "R") {
    for (const char* symbol : {"^", "{"}) scope.expect(symbol, "R^{4×6}");
    claim.rows = read_index(scope.lexer());
    scope.expect("×", "R^{4×6}");
    claim.columns = read_index(scope.lexer());
    scope.expect("}", "R^{4×6}");
    return claim;
  }
  if (claim.letter != "G" && claim.letter != "H")
    scope.lexer().fail(claim.offset, "a type is G(n)^m, H(n)^m or R^{a×b}");
  scope.expect("(", claim.letter + "(n)^6");
  claim.width = scope.width();
  scope.expect(")", claim.letter + "(n)^6");
  if (scope.take("^")) claim.columns = read_index(scope.lexer());
  return claim;
}

void check(TextScope& scope, const Claim& claim, const Meaning& made) {
  const auto fail = [&](const std::string& type) {
    scope.lexer().fail(claim.offset,
                       "this instruction makes " + type + "; write that, or leave the type out");
  };
  if (const auto* id = std::get_if<BundleId>(&made)) {
    const BundleType& type = scope.builder().type(*id);
    if (claim.letter == "R" || claim.width != type.width ||
        claim.columns.value_or(type.columns) != type.columns || (claim.letter == "G" && !type.gaussian))
      fail(std::string(type.gaussian ? "G(" : "H(") + type.width.text() + ")^" +
           std::to_string(type.columns));
  } else if (const auto* table = std::get_if<TableId>(&made)) {
    const TableType& type = scope.builder().type(*table);
    if (claim.letter != "R" || *claim.rows != type.rows || *claim.columns != type.columns)
      fail("R^{" + std::to_string(type.rows) + "×" + std::to_string(type.columns) + "}");
  }
}

/// A full matrix that an instruction takes a copy of.
const Eigen::MatrixXd& dense(TextScope& scope, const Token& name) {
  const Eigen::MatrixXd& result = scope.dense(name);
  scope.charge(name, result.size());
  return result;
}

// ---- Sums and products ----

/// c₁ x + c₂ y - z, of which the first coefficient and perhaps its operand are read; a number alone is that
/// in every coordinate.
Meaning read_sum(TextScope& scope, double coefficient, std::optional<Token> first) {
  struct Term {
    double coefficient;
    std::optional<Token> name;
  };
  const auto word = [&]() -> std::optional<Token> {
    if (!scope.at_word()) return {};
    return scope.lexer().next();
  };
  std::vector<Term> terms = {{coefficient, first ? first : word()}};
  while (scope.lexer().peek().is("+") || scope.lexer().peek().is("-")) {
    const double sign = scope.lexer().next().is("-") ? -1 : 1;
    const bool numbered = scope.lexer().peek().kind == Kind::number;
    const double c = numbered ? sign * scope.number() : sign;
    terms.push_back({c, numbered ? word() : scope.word("what is added")});
  }
  const auto named =
      std::find_if(terms.begin(), terms.end(), [](const Term& term) { return term.name.has_value(); });
  if (named == terms.end())
    scope.fail_here("a sum of numbers alone; add them to a vector, or write a matrix");
  if (!scope.is_bundle(*named->name)) {
    Sum sum;
    std::vector<TableId> tables;
    for (const Term& term : terms) {
      if (!term.name)
        scope.lexer().fail(named->name->offset, "numbers are added to vectors; write a constant table");
      sum.coefficients.push_back(term.coefficient);
      tables.push_back(scope.table(*term.name));
    }
    return scope.builder().apply(std::move(sum), std::move(tables));
  }
  const Width width = scope.builder().type(scope.bundle(*named->name)).width;
  std::vector<Add::Term> bundles;
  for (const Term& term : terms)
    bundles.push_back({term.coefficient, term.name ? scope.bundle(*term.name) : scope.builder().ones(width)});
  return scope.builder().add(std::move(bundles));
}

/// x ⊙ y, or s ⊙ t ⊙ … of tables; the first is read.
Meaning read_product(TextScope& scope, const Token& first) {
  if (scope.is_bundle(first)) {
    scope.lexer().next();
    const BundleId left = scope.bundle(first);
    return scope.builder().mul(left, scope.bundle());
  }
  std::vector<TableId> tables = {scope.table(first)};
  while (scope.take("⊙")) tables.push_back(scope.table());
  return scope.builder().apply(Product{}, std::move(tables));
}

// ---- Instructions that begin with a name ----

/// tᵀ, or xᵀ y / n.
Meaning read_transposed(TextScope& scope, const Token& first) {
  scope.lexer().next();
  if (!scope.at_word()) return scope.builder().apply(Transpose{}, {scope.table(first)});
  const BundleId left = scope.bundle(first);
  const TableId result = scope.builder().gram(left, scope.bundle());
  scope.expect("/", "xᵀ y / n");
  const std::size_t start = scope.lexer().peek().offset;
  const Width width = scope.builder().type(left).width;
  if (scope.divisor() != width)
    scope.lexer().fail(start, "the vectors have width " + width.text() + "; divide by it");
  return result;
}

/// U D, W x, x M, x t, or x diag(t).
Meaning read_juxtaposed(TextScope& scope, const Token& first) {
  Builder& builder = scope.builder();
  const Token second = scope.lexer().next();
  const Meaning& left = scope.meaning(first);
  if (second.is_name("diag") && scope.take("(")) {
    const TableId factors = scope.table();
    scope.expect(")", "x diag(t)");
    return builder.scale(scope.bundle(first), factors);
  }
  if (const auto* weight = std::get_if<InputWeightId>(&left))
    return builder.input(*weight, dense(scope, second));
  if (const auto* weight = std::get_if<WeightId>(&left)) return builder.matmul(*weight, scope.bundle(second));
  const BundleId bundle = scope.bundle(first);
  const Meaning& right = scope.meaning(second);
  if (const auto* table = std::get_if<TableId>(&right)) return builder.mix(bundle, *table);
  if (const auto* constant = std::get_if<Constant>(&right)) {
    const auto* matrix = std::get_if<SparseMatrix>(constant->get());
    if (!matrix) return builder.mix(bundle, dense(scope, second).sparseView());
    scope.charge(second, matrix->cols() + matrix->nonZeros());
    return builder.mix(bundle, *matrix);
  }
  scope.lexer().fail(second.offset, second.text +
                                        " is neither a matrix nor a table; write U D, W x, x M or x t, and "
                                        "x ⊙ y for products of coordinates");
}

/// A constant alone is a table, a bias its column, anything else one term of a sum.
Meaning read_alone(TextScope& scope, const Token& name) {
  const Meaning& meant = scope.meaning(name);
  if (std::holds_alternative<Constant>(meant)) return scope.builder().constant(dense(scope, name));
  if (std::holds_alternative<InputWeightId>(meant) || std::holds_alternative<WeightId>(meant))
    scope.lexer().fail(name.offset, name.text + " is a random matrix; multiply it: " + name.text + " x");
  return read_sum(scope, 1, name);
}

// ---- Calls ----

/// standardize(x; S, ε = 0.1): S are the groups' numbers; without it, all columns are one group.
Meaning read_standardize(TextScope& scope) {
  const Token argument = scope.word("a vector");
  const BundleId bundle = scope.bundle(argument);
  const Index columns = scope.builder().type(bundle).columns;
  scope.charge(argument, columns);
  std::vector<int> group(static_cast<std::size_t>(columns), 0);
  double epsilon = 0;
  while (scope.take(";") || scope.take(",")) {
    const Token name = scope.word("the groups' numbers, or ε = …,");
    if (name.is_name("ε") || name.is_name("eps") || name.is_name("epsilon")) {
      scope.expect("=", "ε = 0.001");
      epsilon = scope.signed_number();
      continue;
    }
    const Eigen::MatrixXd& numbers = dense(scope, name);
    group.clear();
    for (Index k = 0; k < numbers.size(); ++k) {
      const double number = numbers(k);
      if (number != std::floor(number) || std::abs(number) > 1e9)
        scope.lexer().fail(name.offset,
                           "a group has the number " + support::shortest(number) + "; give whole numbers");
      group.push_back(static_cast<int>(number));
    }
  }
  return scope.builder().standardize(bundle, std::move(group), epsilon);
}

Meaning read_softmax(TextScope& scope) {
  const TableId scores = scope.table();
  SoftmaxKeys softmax;
  if (scope.take(",")) {
    if (!scope.take_name("mask")) scope.fail_here("\"mask\" is missing here; write softmax_keys(t, mask M)");
    softmax.mask = std::make_shared<const Eigen::MatrixXd>(dense(scope, scope.word("the mask")));
  }
  return scope.builder().apply(std::move(softmax), {scores});
}

Meaning read_function(TextScope& scope, const Token& name) {
  std::vector<BundleId> arguments = {scope.bundle()};
  while (scope.take(",")) arguments.push_back(scope.bundle());
  if (const Function* function = scope.function(name))
    return scope.builder().nonlin(*function, std::move(arguments));
  if (arguments.size() > 1)
    scope.lexer().fail(name.offset, "there is no function " + name.text +
                                        " of several arguments; declare Function: " + name.text +
                                        "(x, y) := x*tanh(y)");
  return scope.builder().map(scope.activation(name), arguments[0]);
}

Meaning read_call(TextScope& scope, const Token& name) {
  scope.lexer().next();
  const Meaning result = [&]() -> Meaning {
    if (name.is_name("max")) {
      const BundleId left = scope.bundle();
      scope.expect(",", "max(x, y)");
      return scope.builder().max(left, scope.bundle());
    }
    if (name.is_name("standardize")) return read_standardize(scope);
    if (name.is_name("softmax_keys")) return read_softmax(scope);
    if (name.is_name("diag")) return scope.builder().apply(Diagonal{}, {scope.table()});
    if (name.is_name("product")) return scope.builder().apply(Product{}, {scope.table()});
    return read_function(scope, name);
  }();
  scope.expect(")", name.text + "(x)");
  return result;
}

// ---- Instructions that begin with a number ----

/// 1ᵀ x / n, 1/√(t + 0.1), or a sum; nothing for the column 1, whose width its type says.
std::optional<Meaning> read_numbered(TextScope& scope) {
  const Token number = scope.lexer().next();
  const auto one = [&] {
    if (number.value != 1) scope.lexer().fail(number.offset, "only 1 can stand here: 1ᵀ x / n, 1/√(t), or 1");
  };
  if (scope.take("ᵀ")) {
    one();
    const BundleId bundle = scope.bundle();
    scope.expect("/", "1ᵀ x / n");
    const std::size_t start = scope.lexer().peek().offset;
    const Width width = scope.builder().type(bundle).width;
    if (scope.divisor() != width)
      scope.lexer().fail(start, "the vector has width " + width.text() + "; divide by it");
    return scope.builder().mean(bundle);
  }
  if (scope.take("/")) {
    one();
    for (const char* symbol : {"√", "("}) scope.expect(symbol, "1/√(t + 0.1)");
    const TableId table = scope.table();
    const double epsilon = scope.take("+") ? scope.number() : 0;
    scope.expect(")", "1/√(t + 0.1)");
    return scope.builder().apply(Rsqrt{epsilon}, {table});
  }
  if (scope.at_word() || scope.lexer().peek().is("+") || scope.lexer().peek().is("-"))
    return read_sum(scope, number.value, {});
  one();
  return {};
}

Meaning read_named(TextScope& scope, const Token& first) {
  const Token& next = scope.lexer().peek();
  if (next.is("(")) return read_call(scope, first);
  if (next.is("ᵀ")) return read_transposed(scope, first);
  if (next.is("⊙")) return read_product(scope, first);
  if (next.is("+") || next.is("-")) return read_sum(scope, 1, first);
  return scope.at_word() ? read_juxtaposed(scope, first) : read_alone(scope, first);
}

}  // namespace

Meaning read_instruction(TextScope& scope) {
  std::optional<Meaning> made;
  if (scope.lexer().peek().kind == Kind::number) {
    made = read_numbered(scope);
  } else if (scope.take("-")) {
    const bool scaled = scope.lexer().peek().kind == Kind::number;
    made = read_sum(scope, scaled ? -scope.number() : -1, {});
  } else {
    made = read_named(scope, scope.word("an instruction such as tanh(g), W x or x + y"));
  }
  const std::optional<Claim> claim = read_claim(scope);
  if (!made) made = scope.builder().ones(claim ? claim->width : Width());
  if (claim) check(scope, *claim, *made);
  return *made;
}

}  // namespace nngpcheck::netsor
