#include "nngpcheck/netsor/printer.hpp"

#include <algorithm>
#include <iomanip>
#include <optional>
#include <sstream>

#include "nngpcheck/netsor/instruction_text.hpp"
#include "nngpcheck/netsor/text_lines.hpp"
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
  return operation_text(program, index, constant_name(program, index));
}

std::string instruction_text(const Program& program, std::size_t index, const std::string& constant) {
  std::ostringstream out;
  const int digits = static_cast<int>(std::to_string(program.nodes().size()).size()) + 1;
  out << std::setw(digits) << index + 1 << ": " << program.name(index)
      << " := " << operation_text(program, index, constant) << " : "
      << type_text(program.nodes()[index].type);
  return out.str();
}

namespace {

// What the constant of an instruction is, e.g. "D3 is 32×16"; "" if it has none.
std::string remark(const Program& program, std::size_t index) {
  const std::string name = constant_name(program, index);
  const Operation& operation = program.nodes()[index].operation;
  if (const auto* input = std::get_if<Input>(&operation))
    return name + " is " + shape_text(input->data->rows(), input->data->cols());
  if (const auto* mix = std::get_if<Mix>(&operation)) {
    return name + " is " + shape_text(mix->matrix->rows(), mix->matrix->cols()) + ", " +
           std::to_string(mix->matrix->nonZeros()) + " nonzeros";
  }
  if (const auto* standardize = std::get_if<Standardize>(&operation)) {
    const int groups = *std::max_element(standardize->group.begin(), standardize->group.end()) + 1;
    return groups == 1 ? "" : name + " are the numbers of " + std::to_string(groups) + " groups";
  }
  return {};
}

}  // namespace

std::string objects_text(const Program& program) {
  std::ostringstream out;
  for (const InputWeight& w : program.input_weights()) {
    out << "Input:  " << object_text(w.name) << " : A(" << w.width.text() << ", " << w.inputs << "), iid "
        << normal(0, w.variance, std::to_string(w.inputs)) << "\n";
  }
  for (const Weight& w : program.weights()) {
    out << "Input:  " << object_text(w.name) << " : A(" << w.rows.text() << ", " << w.columns.text()
        << "), iid " << normal(0, w.variance, divisor_text(w.columns)) << "\n";
  }
  for (const Bias& b : program.biases()) {
    out << "Input:  " << object_text(b.name) << " : G(" << b.width.text() << "), iid "
        << normal(b.mean, b.variance) << "\n";
  }
  return out.str();
}

std::string output_text(const Program& program) {
  const Output& output = program.output();
  const std::string readout = object_text(program.readout().name);
  std::string blocks;
  std::optional<Width> total;
  for (const BundleId block : output.blocks) {
    blocks += (blocks.empty() ? "" : "; ") + program.name(block.index());
    const Width width = program.type(block).width;
    total = total ? *total + width : width;
  }
  if (output.blocks.size() > 1) blocks = "[" + blocks + "]";
  return "Output: " + readout + "ᵀ " + blocks + " / √" + divisor_text(*total) + ", " + readout + " ~ " +
         normal(0, program.readout().variance) + ", " + std::to_string(program.outputs()) +
         (program.outputs() == 1 ? " column" : " columns");
}

std::string print(const Program& program) {
  std::string result = objects_text(program);
  for (std::size_t k = 0; k < program.nodes().size(); ++k) {
    result += instruction_text(program, k, constant_name(program, k));
    if (const std::string note = remark(program, k); !note.empty()) result += "    // " + note;
    result += "\n";
  }
  return result + output_text(program) + "\n";
}

}  // namespace nngpcheck::netsor
