#include "nngpcheck/empirical/interpreter/network_cost.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <vector>

#include "nngpcheck/empirical/interpreter/costs.hpp"
#include "nngpcheck/netsor/passes/traits.hpp"

namespace nngpcheck::empirical {

namespace {

// Per number, of a function; of a pass that is bound by memory; of standardizing a group.
constexpr double function_cost = 16, pass_cost = 2, standardize_cost = 10;
// Of many columns, which share what is read, for each two of them; of a cube of columns that are drawn at
// once.
constexpr double pair_cost = 0.3, factor_cost = 1;
// Of an instruction, whatever its size.
constexpr double step_cost = 4000;

class NetworkCost {
 public:
  NetworkCost(const netsor::Program& program, const Schedule& schedule)
      : program_(program), schedule_(schedule) {}

  double total() const {
    double result = 0;
    for (std::size_t step = 0; step < schedule_.steps.size(); ++step) result += step_cost + cost(step);
    for (const Group& group : schedule_.groups) {
      result += basis_cost(group.arguments);
      for (const std::size_t weight : group.weights)
        result += images_cost(height(program_.weights()[weight].rows), group.arguments);
    }
    for (const SourcePlan& source : schedule_.sources) {
      const auto count = static_cast<double>(source.columns.size());
      result += static_cast<double>(height(program_.type(source.bundle).width)) * count * count * pair_cost;
    }
    for (const netsor::BundleId block : program_.output().blocks)
      result += numbers(block) * static_cast<double>(program_.type(block).columns) / 2;
    return result;
  }

 private:
  std::int64_t height(const netsor::Width& width) const { return width.at(schedule_.width); }

  double numbers(netsor::BundleId bundle) const {
    return area(height(program_.type(bundle).width), program_.type(bundle).columns);
  }

  double cost(std::size_t at) const {
    const Step& step = schedule_.steps[at];
    const netsor::Node& node = program_.nodes()[step.node];
    const auto* bundle = std::get_if<netsor::BundleType>(&node.type);
    const double out = bundle ? area(height(bundle->width), bundle->columns) : 0;
    if (step.sum != none) return sum_cost(schedule_.sums[step.sum], out, bundle->columns);
    switch (netsor::form(node.operation)) {
      case netsor::Form::source:
        return source_cost(at, out);
      case netsor::Form::linear: {
        double result = 0;
        for (const netsor::LinearTerm& term : netsor::linear_terms(node.operation))
          result += term_cost(term, out);
        return result;
      }
      case netsor::Form::pointwise:
        return function_cost * out;
      case netsor::Form::groupwise:
        return standardize_cost * out;
      case netsor::Form::table:
        break;
    }
    return table_cost(node.operation);
  }

  // A draw of as many columns, given the Gram matrix of what they are products of.
  double sum_cost(const SumPlan& plan, double out, netsor::Index columns) const {
    const auto to = static_cast<double>(columns);
    double rest = pass_cost * out * static_cast<double>(plan.sum.rest.size());
    if (!plan.sum.of_inputs()) rest += factor_cost * to * to * to;
    return out * (normal_cost + to * pair_cost) + rest;
  }

  double source_cost(std::size_t step, double out) const {
    const netsor::Operation& operation = program_.nodes()[schedule_.steps[step].node].operation;
    if (const auto* op = std::get_if<netsor::Input>(&operation)) {
      const netsor::InputWeight& weight = program_[op->weight];
      const auto rank = static_cast<double>(std::min<netsor::Index>(weight.inputs, op->data->cols()));
      const double drawn = schedule_.exact_inputs ? rank : static_cast<double>(weight.inputs);
      return static_cast<double>(height(weight.width)) * drawn * normal_cost + out * drawn;
    }
    if (const auto* op = std::get_if<netsor::MatMul>(&operation)) {
      const WeightPlan& plan = schedule_.weights[op->weight.index()];
      if (plan.group != none) return 0;  // with its group
      const netsor::Weight& weight = program_[op->weight];
      const auto columns = static_cast<double>(program_.type(op->argument).columns);
      const double drawn = step == plan.first_step ? normal_cost : 0;
      return area(height(weight.rows), height(weight.columns)) * (columns + drawn);
    }
    return normal_cost * out;
  }

  double term_cost(const netsor::LinearTerm& term, double out) const {
    return std::visit(netsor::Overloaded{
                          [&](double) { return pass_cost * out; },
                          [&](const netsor::SharedSparse& matrix) {
                            const double rows = numbers(term.bundle) / static_cast<double>(matrix->rows());
                            return pass_cost * rows * static_cast<double>(matrix->nonZeros());
                          },
                          [&](const netsor::LinearTerm::Table&) {
                            return out * static_cast<double>(program_.type(term.bundle).columns);
                          },
                          [&](const netsor::LinearTerm::Diagonal&) { return pass_cost * out; },
                      },
                      term.matrix);
  }

  double table_cost(const netsor::Operation& operation) const {
    if (const auto* op = std::get_if<netsor::Gram>(&operation))
      return numbers(op->left) * static_cast<double>(program_.type(op->right).columns);
    double result = 0;
    for (const netsor::BundleOperand& operand : netsor::bundle_operands(operation))
      result += pass_cost * numbers(operand.bundle);
    return result;
  }

  const netsor::Program& program_;
  const Schedule& schedule_;
};

}  // namespace

double network_cost(const netsor::Program& program, const Schedule& schedule) {
  return NetworkCost(program, schedule).total();
}

double seconds_per_multiply_add() {
  static const double result = [] {
    constexpr std::size_t columns = 8, height = 4096;  // as wide networks go through the inner caches
    constexpr int rounds = 8, repeats = 16;
    const std::vector<double> c(columns * columns, 0.25), x(columns * height, 1);
    std::vector<double> y(columns * height, 0);
    double best = std::numeric_limits<double>::infinity();
    for (int round = 0; round < rounds; ++round) {
      const auto start = std::chrono::steady_clock::now();
      for (int k = 0; k < repeats; ++k)
        simd().combine({c.data(), columns, columns}, {x.data(), height, columns}, height,
                       {y.data(), height, columns});
      const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
      best = std::min(best, taken.count());
    }
    return best / static_cast<double>(repeats * columns * columns * height);
  }();
  return result;
}

}  // namespace nngpcheck::empirical
