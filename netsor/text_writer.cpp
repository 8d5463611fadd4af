// Programs as text: what `print` shows, and whatever else `read_text` needs.
#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <vector>

#include "nngpcheck/netsor/error.hpp"
#include "nngpcheck/netsor/instruction_text.hpp"
#include "nngpcheck/netsor/lexer.hpp"
#include "nngpcheck/netsor/passes/traits.hpp"
#include "nngpcheck/netsor/printer.hpp"
#include "nngpcheck/netsor/text_lines.hpp"
#include "nngpcheck/netsor/text_matrices.hpp"
#include "nngpcheck/support/spelling.hpp"

namespace nngpcheck::netsor {

namespace {

class TextWriter {
 public:
  TextWriter(const Program& program, const SaveMatrix& save) : program_(program), save_(save) {}

  std::string write() {
    for (std::size_t k = 0; k < program_.nodes().size(); ++k) {
      origin(program_.nodes()[k].origin.get());
      functions(program_.nodes()[k].operation);
      instructions_ += instruction_text(program_, k, constant(k)) + "\n";
    }
    const std::string last = output_text(program_) + output_labels() + "\n";
    return objects_text(program_) + functions_ + labels_ + matrices_ + instructions_ + last;
  }

 private:
  // ---- Constants: equal ones are written once ----

  /// Of the instruction: its name; "" if it has none.
  std::string constant(std::size_t index) {
    const std::string name = constant_name(program_, index);
    const Operation& operation = program_.nodes()[index].operation;
    std::string result;
    const auto write =
        Overloaded{[&](const SharedMatrix& shared) { result = matrix(name, *shared); },
                   [&](const SharedSparse& shared) { result = matrix(name, *shared); },
                   [&](const std::vector<int>& numbers) {
                     const Eigen::Map<const Eigen::RowVectorXi> row(numbers.data(), std::ssize(numbers));
                     if (row.maxCoeff() > 0) result = matrix(name, Eigen::MatrixXd(row.cast<double>()));
                   }};
    for_each_columnwise(operation, write);
    if (const auto* apply = std::get_if<Apply>(&operation)) {
      const auto* softmax = std::get_if<SoftmaxKeys>(&apply->function);
      if (softmax && softmax->mask) write(softmax->mask);
    }
    return result;
  }

  template <class Matrix>
  std::string matrix(const std::string& name, const Matrix& matrix) {
    // A long text, or what it would be, is known by its first name.
    std::string text = matrix_text(matrix, name, {});
    const auto [known, fresh] = names_.try_emplace(std::move(text), name);
    if (fresh)
      matrices_ +=
          "Matrix: " + name + " := " + (save_ ? matrix_text(matrix, name, save_) : known->first) + "\n";
    return known->second;
  }

  // ---- Functions ----

  void functions(const Operation& operation) {
    if (const auto* map = std::get_if<Map>(&operation)) {
      if (known_.insert(map->activation.name()).second) activation(map->activation);
    } else if (const auto* nonlin = std::get_if<Nonlin>(&operation)) {
      if (known_.insert(nonlin->function.name()).second) function(nonlin->function);
    }
  }

  void activation(const Activation& phi) {
    const std::string name = phi.name();
    if (phi.kind() == Activation::Kind::custom) fail(name);
    if (phi.kind() != Activation::Kind::expression || is_named(phi)) return;
    const Expression& expression = phi.expression();
    const bool whole = phi.domain() == Activation::Domain::line;
    if (whole && !phi.kinks() && name == expression.text() && expression.variables()[0] == "x") return;
    std::string options;
    if (const auto kinks = phi.kinks()) {
      for (const double kink : *kinks) options += (options.empty() ? "" : ", ") + support::shortest(kink);
      options = " kinks [" + options + "]";
    }
    declare(name, expression, options + (whole ? "" : " partial"));
  }

  static bool is_named(const Activation& phi) {
    try {
      const Activation named = Activation::named(phi.name());
      return named == phi && named.name() == phi.name();
    } catch (const ProgramError&) {
      return false;
    }
  }

  void function(const Function& function) {
    if (!function.expression()) fail(function.name());
    declare(function.name(), *function.expression(), "");
  }

  void declare(const std::string& name, const Expression& expression, const std::string& options) {
    std::string variables;
    for (const std::string& one : expression.variables()) variables += (variables.empty() ? "" : ", ") + one;
    functions_ += "Function: " + function_text(name) + "(" + variables + ")" + options +
                  " := " + expression.text() + "\n";
  }

  [[noreturn]] static void fail(const std::string& name) {
    throw ProgramError(
        "the function \"" + name +
        "\" is C++, which no text can say; make it of an expression: Activation::from_expression, or "
        "Function of an Expression");
  }

  // ---- Labels and origins ----

  std::string labels(const std::vector<std::string>& list) {
    const auto& seen = seen_[&list];
    if (!seen.empty()) return seen;
    std::string text;
    for (const std::string& label : list) text += (text.empty() ? "" : ", ") + in_quotes(label);
    const auto [known, fresh] = lists_.try_emplace(text, "L" + std::to_string(lists_.size() + 1));
    if (fresh) labels_ += "Labels: " + known->second + " := " + text + "\n";
    return seen_[&list] = known->second;
  }

  void origin(const Origin* origin) {
    if (origin == origin_) return;
    origin_ = origin;
    std::string lists;
    for (std::size_t k = 0; origin && k < origin->labels.size(); ++k)
      if (!origin->labels[k]->empty())
        lists += (lists.empty() ? ", labels " : ", ") + labels(*origin->labels[k]);
    instructions_ += "Origin: " + (origin ? in_quotes(origin->layer) + lists : "none") + "\n";
  }

  std::string output_labels() {
    const std::vector<std::string>& list = program_.output().labels;
    for (std::size_t k = 0; k < list.size(); ++k)
      if (list[k] != std::to_string(k)) return ", labels " + labels(list);
    return "";
  }

  const Program& program_;
  const SaveMatrix& save_;
  std::string functions_, labels_, matrices_, instructions_;
  const Origin* origin_ = nullptr;
  std::set<std::string> known_;                         // functions
  std::unordered_map<std::string, std::string> names_;  // of constants, by their text
  std::map<std::string, std::string> lists_;            // of labels, by their text
  std::map<const std::vector<std::string>*, std::string> seen_;
};

}  // namespace

std::string write_text(const Program& program, const SaveMatrix& save) {
  return TextWriter(program, save).write();
}

}  // namespace nngpcheck::netsor
