#include "nngpcheck/empirical/interpreter/schedule.hpp"

#include <algorithm>
#include <map>

#include "nngpcheck/empirical/interpreter/chosen_sums.hpp"
#include "nngpcheck/empirical/interpreter/costs.hpp"
#include "nngpcheck/netsor/passes/traits.hpp"

namespace nngpcheck::empirical {

namespace {

// What an instruction reads: its operands, or the sum's that it is.
std::vector<std::size_t> reads(const netsor::Program& program, std::size_t node, const ProductSum* sum) {
  if (!sum) return netsor::operands(program.nodes()[node].operation);
  std::vector<std::size_t> result;
  for (const ProductTerm& term : sum->terms) {
    if (!sum->of_inputs()) result.push_back(term.bundle.index());
    for (const ProductTerm::Matrix& matrix : term.matrices) {
      std::visit(netsor::Overloaded{
                     [](const netsor::SharedSparse&) {},
                     [&](const auto& table) { result.push_back(table.id.index()); },
                 },
                 matrix);
    }
  }
  for (const netsor::Add::Term& term : sum->rest) result.push_back(term.bundle.index());
  return result;
}

const ProductSum* sum_at(const Sums& sums, std::size_t node) {
  const auto found = sums.find(node);
  return found == sums.end() ? nullptr : &found->second;
}

std::vector<bool> needed_nodes(const netsor::Program& program, const Sums& sums) {
  std::vector<bool> needed(program.nodes().size(), false);
  for (const netsor::BundleId block : program.output().blocks) needed[block.index()] = true;
  for (std::size_t node = needed.size(); node-- > 0;) {
    if (!needed[node]) continue;
    for (const std::size_t operand : reads(program, node, sum_at(sums, node))) needed[operand] = true;
  }
  return needed;
}

// Mixes that one Add alone reads, once.
std::vector<bool> parts_of_sums(const netsor::Program& program, const std::vector<bool>& needed,
                                const Sums& drawn) {
  std::vector<int> readers(needed.size(), 0), sums(needed.size(), 0);
  for (std::size_t node = 0; node < needed.size(); ++node) {
    if (!needed[node]) continue;
    const ProductSum* sum = sum_at(drawn, node);
    for (const std::size_t operand : reads(program, node, sum)) ++readers[operand];
    const auto* add = std::get_if<netsor::Add>(&program.nodes()[node].operation);
    if (!add) continue;
    for (const netsor::Add::Term& term : sum ? sum->rest : add->terms) ++sums[term.bundle.index()];
  }
  for (const netsor::BundleId block : program.output().blocks) ++readers[block.index()];
  std::vector<bool> result(needed.size(), false);
  for (std::size_t node = 0; node < needed.size(); ++node) {
    result[node] = needed[node] && readers[node] == 1 && sums[node] == 1 &&
                   std::holds_alternative<netsor::Mix>(program.nodes()[node].operation);
  }
  return result;
}

// M without the rows of other columns than these.
netsor::SharedSparse restrict_rows(const netsor::SparseMatrix& matrix,
                                   const std::vector<netsor::Index>& columns) {
  std::vector<Eigen::Triplet<double>> entries;
  for (netsor::Index column = 0; column < matrix.cols(); ++column) {
    for (netsor::SparseMatrix::InnerIterator entry(matrix, column); entry; ++entry) {
      const auto row = std::lower_bound(columns.begin(), columns.end(), entry.row()) - columns.begin();
      entries.emplace_back(row, column, entry.value());
    }
  }
  netsor::SparseMatrix result(std::ssize(columns), matrix.cols());
  result.setFromTriplets(entries.begin(), entries.end());
  return std::make_shared<const netsor::SparseMatrix>(std::move(result));
}

class Scheduler {
 public:
  Scheduler(const netsor::Program& program, std::int64_t width, Products products, Precision precision)
      : program_(program),
        number_(precision == Precision::float64 ? sizeof(double) : sizeof(float)),
        products_(products),
        result_{width, products != Products::dense, {}, {}, {}, {}, {}, {}} {}

  Schedule make() && {
    const Sums sums = chosen_sums(program_, needed_nodes(program_, {}), result_.width, products_);
    const std::vector<bool> needed = needed_nodes(program_, sums);
    result_.part_of_sum = parts_of_sums(program_, needed, sums);
    for (std::size_t node = 0; node < needed.size(); ++node) {
      if (!needed[node] || result_.part_of_sum[node]) continue;
      result_.steps.push_back({node});
      if (const ProductSum* sum = sum_at(sums, node)) {
        result_.steps.back().sum = result_.sums.size();
        result_.sums.push_back({*sum, {}, {}, {}, {}, {}});
      }
    }
    plan_values();
    plan_weights();
    plan_sums();
    for (std::size_t step = 0; step < result_.steps.size(); ++step) plan_scratch(step);
    std::vector<Region*> regions;
    for (Step& step : result_.steps) regions.insert(regions.end(), {&step.value, &step.scratch});
    for (WeightPlan& weight : result_.weights)
      regions.insert(regions.end(), {&weight.matrix, &weight.images});
    for (Group& group : result_.groups) regions.push_back(&group.basis);
    for (SourcePlan& source : result_.sources) regions.push_back(&source.gram);
    for (SumPlan& sum : result_.sums)
      regions.insert(regions.end(), {&sum.native, &sum.argument, &sum.basis, &sum.image});
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

  std::int64_t height(netsor::BundleId bundle) const { return program_.type(bundle).width.at(result_.width); }

  void plan_sums() {
    std::map<std::size_t, std::vector<bool>> read;  // columns, by bundle
    for (const SumPlan& plan : result_.sums) {
      for (const auto& [bundle, columns] : sources_of(plan.sum)) {
        read[bundle].resize(columns.size(), false);
        for (std::size_t j = 0; j < columns.size(); ++j) read[bundle][j] = read[bundle][j] || columns[j];
      }
    }
    std::map<std::size_t, std::size_t> sources;  // by bundle
    for (const auto& [bundle, columns] : read) {
      sources[bundle] = result_.sources.size();
      result_.sources.push_back({program_.bundle(bundle), {}, none, {}});
      for (std::size_t j = 0; j < columns.size(); ++j) {
        if (columns[j]) result_.sources.back().columns.push_back(static_cast<netsor::Index>(j));
      }
    }
    for (std::size_t step = 0; step < result_.steps.size(); ++step) {
      if (result_.steps[step].sum == none) continue;
      SumPlan& plan = result_.sums[result_.steps[step].sum];
      for (ProductTerm& term : plan.sum.terms) {
        if (plan.sum.of_inputs()) continue;
        plan.sources.push_back(sources[term.bundle.index()]);
        SourcePlan& source = result_.sources[plan.sources.back()];
        term.matrices.front() = restrict_rows(first_matrix(term), source.columns);
        source.first_step = std::min(source.first_step, step);
        const auto count = std::ssize(source.columns);
        source.gram = {source.first_step, step, sizeof(double) * area(count, count)};
      }
      plan_sum(step, plan);
    }
  }

  void plan_sum(std::size_t step, SumPlan& plan) {
    const std::int64_t rows = height(program_.bundle(result_.steps[step].node));
    const auto to = columns(result_.steps[step].node);
    plan.native = plan.argument = plan.basis = plan.image = {step, step};
    if (number_ != sizeof(double)) plan.native.bytes = sizeof(double) * area(rows, to);
    for (const std::size_t index : plan.sources) {
      const SourcePlan& source = result_.sources[index];
      const std::int64_t dimension = height(source.bundle), count = std::ssize(source.columns);
      const auto raise = [](Region& region, double numbers) {
        region.bytes = std::max(region.bytes, sizeof(double) * numbers);
      };
      if (number_ != sizeof(double) || count < columns(source.bundle.index()))
        raise(plan.argument, area(dimension, count));
      raise(plan.basis, GramSchmidt::storage_size(dimension, count));
      raise(plan.image, area(rows, count));
      need_temporary(sizeof(double) * (3 * area(to, to) + 2 * area(count, std::max(to, count))));
    }
  }

  // ---- Values, and products that are drawn apart ----

  void plan_values() {
    std::map<std::size_t, std::size_t> last;  // by node
    for (std::size_t step = 0; step < result_.steps.size(); ++step) {
      last[result_.steps[step].node] = step;
      const std::size_t sum = result_.steps[step].sum;
      for (std::size_t operand :
           reads(program_, result_.steps[step].node, sum == none ? nullptr : &result_.sums[sum].sum)) {
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
      if (!product || result_.steps[step].sum != none) continue;
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
    if (here.sum != none && !std::holds_alternative<netsor::Add>(operation(step))) return;
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
              const bool exactly = result_.weights[op.weight.index()].group != none;
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
