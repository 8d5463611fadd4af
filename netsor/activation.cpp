#include "nngpcheck/netsor/activation.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <utility>

#include "nngpcheck/netsor/error.hpp"
#include "nngpcheck/support/spelling.hpp"

namespace nngpcheck::netsor {

namespace {

using Kind = Activation::Kind;

constexpr std::array<std::pair<std::string_view, Kind>, 20> plain_names = {{
    {"identity", Kind::identity},
    {"relu", Kind::relu},
    {"abs", Kind::abs},
    {"step", Kind::step},
    {"sign", Kind::sign},
    {"square", Kind::square},
    {"relu_squared", Kind::relu_squared},
    {"erf", Kind::erf},
    {"erf_sigmoid", Kind::erf_sigmoid},
    {"sigmoid", Kind::sigmoid},
    {"tanh", Kind::tanh},
    {"hardtanh", Kind::hardtanh},
    {"gelu", Kind::gelu},
    {"silu", Kind::silu},
    {"softplus", Kind::softplus},
    {"elu", Kind::elu},
    {"sin", Kind::sin},
    {"cos", Kind::cos},
    {"exp", Kind::exp},
    {"gaussian", Kind::gaussian},
}};

constexpr std::array<std::pair<std::string_view, Kind>, 3> families = {{
    {"leaky_relu_", Kind::leaky_relu},
    {"power_", Kind::power},
    {"rectified_power_", Kind::rectified_power},
}};

constexpr int largest_power = 20;

/// Named functions that have no Kind, with the constants of torch.nn.functional.
constexpr std::array<std::pair<std::string_view, std::string_view>, 14> expressions = {{
    {"selu", "1.0507009873554804934193*(relu(x) + 1.6732632423543772848170*expm1(min(x, 0)))"},
    {"mish", "x*tanh(softplus(x))"},
    {"hardswish", "x*min(max(x + 3, 0), 6)/6"},
    {"hardsigmoid", "min(max(x + 3, 0), 6)/6"},
    {"relu6", "min(max(x, 0), 6)"},
    {"softsign", "x/(1 + abs(x))"},
    {"tanhshrink", "x - tanh(x)"},
    {"hardshrink", "abs(x) > 0.5 ? x : 0"},
    {"softshrink", "x - min(max(x, -0.5), 0.5)"},
    {"logsigmoid", "-softplus(-x)"},
    {"gelu_tanh", "x*sigmoid(2*sqrt(2/pi)*(x + 0.044715*x^3))"},
    {"quick_gelu", "x*sigmoid(1.702*x)"},
    {"elu_plus_one", "relu(x) + exp(min(x, 0))"},
    {"rbf", "sqrt(2)*sin(sqrt(2*1)*x + pi/4)"},
}};

/// Families of them, with torch's constants in their names: celu_2, threshold_0.1_20. $1 and $2 stand for the
/// numbers.
struct ExpressionFamily {
  std::string_view name;
  int parameters;
  std::string_view text;
  bool positive;  // the first number must be
};

constexpr std::array<ExpressionFamily, 6> expression_families = {{
    {"elu", 1, "relu(x) + $1*expm1(min(x, 0))", false},
    {"celu", 1, "relu(x) + $1*expm1(min(x, 0)/$1)", true},
    {"hardshrink", 1, "abs(x) > $1 ? x : 0", false},
    {"softshrink", 1, "x - min(max(x, -$1), $1)", false},
    {"threshold", 2, "x > $1 ? x : $2", false},
    {"rbf", 1, "sqrt(2)*sin(sqrt(2*$1)*x + pi/4)", true},
}};

/// Other names, in the spelling of `simple`.
constexpr std::array<std::pair<std::string_view, std::string_view>, 20> synonyms = {{
    {"swish", "silu"},
    {"logistic", "sigmoid"},
    {"linear", "identity"},
    {"leakyrelu", "leaky_relu_0.01"},
    {"prelu", "leaky_relu_0.25"},
    {"rrelu", "leaky_relu_0.22916666666666666"},
    {"celu", "elu"},
    {"hardsilu", "hardswish"},
    {"exponential", "exp"},
    {"heaviside", "step"},
    {"sine", "sin"},
    {"cosine", "cos"},
    {"gelunew", "gelu_tanh"},
    {"gelupytorchtanh", "gelu_tanh"},
    {"geluapproximate", "gelu_tanh"},
    {"approximategelu", "gelu_tanh"},
    {"squaredrelu", "relu_squared"},
    {"relu2", "relu_squared"},
    {"rectify", "relu"},
    {"gelufast", "gelu_tanh"},
}};

/// What people look for among activations and do not find.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> absent = {{
    {"softmax", "softmax acts on all coordinates together; the layer self_attention has it, on its scores"},
    {"logsoftmax",
     "log_softmax acts on all coordinates together; the layer self_attention has softmax, on its scores"},
    {"glu", "glu multiplies two products with the input; it is the layer glu"},
    {"maxout", "maxout is no function of one coordinate; it is the layer maximum, of dense layers"},
    {"dropout",
     "dropout is random; it is the layer dropout, or leave it out for the network as it is evaluated"},
    {"threshold",
     "threshold has two numbers, which belong into its name: threshold_0.1_20 is x where x > 0.1, else 20"},
}};

std::string lower(std::string_view name) {
  std::string result(name);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

/// Lower case without _ and -: "hard_swish" and "HardSwish" are one.
std::string simple(std::string_view name) {
  std::string result = lower(name);
  std::erase_if(result, [](char c) { return c == '_' || c == '-'; });
  return result;
}

template <class Table>
auto look_up(const Table& table, std::string_view name) {
  return std::find_if(table.begin(), table.end(), [&](const auto& row) { return simple(row.first) == name; });
}

bool is_built_in(const std::string& name) {
  try {
    Activation::named(name);
  } catch (const ProgramError&) {
    return false;
  }
  return true;
}

std::vector<double> checked_kinks(const std::string& what, std::vector<double> kinks) {
  for (const double kink : kinks) {
    if (!std::isfinite(kink)) {
      throw ProgramError(what + ": kink " + support::shortest(kink) +
                         " is not finite; kinks are finite points");
    }
  }
  std::sort(kinks.begin(), kinks.end());
  kinks.erase(std::unique(kinks.begin(), kinks.end()), kinks.end());
  return kinks;
}

void check_name(const std::string& name) {
  if (name.empty()) throw ProgramError("custom activation: it needs a name, which programs show");
  if (is_built_in(name)) {
    throw ProgramError("custom activation \"" + name + "\": that name is a built-in one; choose another");
  }
}

void check_finite(const Expression& expression, std::string_view text) {
  for (int k = -640; k <= 640; ++k) {
    const double x = k / 64.0;
    if (std::isfinite(expression(x))) continue;
    throw ProgramError("expression \"" + std::string(text) + "\": no finite value at x = " +
                       support::shortest(x) + "; an activation needs one at every x");
  }
}

[[noreturn]] void fail_unknown(std::string_view name) {
  const std::string start = "unknown activation \"" + std::string(name) + "\"";
  if (const auto known = look_up(absent, simple(name)); known != absent.end()) {
    throw ProgramError(start + ": " + std::string(known->second));
  }
  std::vector<std::string> candidates = Activation::names();
  std::erase_if(candidates, [](const std::string& known) {
    return std::isupper(static_cast<unsigned char>(known.back()));
  });
  candidates.insert(candidates.end(), {"leaky_relu_0.1", "power_3", "rectified_power_3"});
  for (const auto& [synonym, meaning] : synonyms) candidates.emplace_back(synonym);
  const std::string close = support::close_spelling(name, candidates);
  throw ProgramError(
      start +
      (close.empty() ? support::advice(name, Activation::names()) : "; did you mean \"" + close + "\"?") +
      (close.empty() ? "; any other function of x is {expression = \"x*tanh(x)\"}" : ""));
}

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return {};
  return value;
}

/// The numbers between the _ of "0.1_20", if there are so many.
std::optional<std::vector<double>> parse_numbers(std::string_view text, int count) {
  std::vector<double> result;
  for (int k = 0; k < count; ++k) {
    const std::size_t end = k + 1 == count ? text.size() : text.find('_');
    if (end == std::string_view::npos) return {};
    const std::optional<double> number = parse_number(text.substr(0, end));
    if (!number) return {};
    result.push_back(*number);
    if (k + 1 < count) text.remove_prefix(end + 1);
  }
  return result;
}

/// The text with its $1 and $2 replaced.
std::string with_numbers(std::string_view text, const std::vector<double>& numbers) {
  std::string result;
  for (std::size_t k = 0; k < text.size(); ++k) {
    if (text[k] == '$') {
      result += "(" + support::shortest(numbers[static_cast<std::size_t>(text[++k] - '1')]) + ")";
    } else {
      result += text[k];
    }
  }
  return result;
}

/// Name and text of a function of the table `expression_families`, if it has that name.
std::optional<std::pair<std::string, std::string>> of_family(std::string_view name) {
  const std::string small = lower(name);
  for (const ExpressionFamily& family : expression_families) {
    const std::string prefix = std::string(family.name) + "_";
    if (!small.starts_with(prefix)) continue;
    const auto numbers = parse_numbers(std::string_view(small).substr(prefix.size()), family.parameters);
    if (!numbers) return {};
    if (family.positive && !(numbers->front() > 0)) {
      throw ProgramError("activation \"" + std::string(name) + "\": its number must be positive");
    }
    std::string canonical(family.name);
    for (const double number : *numbers) canonical += "_" + support::shortest(number);
    return std::pair(std::move(canonical), with_numbers(family.text, *numbers));
  }
  return {};
}

}  // namespace

Activation Activation::named(std::string_view name) {
  const std::string key = simple(name);
  if (const auto row = look_up(synonyms, key); row != synonyms.end()) return named(row->second);
  if (const auto row = look_up(plain_names, key); row != plain_names.end()) return Activation(row->second);
  if (const auto row = look_up(expressions, key); row != expressions.end()) return expressed(row->first);
  const std::string small = lower(name);
  for (const auto& [prefix, kind] : families) {
    if (!small.starts_with(prefix)) continue;
    const std::optional<double> parameter = parse_number(std::string_view(small).substr(prefix.size()));
    if (!parameter) break;
    if (kind == Kind::leaky_relu) {
      if (*parameter == 0) return Activation(Kind::relu);
      if (*parameter == 1) return Activation(Kind::identity);
      if (*parameter == -1) return Activation(Kind::abs);
      return Activation(kind, *parameter);
    }
    if (*parameter != std::floor(*parameter) || *parameter < 1 || *parameter > largest_power) {
      throw ProgramError("activation \"" + std::string(name) + "\": the power must be an integer from 1 to " +
                         std::to_string(largest_power));
    }
    const bool rectified = kind == Kind::rectified_power;
    if (*parameter == 1) return Activation(rectified ? Kind::relu : Kind::identity);
    if (*parameter == 2) return Activation(rectified ? Kind::relu_squared : Kind::square);
    return Activation(kind, *parameter);
  }
  if (auto family = of_family(name)) {
    if (family->first == "elu_1" || family->first == "celu_1") return Activation(Kind::elu);
    return Activation(Kind::expression,
                      {std::move(family->first), {}, Expression::parse(family->second), {}, Domain::line});
  }
  fail_unknown(name);
}

Activation::Activation(Kind kind, Own own)
    : kind_(kind), parameter_(0), own_(std::make_shared<const Own>(std::move(own))) {}

/// A function of the table `expressions`; all are parsed once.
Activation Activation::expressed(std::string_view name) {
  static const std::vector<Activation> all = [] {
    std::vector<Activation> result;
    for (const auto& [known, text] : expressions) {
      result.push_back(Activation(Kind::expression, {std::string(known), {}, Expression::parse(text), {}}));
    }
    return result;
  }();
  return *std::find_if(all.begin(), all.end(), [&](const Activation& phi) { return phi.own_->name == name; });
}

Activation Activation::from_expression(std::string_view text, std::string name,
                                       std::optional<std::vector<double>> kinks) {
  return from_expression(Expression::parse(text), std::move(name), std::move(kinks));
}

Activation Activation::from_expression(Expression expression, std::string name,
                                       std::optional<std::vector<double>> kinks, Domain domain) {
  const std::string text = expression.text();
  if (domain == Domain::line) check_finite(expression, text);
  if (name.empty())
    name = text;
  else
    check_name(name);
  if (kinks) kinks = checked_kinks("activation \"" + name + "\"", std::move(*kinks));
  return Activation(Kind::expression, {std::move(name), {}, std::move(expression), std::move(kinks), domain});
}

Activation Activation::custom(std::string name, std::function<double(double)> function) {
  check_name(name);
  if (!function)
    throw ProgramError("custom activation \"" + name +
                       "\": the function is empty; give one that can be called");
  return Activation(Kind::custom, {std::move(name), std::move(function), {}, {}, Domain::line});
}

Activation Activation::custom(std::string name, std::function<double(double)> function,
                              std::vector<double> kinks) {
  const Activation undeclared = custom(std::move(name), std::move(function));
  Own own = *undeclared.own_;
  own.kinks = checked_kinks("custom activation \"" + own.name + "\"", std::move(kinks));
  return Activation(Kind::custom, std::move(own));
}

std::vector<std::string> Activation::names() {
  std::vector<std::string> result;
  for (const auto& [text, kind] : plain_names) result.emplace_back(text);
  result.insert(result.end(), {"leaky_relu_S", "power_P", "rectified_power_P"});
  for (const auto& [text, expression] : expressions) result.emplace_back(text);
  for (const ExpressionFamily& family : expression_families) {
    result.push_back(std::string(family.name) + (family.parameters == 1 ? "_A" : "_T_V"));
  }
  return result;
}

std::string Activation::name() const {
  if (own_) return own_->name;
  for (const auto& [text, kind] : plain_names) {
    if (kind == kind_) return std::string(text);
  }
  for (const auto& [prefix, kind] : families) {
    if (kind == kind_) return std::string(prefix) + support::shortest(parameter_);
  }
  return {};
}

Breakpoints Activation::breakpoints(double low, double high) const {
  std::vector<double> points;
  switch (kind_) {
    case Kind::expression:
      if (!own_->kinks) return own_->expression->breakpoints(low, high);
      [[fallthrough]];
    case Kind::custom:
      if (!own_->kinks) return {{}, false};
      points = *own_->kinks;
      break;
    case Kind::hardtanh:
      points = {-1, 1};
      break;
    case Kind::relu:
    case Kind::leaky_relu:
    case Kind::abs:
    case Kind::step:
    case Kind::sign:
    case Kind::relu_squared:
    case Kind::rectified_power:
    case Kind::elu:
      points = {0};
      break;
    default:
      break;
  }
  std::erase_if(points, [&](double x) { return !(low < x && x < high); });
  return {std::move(points), true};
}

std::size_t Activation::hash() const {
  if (kind_ == Kind::expression) return own_->expression->hash();
  if (kind_ == Kind::custom) return std::hash<const void*>()(own_.get());
  return static_cast<std::size_t>(kind_) ^ std::hash<double>()(parameter_);
}

bool operator==(const Activation& left, const Activation& right) {
  if (left.kind_ != right.kind_) return false;
  if (left.kind_ == Activation::Kind::expression) return *left.own_->expression == *right.own_->expression;
  return left.own_ == right.own_ && left.parameter_ == right.parameter_;
}

}  // namespace nngpcheck::netsor
