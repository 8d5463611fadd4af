#include "nngpcheck/empirical/interpreter/network_cost.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>
#include <variant>
#include <vector>

#include "nngpcheck/empirical/interpreter/activations.hpp"
#include "nngpcheck/empirical/random/normals.hpp"
#include "nngpcheck/netsor/passes/traits.hpp"

namespace nngpcheck::empirical {

namespace {

// What standardizes a group: mean and variance are sums, one call a column and each a pass.
constexpr double standardize_calls = 5;
// Of many columns, which share what is read, for each two of them; of a cube of columns that are drawn at
// once.
constexpr double pair_cost = 0.3, factor_cost = 1;

class NetworkCost {
 public:
  NetworkCost(const netsor::Program& program, const Schedule& schedule, const UnitCosts& unit)
      : program_(program), schedule_(schedule), unit_(unit) {}

  double total() const {
    double result = 0;
    for (std::size_t step = 0; step < schedule_.steps.size(); ++step) result += unit_.call + cost(step);
    for (const Group& group : schedule_.groups) {
      result += basis_cost(group.arguments);
      for (const std::size_t weight : group.weights)
        result += images_cost(height(program_.weights()[weight].rows), group.arguments, unit_.normal) +
                  unit_.pass * area(height(program_.weights()[weight].rows), group.arguments.uses);
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

  double function_cost(std::size_t node) const {
    const auto measured = unit_.functions.find(node);
    return measured == unit_.functions.end() ? unit_.function : measured->second;
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
        return function_cost(step.node) * out;
      case netsor::Form::groupwise:
        return standardize_calls * (unit_.pass * out + unit_.call * static_cast<double>(bundle->columns));
      case netsor::Form::table:
        break;
    }
    return table_cost(node.operation);
  }

  // A draw of as many columns, given the Gram matrix of what they are products of.
  double sum_cost(const SumPlan& plan, double out, netsor::Index columns) const {
    const auto to = static_cast<double>(columns);
    double rest = unit_.pass * out * static_cast<double>(plan.sum.rest.size());
    if (!plan.sum.of_inputs()) rest += factor_cost * to * to * to;
    return out * (unit_.normal + to * pair_cost) + rest;
  }

  double source_cost(std::size_t step, double out) const {
    const netsor::Operation& operation = program_.nodes()[schedule_.steps[step].node].operation;
    if (const auto* op = std::get_if<netsor::Input>(&operation)) {
      const netsor::InputWeight& weight = program_[op->weight];
      const auto rank = static_cast<double>(std::min<netsor::Index>(weight.inputs, op->data->cols()));
      const double drawn = schedule_.exact_inputs ? rank : static_cast<double>(weight.inputs);
      return static_cast<double>(height(weight.width)) * drawn * unit_.normal + out * drawn;
    }
    if (const auto* op = std::get_if<netsor::MatMul>(&operation)) {
      const WeightPlan& plan = schedule_.weights[op->weight.index()];
      if (plan.group != none) return 0;  // with its group
      const netsor::Weight& weight = program_[op->weight];
      const auto columns = static_cast<double>(program_.type(op->argument).columns);
      const double drawn = step == plan.first_step ? unit_.normal : 0;
      return area(height(weight.rows), height(weight.columns)) * (columns + drawn);
    }
    return unit_.normal * out;
  }

  double term_cost(const netsor::LinearTerm& term, double out) const {
    return std::visit(netsor::Overloaded{
                          [&](double) { return unit_.pass * out; },
                          [&](const netsor::SharedSparse& matrix) {
                            const double rows = numbers(term.bundle) / static_cast<double>(matrix->rows());
                            return unit_.pass * rows * static_cast<double>(matrix->nonZeros());
                          },
                          [&](const netsor::LinearTerm::Table&) {
                            return out * static_cast<double>(program_.type(term.bundle).columns);
                          },
                          [&](const netsor::LinearTerm::Diagonal&) { return unit_.pass * out; },
                      },
                      term.matrix);
  }

  double table_cost(const netsor::Operation& operation) const {
    if (const auto* op = std::get_if<netsor::Gram>(&operation))
      return numbers(op->left) * static_cast<double>(program_.type(op->right).columns);
    double result = 0;
    for (const netsor::BundleOperand& operand : netsor::bundle_operands(operation))
      result += unit_.pass * numbers(operand.bundle);
    return result;
  }

  const netsor::Program& program_;
  const Schedule& schedule_;
  const UnitCosts& unit_;
};

constexpr std::size_t columns = 8, height = 4096;  // as wide networks go through the inner caches

// The shortest of some rounds, of which each does it so many times.
template <class Work>
double shortest(int repeats, const Work& work) {
  constexpr int rounds = 8;
  double best = std::numeric_limits<double>::infinity();
  for (int round = 0; round < rounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    for (int k = 0; k < repeats; ++k) work();
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    best = std::min(best, taken.count() / repeats);
  }
  return best;
}

}  // namespace

double network_cost(const netsor::Program& program, const Schedule& schedule, const UnitCosts& unit) {
  return NetworkCost(program, schedule, unit).total();
}

NetworkClock::NetworkClock(const netsor::Program& program) {
  constexpr double numbers = columns * height;
  const std::vector<double> c(columns * columns, 0.25);
  at::Tensor x = at::empty({columns * height}, at::kDouble), y = at::zeros_like(x);
  double* const normals = x.data_ptr<double>();
  double* const values = y.data_ptr<double>();
  const NormalStream stream(0, height, 0, "clock");
  const double of_normal = shortest(1, [&] { stream.fill(0, {normals, columns * height}); }) / numbers;
  seconds_per_multiply_add =
      shortest(16,
               [&] {
                 simd().combine({c.data(), columns, columns}, {normals, height, columns}, height,
                                {values, height, columns});
               }) /
      (columns * numbers);
  unit.normal = of_normal / seconds_per_multiply_add;
  at::Tensor small = x.narrow(0, 0, 1), sum = y.narrow(0, 0, 1);
  unit.call = shortest(64, [&] { at::add_out(sum, small, small); }) / seconds_per_multiply_add;
  unit.pass = shortest(1, [&] { y.copy_(x); }) / numbers / seconds_per_multiply_add;
  std::vector<std::pair<netsor::Activation, double>> measured;
  for (std::size_t node = 0; node < program.nodes().size(); ++node) {
    const auto* map = std::get_if<netsor::Map>(&program.nodes()[node].operation);
    if (!map) continue;
    auto known = std::find_if(measured.begin(), measured.end(),
                              [&](const auto& one) { return one.first == map->activation; });
    if (known == measured.end()) {
      // Somebody's own function may take any time.
      const bool own = map->activation.kind() == netsor::Activation::Kind::custom;
      const std::int64_t count = own ? 1 : x.numel();
      at::Tensor from = x.narrow(0, 0, count), to = y.narrow(0, 0, count);
      const double seconds =
          shortest(1, [&] { apply_activation(map->activation, from, to); }) / static_cast<double>(count);
      known = measured.insert(known, {map->activation, seconds / seconds_per_multiply_add});
    }
    unit.functions[node] = known->second;
  }
}

}  // namespace nngpcheck::empirical
