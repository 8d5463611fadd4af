#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>
#include <unordered_map>

#include "nngpcheck/netsor/error.hpp"
#include "nngpcheck/netsor/expression.hpp"
#include "nngpcheck/support/spelling.hpp"

namespace nngpcheck::netsor {

namespace {

using Term = Expression::Node;

constexpr int deepest = 200;  // a pair of parentheses is two levels
constexpr std::size_t most_nodes = 4096;
constexpr const char* assignment =
    "an assignment or a keyword argument; compare with ==, and give arguments in their order";
constexpr const char* not_understood = "is not part of the language; see docs/architectures.md";
constexpr std::size_t longest_quote = 40;  // bytes of the text that a message repeats

// ---- Names ----

struct NamedFunction {
  std::string_view name;
  Operator op;
};

// The first name of an operator is the one that is printed.
constexpr NamedFunction functions[] = {
    {"abs", Operator::abs},         {"fabs", Operator::abs},        {"absolute", Operator::abs},
    {"sign", Operator::sign},       {"floor", Operator::floor},     {"ceil", Operator::ceil},
    {"rint", Operator::rint},       {"round", Operator::rint},      {"trunc", Operator::trunc},
    {"relu", Operator::relu},       {"sqrt", Operator::sqrt},       {"cbrt", Operator::cbrt},
    {"exp", Operator::exp},         {"expm1", Operator::expm1},     {"log", Operator::log},
    {"ln", Operator::log},          {"log1p", Operator::log1p},     {"log2", Operator::log2},
    {"log10", Operator::log10},     {"sin", Operator::sin},         {"cos", Operator::cos},
    {"tan", Operator::tan},         {"asin", Operator::asin},       {"arcsin", Operator::asin},
    {"acos", Operator::acos},       {"arccos", Operator::acos},     {"atan", Operator::atan},
    {"arctan", Operator::atan},     {"sinh", Operator::sinh},       {"cosh", Operator::cosh},
    {"tanh", Operator::tanh},       {"asinh", Operator::asinh},     {"arcsinh", Operator::asinh},
    {"acosh", Operator::acosh},     {"arccosh", Operator::acosh},   {"atanh", Operator::atanh},
    {"arctanh", Operator::atanh},   {"erf", Operator::erf},         {"erfc", Operator::erfc},
    {"sigmoid", Operator::sigmoid}, {"expit", Operator::sigmoid},   {"softplus", Operator::softplus},
    {"pow", Operator::power},       {"power", Operator::power},     {"atan2", Operator::atan2},
    {"arctan2", Operator::atan2},   {"min", Operator::minimum},     {"minimum", Operator::minimum},
    {"max", Operator::maximum},     {"maximum", Operator::maximum}, {"where", Operator::select},
};

// Functions that are written with others.
constexpr std::string_view composed[] = {"sum", "avg", "clip", "clamp", "square", "step"};

constexpr std::string_view modules[] = {"np",    "numpy", "torch", "nn",      "functional",  "F",
                                        "jnp",   "jax",   "lax",   "scipy",   "special",     "math",
                                        "cmath", "tf",    "keras", "backend", "activations", "ops",
                                        "flax",  "linen", "std"};

bool is_module(std::string_view word) {
  return std::find(std::begin(modules), std::end(modules), word) != std::end(modules);
}

// ---- The tree ----

/// Nodes without duplicates.
class Nodes {
 public:
  std::optional<std::uint32_t> add(const Term& node) {
    const auto [begin, end] = known_.equal_range(key(node));
    for (auto found = begin; found != end; ++found) {
      if (all_[found->second] == node) return found->second;
    }
    if (all_.size() == most_nodes) return {};
    const auto index = static_cast<std::uint32_t>(all_.size());
    all_.push_back(node);
    known_.emplace(key(node), index);
    return index;
  }

  const Term& operator[](std::uint32_t index) const { return all_[index]; }

  /// What `root` needs, in the order of a walk from it: the same for every way to write the same tree.
  std::vector<Term> below(std::uint32_t root) const {
    std::vector<Term> result;
    std::vector<std::uint32_t> renumbered(all_.size(), missing);
    std::vector<std::uint32_t> open = {root};
    while (!open.empty()) {
      const std::uint32_t top = open.back();
      Term node = all_[top];
      bool ready = true;
      for (int i = arity(node.op); i-- > 0;) {
        if (renumbered[node.arguments[i]] != missing) continue;
        open.push_back(node.arguments[i]);
        ready = false;
      }
      if (!ready) continue;
      open.pop_back();
      if (renumbered[top] != missing) continue;
      for (int i = 0; i < arity(node.op); ++i) node.arguments[i] = renumbered[node.arguments[i]];
      renumbered[top] = static_cast<std::uint32_t>(result.size());
      result.push_back(node);
    }
    return result;
  }

 private:
  static constexpr std::uint32_t missing = std::numeric_limits<std::uint32_t>::max();

  static std::size_t key(const Term& node) {
    std::size_t result = static_cast<std::size_t>(node.op) + std::hash<double>()(node.value) + node.variable;
    for (const std::uint32_t argument : node.arguments) result = result * 0x9E3779B97F4A7C15u + argument;
    return result;
  }

  std::vector<Term> all_;
  std::unordered_multimap<std::size_t, std::uint32_t> known_;
};

// ---- The parser ----

class Parser {
 public:
  Parser(std::string_view text, const std::vector<std::string>& variables)
      : text_(text), variables_(variables) {}

  std::vector<Term> parse() {
    next();
    if (token_.empty())
      fail("it is empty; write a function of " + variables_.front() + ", such as " + example());
    const std::uint32_t root = conditional();
    if (token_ == ")") fail("there is no \"(\" for this \")\"");
    if (token_ == ",") fail("several values; give one expression in " + variables_.front());
    if (!token_.empty()) {
      if (token_ == "=") fail(assignment);
      const bool operand = token_ == "(" || is_word() || is_number();
      fail(operand ? "an operator is missing before it; a product is written with *" : not_understood);
    }
    return nodes_.below(root);
  }

 private:
  using Index = std::uint32_t;

  // ---- Tokens: a number, a word with dots, an operator; empty at the end ----

  void next() {
    while (position_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[position_])))
      ++position_;
    start_ = position_;
    if (position_ < text_.size()) position_ += token_length();
    token_ = text_.substr(start_, position_ - start_);
  }

  std::size_t token_length() const {
    const std::string_view rest = text_.substr(position_);
    const auto is = [&](std::size_t k, auto test) {
      return k < rest.size() && test(static_cast<unsigned char>(rest[k]));
    };
    const auto digit = [](unsigned char c) { return std::isdigit(c) != 0; };
    const auto letter = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
    std::size_t length = 0;
    if (is(0, digit) || (rest[0] == '.' && is(1, digit))) {
      double ignored = 0;
      return static_cast<std::size_t>(std::from_chars(rest.data(), rest.data() + rest.size(), ignored).ptr -
                                      rest.data());
    }
    if (is(0, letter)) {
      while (is(length, letter) ||
             (rest[length] == '.' && is(length + 1, letter) && !is(length + 1, digit))) {
        if (++length == rest.size()) break;
      }
      return length;
    }
    for (const char* two : {"**", "<=", ">=", "==", "!=", "&&", "||"}) {
      if (rest.starts_with(two)) return 2;
    }
    length = 1;  // a whole character of UTF-8
    while (is(length, [](unsigned char c) { return (c & 0xC0) == 0x80; })) ++length;
    return length;
  }

  bool is_number() const {
    return !token_.empty() &&
           (std::isdigit(static_cast<unsigned char>(token_[0])) || (token_[0] == '.' && token_.size() > 1));
  }
  bool is_word() const {
    return !token_.empty() && (std::isalpha(static_cast<unsigned char>(token_[0])) || token_[0] == '_');
  }

  bool take(std::string_view token) {
    if (token_ != token) return false;
    next();
    return true;
  }

  std::string example() const { return variables_.front() + "*tanh(" + variables_.front() + ")"; }

  [[noreturn]] void fail(const std::string& problem) const { fail_at(start_, token_, problem); }

  [[noreturn]] void fail_at(std::size_t start, std::string_view token, const std::string& problem) const {
    const auto column = 1 + std::count_if(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(start),
                                          [](char c) { return (c & 0xC0) != 0x80; });
    throw ProgramError("expression " + quoted(text_) + ": column " + std::to_string(column) +
                       (token.empty() ? ", at the end: " : ", at " + quoted(token) + ": ") + problem);
  }

  // ---- Nodes ----

  Index add(Operator op, Index a, Index b = 0, Index c = 0) {
    Term node{op, 0, 0, {a, b, c}};
    for (int i = arity(op); i < 3; ++i) node.arguments[i] = 0;
    return add(node);
  }

  Index add(const Term& node) {
    const std::optional<Index> index = nodes_.add(node);
    if (!index) fail("it has more than " + std::to_string(most_nodes) + " operations; write it shorter");
    return *index;
  }

  Index number(double value) { return add(Term{Operator::constant, value, 0, {}}); }

  // ---- The grammar, from what binds loosely to what binds tightly ----

  class Level {
   public:
    explicit Level(Parser& parser) : parser_(parser) {
      if (++parser_.depth_ > deepest) {
        parser_.fail("it is nested more than " + std::to_string(deepest / 2) +
                     " levels deep; write it flatter");
      }
    }
    ~Level() { --parser_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    Parser& parser_;
  };

  Index conditional() {
    const Level level(*this);
    const Index condition = either();
    if (token_ == "if") fail("write \"a if c else b\" as c ? a : b");
    if (!take("?")) return condition;
    const Index a = conditional();
    if (!take(":")) fail("\":\" and the other value of c ? a : b are missing");
    const Index b = conditional();
    return add(Operator::select, condition, a, b);
  }

  Index either() {
    Index left = both();
    while (true) {
      if (token_ == "|" || token_ == "or") fail("write || for \"or\"");
      if (!take("||")) return left;
      left = add(Operator::logical_or, left, both());
    }
  }

  Index both() {
    Index left = comparison();
    while (true) {
      if (token_ == "&" || token_ == "and") fail("write && for \"and\"");
      if (!take("&&")) return left;
      left = add(Operator::logical_and, left, comparison());
    }
  }

  std::optional<Operator> comparing() const {
    static const std::unordered_map<std::string_view, Operator> all = {
        {"<", Operator::less},           {"<=", Operator::less_equal}, {">", Operator::greater},
        {">=", Operator::greater_equal}, {"==", Operator::equal},      {"!=", Operator::not_equal}};
    const auto found = all.find(token_);
    return found == all.end() ? std::nullopt : std::optional(found->second);
  }

  Index comparison() {
    const Index left = sum();
    const std::optional<Operator> op = comparing();
    if (!op) return left;
    next();
    const Index result = add(*op, left, sum());
    if (comparing()) fail("two comparisons in a row; write a < b && b < c");
    return result;
  }

  Index sum() {
    Index left = product();
    while (token_ == "+" || token_ == "-") {
      const Operator op = token_ == "+" ? Operator::add : Operator::subtract;
      next();
      left = add(op, left, product());
    }
    return left;
  }

  Index product() {
    Index left = signed_power();
    while (token_ == "*" || token_ == "/") {
      const Operator op = token_ == "*" ? Operator::multiply : Operator::divide;
      next();
      left = add(op, left, signed_power());
    }
    return left;
  }

  Index signed_power() {
    const Level level(*this);
    if (take("+")) return signed_power();
    if (take("!")) return add(Operator::logical_not, signed_power());
    if (token_ == "not") fail("write ! for \"not\"");
    if (!take("-")) return power();
    const Index argument = signed_power();
    const Term node = nodes_[argument];
    return node.op == Operator::constant ? number(-node.value) : add(Operator::negate, argument);
  }

  Index power() {
    const Index base = atom();
    if (!take("^") && !take("**")) return base;
    return add(Operator::power, base, signed_power());
  }

  Index atom() {
    if (is_number()) return literal();
    if (is_word()) return word();
    const std::size_t start = start_;
    if (take("(")) {
      const Index inside = conditional();
      close(start);
      return inside;
    }
    if (token_.empty()) fail("a value is missing");
    const bool sign = std::string_view("+-*/^<>=!&|?:,()").find(token_[0]) != std::string_view::npos;
    fail(sign ? "a value is missing before it" : not_understood);
  }

  void close(std::size_t start) {
    if (take(")")) return;
    if (token_ == ",") fail("several values in parentheses that are no function's");
    if (token_.empty()) fail_at(start, text_.substr(start, 1), "this parenthesis is never closed");
    fail("\")\" or an operator is missing before it");
  }

  Index literal() {
    double value = 0;
    const auto [end, error] = std::from_chars(token_.data(), token_.data() + token_.size(), value);
    if (error != std::errc() || !std::isfinite(value)) fail("the number is out of range");
    next();
    return number(value);
  }

  // ---- Variables, constants and functions ----

  Index word() {
    const std::size_t start = start_;
    const std::string_view whole = token_;
    std::string_view name = whole;
    while (name.find('.') != std::string_view::npos) {
      const std::string_view module = name.substr(0, name.find('.'));
      if (!is_module(module)) {
        fail("there is no module \"" + std::string(module) +
             "\"; leave the prefix out, and write functions as f(x)");
      }
      name.remove_prefix(module.size() + 1);
    }
    next();
    if (token_ == "=") fail(assignment);
    if (token_ == "(") return call(name, start, whole);
    const auto variable = std::find(variables_.begin(), variables_.end(), name);
    if (variable != variables_.end() && name == whole) {
      return add(Term{Operator::variable, 0, static_cast<std::uint32_t>(variable - variables_.begin()), {}});
    }
    if (name == "pi" || name == "_pi") return number(std::numbers::pi);
    if (name == "e" || name == "_e") return number(std::numbers::e);
    const std::vector<std::string> known = Expression::function_names();
    if (std::find(known.begin(), known.end(), name) != known.end()) {
      fail_at(start, whole,
              "a function without arguments; write " + std::string(name) + "(" + variables_.front() + ")");
    }
    std::vector<std::string> valid = variables_;
    valid.insert(valid.end(), {"pi", "e"});
    fail_at(start, whole, "there is no variable or constant of that name" + support::advice(name, valid));
  }

  Index call(std::string_view name, std::size_t start, std::string_view whole) {
    const auto function = std::find_if(std::begin(functions), std::end(functions),
                                       [&](const NamedFunction& row) { return row.name == name; });
    const bool known = function != std::end(functions) ||
                       std::find(std::begin(composed), std::end(composed), name) != std::end(composed);
    if (!known)
      fail_at(start, whole,
              "there is no function of that name" + support::advice(name, Expression::function_names()));
    const std::vector<Index> arguments = read_arguments();
    const auto expect = [&](std::size_t count) {
      if (arguments.size() == count) return;
      fail_at(start, whole,
              "it takes " + std::to_string(count) + (count == 1 ? " argument" : " arguments") + ", not " +
                  std::to_string(arguments.size()));
    };
    if (function == std::end(functions)) return compose(name, arguments, expect);
    const Operator op = function->op;
    if (name == "min" || name == "max") {
      if (arguments.empty()) expect(2);
      return fold(op, arguments);
    }
    expect(static_cast<std::size_t>(arity(op)));
    std::array<Index, 3> three = {};
    std::copy(arguments.begin(), arguments.end(), three.begin());
    return add(op, three[0], three[1], three[2]);
  }

  std::vector<Index> read_arguments() {
    const std::size_t start = start_;
    next();
    std::vector<Index> result;
    if (take(")")) return result;
    do {
      result.push_back(conditional());
    } while (take(","));
    close(start);
    return result;
  }

  Index fold(Operator op, const std::vector<Index>& arguments) {
    Index result = arguments[0];
    for (std::size_t i = 1; i < arguments.size(); ++i) result = add(op, result, arguments[i]);
    return result;
  }

  template <class Expect>
  Index compose(std::string_view name, const std::vector<Index>& arguments, const Expect& expect) {
    if (name == "square") {
      expect(1);
      return add(Operator::power, arguments[0], number(2));
    }
    if (name == "step") {
      expect(1);
      return add(Operator::greater, arguments[0], number(0));
    }
    if (name == "clip" || name == "clamp") {
      expect(3);
      return add(Operator::minimum, add(Operator::maximum, arguments[0], arguments[1]), arguments[2]);
    }
    if (arguments.empty()) expect(1);
    const Index sum = fold(Operator::add, arguments);
    return name == "sum" ? sum : add(Operator::divide, sum, number(static_cast<double>(arguments.size())));
  }

  static std::string quoted(std::string_view text) {
    std::string result = "\"";
    for (const char c : text.substr(0, longest_quote)) {
      result += std::iscntrl(static_cast<unsigned char>(c)) ? ' ' : c;
    }
    return result + (text.size() > longest_quote ? "…\"" : "\"");
  }

  std::string_view text_;
  const std::vector<std::string>& variables_;
  Nodes nodes_;
  std::size_t position_ = 0;
  std::size_t start_ = 0;
  std::string_view token_;
  int depth_ = 0;
};

}  // namespace

std::string_view function_name(Operator op) {
  const auto found = std::find_if(std::begin(functions), std::end(functions),
                                  [&](const NamedFunction& row) { return row.op == op; });
  return found == std::end(functions) ? std::string_view() : found->name;
}

std::vector<std::string> Expression::function_names() {
  std::vector<std::string> result;
  for (const NamedFunction& row : functions) result.emplace_back(row.name);
  result.insert(result.end(), std::begin(composed), std::end(composed));
  std::sort(result.begin(), result.end());
  return result;
}

Expression Expression::parse(std::string_view text, std::vector<std::string> variables) {
  std::vector<Term> nodes = Parser(text, variables).parse();
  return Expression(Data{std::move(nodes), std::move(variables)});
}

}  // namespace nngpcheck::netsor
