#include "nngpcheck/empirical/interpreter/schedule.hpp"

#include <algorithm>
#include <map>

#include "nngpcheck/netsor/passes/traits.hpp"

namespace nngpcheck::empirical {

namespace {

std::vector<bool> needed_nodes(const netsor::Program& program) {
  std::vector<bool> needed(program.nodes().size(), false);
  for (const netsor::BundleId block : program.output().blocks) needed[block.index()] = true;
  for (std::size_t node = needed.size(); node-- > 0;) {
    if (!needed[node]) continue;
    for (const std::size_t operand : netsor::operands(program.nodes()[node].operation))
      needed[operand] = true;
  }
  return needed;
}

// Mixes that one sum alone reads, once.
std::vector<bool> parts_of_sums(const netsor::Program& program, const std::vector<bool>& needed) {
  std::vector<int> readers(needed.size(), 0), sums(needed.size(), 0);
  for (std::size_t node = 0; node < needed.size(); ++node) {
    if (!needed[node]) continue;
    const netsor::Operation& operation = program.nodes()[node].operation;
    for (const std::size_t operand : netsor::operands(operation)) {
      ++readers[operand];
      sums[operand] += std::holds_alternative<netsor::Add>(operation);
    }
  }
  for (const netsor::BundleId block : program.output().blocks) ++readers[block.index()];
  std::vector<bool> result(needed.size(), false);
  for (std::size_t node = 0; node < needed.size(); ++node) {
    result[node] = needed[node] && readers[node] == 1 && sums[node] == 1 &&
                   std::holds_alternative<netsor::Mix>(program.nodes()[node].operation);
  }
  return result;
}

double area(std::int64_t left, std::int64_t right) {
  return static_cast<double>(left) * static_cast<double>(right);
}

// The costs of one way to draw, in multiply-adds; a normal number costs about eight (bench/sampler_times).
constexpr double normal_cost = 8;

double dense_cost(std::int64_t rows, const ExactProducts::Arguments& of) {
  return area(rows, of.dimension) * (normal_cost + static_cast<double>(of.uses));
}

double images_cost(std::int64_t rows, const ExactProducts::Arguments& of) {
  const double rank = static_cast<double>(std::min(of.uses, of.dimension));
  return static_cast<double>(rows) * rank * (normal_cost + static_cast<double>(of.uses) / (of.once ? 1 : 2));
}

// A Gram matrix; or, if the basis must be formed, about three reads of it, each for a product and a
// projection. Where the arguments are kept (see Coordinates) it is less.
double basis_cost(const ExactProducts::Arguments& of) {
  const double rank = static_cast<double>(std::min(of.uses, of.dimension));
  const double uses = static_cast<double>(of.uses);
  if (of.once && of.uses < of.dimension) return static_cast<double>(of.dimension) * uses * uses / 2;
  return 3 * static_cast<double>(of.dimension) * uses * rank;
}

class Scheduler {
 public:
  Scheduler(const netsor::Program& program, std::int64_t width, Products products, Precision precision)
      : program_(program),
        number_(precision == Precision::float64 ? sizeof(double) : sizeof(float)),
        products_(products),
        result_{width, products != Products::dense, {}, {}, {}, {}} {}

  Schedule make() && {
    const std::vector<bool> needed = needed_nodes(program_);
    result_.part_of_sum = parts_of_sums(program_, needed);
    for (std::size_t node = 0; node < needed.size(); ++node) {
      if (needed[node] && !result_.part_of_sum[node]) result_.steps.push_back({node, {}, {}});
    }
    plan_values();
    plan_weights();
    for (std::size_t step = 0; step < result_.steps.size(); ++step) plan_scratch(step);
    std::vector<Region*> regions;
    for (Step& step : result_.steps) regions.insert(regions.end(), {&step.value, &step.scratch});
    for (WeightPlan& weight : result_.weights)
      regions.insert(regions.end(), {&weight.matrix, &weight.images});
    for (Group& group : result_.groups) regions.push_back(&group.basis);
    result_.buffer_bytes = place(regions);
    return std::move(result_);
  }

 private:
  const netsor::Operation& operation(std::size_t step) const {
    return program_.nodes()[result_.steps[step].node].operation;
  }

  netsor::Index columns(std::size_t node) const {
    return std::get<netsor::BundleType>(program_.nodes()[node].type).columns;
  }

  double numbers(std::size_t node) const {
    const auto* bundle = std::get_if<netsor::BundleType>(&program_.nodes()[node].type);
    return bundle ? area(bundle->width.at(result_.width), bundle->columns) : 0;
  }

  void plan_values() {
    std::map<std::size_t, std::size_t> last;  // by node
    for (std::size_t step = 0; step < result_.steps.size(); ++step) {
      last[result_.steps[step].node] = step;
      for (std::size_t operand : netsor::operands(operation(step))) {
        if (result_.part_of_sum[operand])
          operand = std::get<netsor::Mix>(program_.nodes()[operand].operation).argument.index();
        last[operand] = step;
      }
    }
    for (const netsor::BundleId block : program_.output().blocks) last[block.index()] = result_.steps.size();
    for (std::size_t step = 0; step < result_.steps.size(); ++step) {
      const std::size_t node = result_.steps[step].node;
      result_.steps[step].value = {step, last[node], number_ * numbers(node)};
    }
  }

  // Weights whose arguments are the same, one after the other, are drawn alike.
  void plan_weights() {
    struct Use {
      std::vector<std::size_t> arguments;  // nodes
      std::size_t first = 0, last = 0;     // steps
    };
    std::map<std::size_t, Use> uses;
    for (std::size_t step = 0; step < result_.steps.size(); ++step) {
      const auto* product = std::get_if<netsor::MatMul>(&operation(step));
      if (!product) continue;
      Use& use = uses.try_emplace(product->weight.index(), Use{{}, step, step}).first->second;
      use.arguments.push_back(product->argument.index());
      use.last = step;
    }
    result_.weights.resize(program_.weights().size());
    std::map<std::vector<std::size_t>, std::vector<std::size_t>> alike;
    for (const auto& [weight, use] : uses) alike[use.arguments].push_back(weight);
    for (const auto& [arguments, weights] : alike) {
      std::size_t first = uses[weights.front()].first, last = 0;
      for (const std::size_t weight : weights) {
        WeightPlan& plan = result_.weights[weight];
        plan.first_step = uses[weight].first;
        plan.matrix = plan.images = {uses[weight].first, uses[weight].last};
        first = std::min(first, uses[weight].first);
        last = std::max(last, uses[weight].last);
      }
      draw_alike(arguments, weights, first, last);
    }
  }

  void draw_alike(const std::vector<std::size_t>& arguments, const std::vector<std::size_t>& weights,
                  std::size_t first, std::size_t last) {
    ExactProducts::Arguments of{program_.weights()[weights.front()].columns.at(result_.width), 0,
                                arguments.size() == 1, 0};
    for (const std::size_t argument : arguments) of.uses += columns(argument);
    of.switch_rank = switch_rank(of, weights);
    const bool exactly = of.switch_rank > 0;
    if (exactly) {
      Group group{of, weights, first, {first, of.once ? first : last}};
      group.basis.bytes = sizeof(double) * GramSchmidt::storage_size(of.dimension, of.uses);
      result_.groups.push_back(group);
    }
    for (std::size_t member = 0; member < weights.size(); ++member) {
      WeightPlan& plan = result_.weights[weights[member]];
      const std::int64_t rows = program_.weights()[weights[member]].rows.at(result_.width);
      if (!exactly) {
        plan.matrix.bytes = number_ * area(rows, of.dimension);
        continue;
      }
      plan.group = result_.groups.size() - 1;
      plan.member = member;
      if (!of.once) plan.images.bytes = sizeof(double) * area(rows, std::min(of.uses, of.dimension));
      if (of.switch_rank <= of.uses) plan.matrix.bytes = sizeof(double) * area(rows, of.dimension);
    }
  }

  // 0: matrices from the start; more than `uses`: never.
  //
  // With as many dimensions as uses, the cheaper way is known from the start, and changing it on the way
  // never pays. But arguments may repeat, which is seen only on the way: where matrices seem cheaper,
  // products begin without them, as long as forming them from the images, at 2·rank more per entry, costs at
  // most 1/16 more.
  std::int64_t switch_rank(const ExactProducts::Arguments& of,
                           const std::vector<std::size_t>& weights) const {
    const std::int64_t never = of.uses + 1;
    if (products_ != Products::automatic) return products_ == Products::exact ? never : 0;
    double dense = 0, exact = basis_cost(of);
    for (const std::size_t weight : weights) {
      const std::int64_t rows = program_.weights()[weight].rows.at(result_.width);
      dense += dense_cost(rows, of);
      exact += images_cost(rows, of);
    }
    if (exact < dense) return never;
    const auto affordable = static_cast<std::int64_t>((normal_cost + static_cast<double>(of.uses)) / 32);
    return of.once || affordable < 2 || affordable >= of.dimension ? 0 : affordable;
  }

  void need_temporary(double bytes) { result_.temporary_bytes = std::max(result_.temporary_bytes, bytes); }

  void plan_scratch(std::size_t step) {
    Step& here = result_.steps[step];
    here.scratch = {step, step};
    const double out = numbers(here.node);
    switch (netsor::form(operation(step))) {
      case netsor::Form::source:
        plan_source(here, out);
        break;
      case netsor::Form::linear:
        plan_linear(here, out);
        break;
      case netsor::Form::pointwise:
        need_temporary(2 * number_ * out);
        break;
      case netsor::Form::groupwise:  // mean, variance and square of one group
        here.scratch.bytes = 3 * number_ * out / static_cast<double>(columns(here.node));
        break;
      case netsor::Form::table:
        break;
    }
  }

  void plan_linear(Step& here, double out) {
    const netsor::Operation& op = program_.nodes()[here.node].operation;
    const auto* mix = std::get_if<netsor::TableMix>(&op);
    if (std::holds_alternative<netsor::Add>(op))
      here.scratch.bytes = number_ * out;
    else if (mix && number_ != sizeof(double))  // in float64
      need_temporary(sizeof(double) * (numbers(mix->argument.index()) + out));
    else
      need_temporary(2 * number_ * out);
  }

  void plan_source(Step& here, double out) {
    netsor::visit<netsor::Form::source>(
        netsor::Overloaded{
            [&](const netsor::Input& op) {
              const netsor::InputWeight& weight = program_[op.weight];
              if (!result_.exact_inputs)
                here.scratch.bytes = number_ * area(weight.width.at(result_.width), weight.inputs);
              else if (number_ != sizeof(double))
                here.scratch.bytes = sizeof(double) * out;
            },
            [&](const netsor::MatMul& op) {
              const bool exactly = result_.weights[op.weight.index()].group != WeightPlan::none;
              const double in = numbers(op.argument.index());
              if (!exactly)
                need_temporary(number_ * (in + out));
              else if (number_ != sizeof(double))
                here.scratch.bytes = sizeof(double) * out + region_alignment + sizeof(double) * in;
            },
            [&](const netsor::BiasColumn&) { need_temporary(2 * number_ * out); },
            [](const netsor::Ones&) {},
        },
        program_.nodes()[here.node].operation);
  }

  const netsor::Program& program_;
  double number_;  // bytes of one
  Products products_;
  Schedule result_;
};

}  // namespace

Schedule schedule(const netsor::Program& program, std::int64_t width, Products products,
                  Precision precision) {
  return Scheduler(program, width, products, precision).make();
}

}  // namespace nngpcheck::empirical
