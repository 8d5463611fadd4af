#include "config/expression.hpp"

#include <muParser.h>

#include <atomic>
#include <cmath>
#include <memory>
#include <numbers>
#include <unordered_map>

#include "config/error.hpp"
#include "netsor/spelling.hpp"

namespace nngpcheck::config {

namespace {

/// A parser and the variable it reads; neither may be shared by threads.
class Compiled {
 public:
  explicit Compiled(const std::string& text) {
    parser_.DefineFun("erf", static_cast<double (*)(double)>(std::erf));
    parser_.DefineFun("erfc", static_cast<double (*)(double)>(std::erfc));
    parser_.DefineConst("pi", std::numbers::pi);
    parser_.DefineConst("e", std::numbers::e);
    parser_.DefineVar("x", &x_);
    parser_.SetExpr(text);
  }
  Compiled(const Compiled&) = delete;
  Compiled& operator=(const Compiled&) = delete;

  double operator()(double x) {
    x_ = x;
    return parser_.Eval();
  }

  int results() const { return parser_.GetNumResults(); }

 private:
  double x_ = 0;
  mu::Parser parser_;
};

/// The same expression on every thread: each compiles its own copy at its first call.
class Expression {
 public:
  explicit Expression(std::string text) : id_(++count_), text_(std::move(text)) {}

  double operator()(double x) const {
    thread_local std::unordered_map<std::uint64_t, std::unique_ptr<Compiled>> compiled;
    std::unique_ptr<Compiled>& own = compiled[id_];
    if (!own) own = std::make_unique<Compiled>(text_);
    return (*own)(x);
  }

 private:
  static inline std::atomic<std::uint64_t> count_ = 0;
  std::uint64_t id_;
  std::string text_;
};

/// muparser has assignments; x = 2 for x == 2 would silently be a constant.
bool has_assignment(const std::string& text) {
  for (std::size_t k = 0; k < text.size(); ++k) {
    if (text[k] != '=') continue;
    if (k + 1 < text.size() && text[k + 1] == '=')
      ++k;
    else if (k == 0 || std::string("<>!").find(text[k - 1]) == std::string::npos)
      return true;
  }
  return false;
}

}  // namespace

std::function<double(double)> parse_expression(const std::string& text) {
  const auto fail = [&](const std::string& problem) {
    throw ConfigError("expression \"" + text + "\": " + problem);
  };
  if (has_assignment(text)) fail("an assignment; compare with ==");
  try {
    Compiled compiled(text);
    for (int k = -640; k <= 640; ++k) {
      const double x = k / 64.0, value = compiled(x);
      if (compiled.results() != 1) fail("several values; give one expression in x");
      if (!std::isfinite(value)) {
        fail("no finite value at x = " + netsor::shortest(x) + "; an activation needs one at every x");
      }
    }
  } catch (const mu::Parser::exception_type& error) {
    fail(error.GetMsg());
  }
  return Expression(text);
}

}  // namespace nngpcheck::config
