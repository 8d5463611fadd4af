// A recursive-descent reader: a method per kind of line. What instructions may be is in
// instruction_text.cpp.
#include "nngpcheck/netsor/reader.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "nngpcheck/netsor/error.hpp"
#include "nngpcheck/netsor/instruction_text.hpp"
#include "nngpcheck/netsor/text_scope.hpp"
#include "nngpcheck/support/spelling.hpp"

namespace nngpcheck::netsor {

namespace {

using Kind = Token::Kind;
using Labels = Origin::Labels;

const std::string object_example = "Input: W : A(n, n), iid N(0, 1/n)";
const std::string function_example = "Function: f(x) := x*tanh(x)";
const std::string output_example = "Output: vᵀ x / √n, v ~ N(0, 1)";

class Reader {
 public:
  Reader(std::string_view text, const std::string& source, const LoadMatrix& load)
      : scope_(text, source), load_(load) {}

  Program read() {
    for (const Token* next = &lexer().peek(); next->kind != Kind::end; next = &lexer().peek()) {
      if (next->kind == Kind::line_end) {
        lexer().next();
        continue;
      }
      const std::size_t start = next->offset;
      try {
        line();
      } catch (const ProgramError& error) {
        lexer().fail(start, scope_.in_these_names(error.what()));
      }
      if (lexer().peek().kind != Kind::line_end && lexer().peek().kind != Kind::end)
        scope_.fail_here("the line is complete before this; one instruction a line");
    }
    if (!has_output_) scope_.fail_here("there is no output; end with " + output_example);
    return std::move(scope_.builder()).build();
  }

 private:
  /// N(mean, variance/divisor); the divisor is a number of inputs, or a width.
  struct Normal {
    double mean, variance;
    std::optional<Index> inputs;
    std::optional<Width> width;
  };

  Lexer& lexer() { return scope_.lexer(); }

  void line() {
    if (lexer().peek().kind == Kind::number) {  // an instruction's, as `print` writes it
      lexer().next();
      scope_.expect(":", "3: x := tanh(g)");
    }
    const Token name = scope_.plain_name("what an instruction makes");
    if (scope_.take(":")) return declaration(name);
    scope_.expect(":=", "x := tanh(g)");
    scope_.declare(name, read_instruction(scope_));
  }

  void declaration(const Token& name) {
    using Line = void (Reader::*)();
    static const std::map<std::string, Line> lines = {
        {"Input", &Reader::object},       {"Matrix", &Reader::matrix}, {"Function", &Reader::function},
        {"Labels", &Reader::name_labels}, {"Origin", &Reader::origin}, {"Output", &Reader::output}};
    const auto found = lines.find(name.text);
    if (found != lines.end()) return (this->*found->second)();
    std::vector<std::string> known;
    for (const auto& [text, method] : lines) known.push_back(text);
    lexer().fail(name.offset, "no line begins with " + name.text + ":" + support::advice(name.text, known));
  }

  // ---- Random objects ----

  Normal normal() {
    const std::string example = "N(0, 2/n)";
    if (!scope_.take_name("N")) scope_.fail_here("a normal law is missing here; write " + example);
    scope_.expect("(", example);
    Normal result{scope_.signed_number(), 0, {}, {}};
    scope_.expect(",", example);
    result.variance = scope_.signed_number();
    if (scope_.take("/")) {
      if (lexer().peek().kind == Kind::number)
        result.inputs = read_index(lexer());
      else
        result.width = scope_.divisor();
    }
    scope_.expect(")", example);
    return result;
  }

  Normal law() {
    scope_.expect(",", object_example);
    if (!scope_.take_name("iid")) scope_.fail_here("\"iid\" is missing before this; write " + object_example);
    return normal();
  }

  void object() {
    const Token name = scope_.word("the name of a random object");
    scope_.expect(":", object_example);
    const Token kind = scope_.word("A(rows, columns) or G(width)");
    if (!kind.is_name("A") && !kind.is_name("G"))
      lexer().fail(kind.offset, "a random object is a matrix A(rows, columns) or a vector G(width)");
    scope_.expect("(", "A(n, n) or G(n)");
    const Width rows = scope_.width();
    if (kind.text == "G") {
      scope_.expect(")", "G(n)");
      const std::size_t start = lexer().peek().offset;
      const Normal given = law();
      if (given.inputs || given.width) lexer().fail(start, "a vector's variance is a number: N(0, 0.1)");
      return scope_.declare_object(name,
                                   scope_.builder().bias({name.text, rows, given.variance, given.mean}));
    }
    scope_.expect(",", "A(n, n), or A(n, 32) of 32 inputs");
    scope_.declare_object(name, matrix_object(name.text, rows));
  }

  /// Of which the columns are next.
  Meaning matrix_object(const std::string& name, const Width& rows) {
    std::optional<Width> columns;
    Index count = 1;
    if (lexer().peek().kind == Kind::number) {
      count = read_index(lexer());
      if (scope_.take_name("n")) columns = Width(count, scope_.take("/") ? read_index(lexer()) : 1);
    } else {
      columns = scope_.width();
    }
    scope_.expect(")", "A(n, n), or A(n, 32) of 32 inputs");
    const std::size_t start = lexer().peek().offset;
    const Normal given = law();
    if (given.mean != 0) lexer().fail(start, "a matrix' entries have mean 0: N(0, 1/n)");
    const auto times = [&](double factor) { return factor == 1 ? given.variance : given.variance * factor; };
    if (columns) {
      if (!given.width) lexer().fail(start, "the variance of a wide matrix is divided by a width: N(0, 1/n)");
      const double factor = *given.width == *columns ? 1 : columns->ratio() / given.width->ratio();
      return scope_.builder().weight({name, rows, *columns, times(factor)});
    }
    if (given.width)
      lexer().fail(start, "the inputs do not grow with n; write N(0, 1/" + std::to_string(count) + ")");
    const Index divisor = given.inputs.value_or(1);
    if (divisor < 1) lexer().fail(start, "a variance is divided by 1 or more");
    const double factor = divisor == count ? 1 : static_cast<double>(count) / static_cast<double>(divisor);
    return scope_.builder().input_weight({name, rows, count, times(factor)});
  }

  // ---- Constants, functions, labels, origins ----

  void matrix() {
    const Token name = scope_.plain_name("a matrix");
    scope_.expect(":=", "Matrix: D1 := [1 0; 0 1]");
    scope_.declare(name, std::make_shared<const TextMatrix>(read_matrix(lexer(), load_, empty_columns_)));
  }

  std::vector<std::string> variables() {
    scope_.expect("(", function_example);
    std::vector<std::string> result;
    do {
      const Token variable = scope_.plain_name("a variable");
      if (std::find(result.begin(), result.end(), variable.text) != result.end())
        lexer().fail(variable.offset, "two variables are called " + variable.text + "; rename one");
      result.push_back(variable.text);
    } while (scope_.take(","));
    scope_.expect(")", "Function: f(x, y) := x*tanh(y)");
    return result;
  }

  void function() {
    const Token name = scope_.word("the name of a function");
    const std::vector<std::string> arguments = variables();
    std::optional<std::vector<double>> kinks;
    if (scope_.take_name("kinks")) {
      scope_.expect("[", "kinks [0, 1]");
      kinks.emplace();
      while (!scope_.take("]")) {
        kinks->push_back(scope_.signed_number());
        scope_.take(",");
      }
    }
    const auto domain = scope_.take_name("partial") ? Activation::Domain::part : Activation::Domain::line;
    scope_.expect(":=", function_example);
    const std::string_view text = lexer().rest_of_line();
    try {
      const Expression expression = Expression::parse(text, arguments);
      if (arguments.size() > 1) return scope_.declare_function(name, Function(name.text, expression));
      scope_.declare_function(name,
                              Activation::from_expression(expression, name.text, std::move(kinks), domain));
    } catch (const ProgramError& error) {
      lexer().fail(name.offset, error.what());
    }
  }

  void name_labels() {
    const Token name = scope_.plain_name("labels");
    scope_.expect(":=", "Labels: L1 := \"a\", \"b\"");
    auto list = std::make_shared<std::vector<std::string>>();
    do list->push_back(scope_.word("a label in quotes").text);
    while (scope_.take(","));
    if (!labels_.emplace(name.text, list).second)
      lexer().fail(name.offset, "the name " + name.text + " is taken; choose another");
  }

  Labels labels() {
    const Token name = scope_.plain_name("labels");
    const auto found = labels_.find(name.text);
    if (found == labels_.end())
      lexer().fail(name.offset,
                   "there are no labels of that name; write Labels: " + name.text + " := \"a\", \"b\"");
    return found->second;
  }

  void origin() {
    if (scope_.take_name("none")) return scope_.builder().set_origin(nullptr);
    Origin result{scope_.word("a layer's name in quotes, or none,").text, {}};
    if (scope_.take(",")) {
      if (!scope_.take_name("labels"))
        scope_.fail_here("\"labels\" is missing here: Origin: \"conv1\", labels L1");
      do result.labels.push_back(labels());
      while (scope_.take(","));
    }
    scope_.builder().set_origin(std::make_shared<const Origin>(std::move(result)));
  }

  // ---- The output ----

  std::vector<BundleId> blocks() {
    std::vector<BundleId> result;
    if (!scope_.take("[")) return {scope_.bundle()};
    do result.push_back(scope_.bundle());
    while (scope_.take(";"));
    scope_.expect("]", "Output: vᵀ [x; y] / √(2n), v ~ N(0, 1)");
    return result;
  }

  void output() {
    const Token name = scope_.word("the readout");
    scope_.expect("ᵀ", output_example);
    const std::vector<BundleId> read = blocks();
    for (const char* symbol : {"/", "√"}) scope_.expect(symbol, output_example);
    const std::size_t start = lexer().peek().offset;
    const Width given = scope_.divisor();
    Width total = scope_.builder().type(read[0]).width;
    for (std::size_t k = 1; k < read.size(); ++k) total = total + scope_.builder().type(read[k]).width;
    if (given != total)
      lexer().fail(start, "what is read out has width " + total.text() + "; write √ of it here");
    scope_.expect(",", output_example);
    const Token again = scope_.word("the readout");
    if (again.text != name.text) lexer().fail(again.offset, "the law of " + name.text + " must stand here");
    scope_.expect("~", output_example);
    const std::size_t law_start = lexer().peek().offset;
    const Normal given_law = normal();
    if (given_law.mean != 0 || given_law.inputs || given_law.width)
      lexer().fail(law_start, "a readout's entries have mean 0, and a variance that is a number: N(0, 1)");
    std::vector<std::string> names;
    while (scope_.take(",")) {
      if (scope_.take_name("labels")) {
        names = *labels();
      } else {
        columns(scope_.builder().type(read[0]).columns);
      }
    }
    scope_.builder().output(scope_.builder().readout({name.text, given_law.variance}), read,
                            std::move(names));
    has_output_ = true;
  }

  /// "4 columns".
  void columns(Index count) {
    const std::size_t start = lexer().peek().offset;
    const Index given = read_index(lexer());
    if (!scope_.take_name("columns") && !scope_.take_name("column"))
      scope_.fail_here("\"columns\" is missing here");
    if (given != count) lexer().fail(start, "what is read out has " + std::to_string(count) + " columns");
  }

  TextScope scope_;
  const LoadMatrix& load_;
  Index empty_columns_ = most_empty_columns;
  std::map<std::string, Labels> labels_;
  bool has_output_ = false;
};

}  // namespace

Program read_text(std::string_view text, const std::string& source, const LoadMatrix& load) {
  return Reader(text, source, load).read();
}

}  // namespace nngpcheck::netsor
