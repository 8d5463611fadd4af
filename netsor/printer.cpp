#include "nngpcheck/netsor/printer.hpp"

#include <algorithm>
#include <iomanip>
#include <optional>
#include <sstream>

#include "nngpcheck/support/spelling.hpp"

namespace nngpcheck::netsor {

namespace {

std::string shape_text(Index rows, Index columns) {
  return std::to_string(rows) + "×" + std::to_string(columns);
}

std::string normal(double mean, double variance, const std::string& divisor = "") {
  return "N(" + support::shortest(mean) + ", " + support::shortest(variance) +
         (divisor.empty() ? "" : "/" + divisor) + ")";
}

// A width as a divisor: "n", but "(4n)".
std::string divisor(const Width& width) {
  return width == Width() ? "n" : std::string("(") + width.text() + ")";
}

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

std::string table_function(const TableFunction& function, const std::vector<std::string>& arguments) {
  return std::visit(
      Overloaded{
          [&](const SoftmaxKeys& f) {
            return (f.mask ? "masked_softmax_keys(" : "softmax_keys(") + arguments[0] + ")";
          },
          [&](const Rsqrt& f) {
            const std::string epsilon = f.epsilon == 0 ? "" : " + " + support::shortest(f.epsilon);
            return "1/√(" + arguments[0] + epsilon + ")";
          },
          [&](const Transpose&) { return arguments[0] + "ᵀ"; },
          [&](const Diagonal&) { return "diag(" + arguments[0] + ")"; },
          [&](const Sum& f) { return sum_text(f.coefficients, [&](std::size_t k) { return arguments[k]; }); },
          [&](const Product&) { return joined(arguments, " ⊙ "); },
      },
      function);
}

// Width of the group numbers is of no interest; their number and sizes are.
std::string groups(const Standardize& op) {
  const int count = *std::max_element(op.group.begin(), op.group.end()) + 1;
  return std::to_string(count) + (count == 1 ? " group" : " groups");
}

std::string type_text(const Type& type) {
  return std::visit(Overloaded{
                        [](const BundleType& t) {
                          return std::string(t.gaussian ? "G(" : "H(") + t.width.text() + ")^" +
                                 std::to_string(t.columns);
                        },
                        [](const TableType& t) { return "R^{" + shape_text(t.rows, t.columns) + "}"; },
                    },
                    type);
}

}  // namespace

std::string print_operation(const Program& program, std::size_t index) {
  const auto name = [&](auto id) { return program.name(id.index()); };
  const std::string number = std::to_string(index + 1);
  return std::visit(
      Overloaded{
          [&](const Input& op) { return program[op.weight].name + " D" + number; },
          [&](const BiasColumn& op) { return program[op.bias].name; },
          [&](const Ones&) { return std::string("1"); },
          [&](const MatMul& op) { return program[op.weight].name + " " + name(op.argument); },
          [&](const Mix& op) { return name(op.argument) + " M" + number; },
          [&](const TableMix& op) { return name(op.argument) + " " + name(op.table); },
          [&](const Add& op) {
            std::vector<double> coefficients;
            for (const Add::Term& term : op.terms) coefficients.push_back(term.coefficient);
            return sum_text(coefficients, [&](std::size_t k) { return name(op.terms[k].bundle); });
          },
          [&](const Scale& op) { return name(op.argument) + " diag(" + name(op.factors) + ")"; },
          [&](const Map& op) { return op.activation.name() + "(" + name(op.argument) + ")"; },
          [&](const Mul& op) { return name(op.left) + " ⊙ " + name(op.right); },
          [&](const Max& op) { return "max(" + name(op.left) + ", " + name(op.right) + ")"; },
          [&](const Nonlin& op) {
            std::vector<std::string> arguments;
            for (const BundleId argument : op.arguments) arguments.push_back(name(argument));
            return op.function.name() + "(" + joined(arguments, ", ") + ")";
          },
          [&](const Standardize& op) {
            const std::string epsilon = op.epsilon == 0 ? "" : ", ε = " + support::shortest(op.epsilon);
            return "standardize(" + name(op.argument) + "; " + groups(op) + epsilon + ")";
          },
          [&](const Constant&) { return "C" + number; },
          [&](const Gram& op) { return name(op.left) + "ᵀ " + name(op.right) + " / n"; },
          [&](const Mean& op) { return "1ᵀ " + name(op.argument) + " / n"; },
          [&](const Apply& op) {
            std::vector<std::string> arguments;
            for (const TableId argument : op.arguments) arguments.push_back(name(argument));
            return table_function(op.function, arguments);
          },
      },
      program.nodes()[index].operation);
}

namespace {

// What the data or the matrix of an instruction are, e.g. "D3 is 32×16"; "" if it has none.
std::string remark(const Program& program, std::size_t index) {
  const std::string number = std::to_string(index + 1);
  const Operation& operation = program.nodes()[index].operation;
  if (const auto* input = std::get_if<Input>(&operation)) {
    return "D" + number + " is " + shape_text(input->data->rows(), input->data->cols());
  }
  if (const auto* mix = std::get_if<Mix>(&operation)) {
    return "M" + number + " is " + shape_text(mix->matrix->rows(), mix->matrix->cols()) + ", " +
           std::to_string(mix->matrix->nonZeros()) + " nonzeros";
  }
  return {};
}

void print_random_objects(const Program& program, std::ostream& out) {
  for (const InputWeight& w : program.input_weights()) {
    out << "Input:  " << w.name << " : A(" << w.width.text() << ", " << w.inputs << "), iid "
        << normal(0, w.variance, std::to_string(w.inputs)) << "\n";
  }
  for (const Weight& w : program.weights()) {
    out << "Input:  " << w.name << " : A(" << w.rows.text() << ", " << w.columns.text() << "), iid "
        << normal(0, w.variance, divisor(w.columns)) << "\n";
  }
  for (const Bias& b : program.biases()) {
    out << "Input:  " << b.name << " : G(" << b.width.text() << "), iid " << normal(b.mean, b.variance)
        << "\n";
  }
}

void print_output(const Program& program, std::ostream& out) {
  const Output& output = program.output();
  const Readout& readout = program.readout();
  std::string blocks;
  std::optional<Width> total;
  for (const BundleId block : output.blocks) {
    blocks += (blocks.empty() ? "" : "; ") + program.name(block.index());
    const Width width = program.type(block).width;
    total = total ? *total + width : width;
  }
  if (output.blocks.size() > 1) blocks = "[" + blocks + "]";
  out << "Output: " << readout.name << "ᵀ " << blocks << " / √" << divisor(*total) << ", " << readout.name
      << " ~ " << normal(0, readout.variance) << ", " << program.outputs()
      << (program.outputs() == 1 ? " column" : " columns") << "\n";
}

}  // namespace

std::string print(const Program& program) {
  std::ostringstream out;
  print_random_objects(program, out);
  const auto count = program.nodes().size();
  const int digits = static_cast<int>(std::to_string(count).size()) + 1;
  for (std::size_t k = 0; k < count; ++k) {
    std::string line =
        program.name(k) + " := " + print_operation(program, k) + " : " + type_text(program.nodes()[k].type);
    out << std::setw(digits) << k + 1 << ": " << line;
    if (const std::string note = remark(program, k); !note.empty()) out << "    // " << note;
    out << "\n";
  }
  print_output(program, out);
  return out.str();
}

}  // namespace nngpcheck::netsor
