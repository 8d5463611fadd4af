#include "nngpcheck/analytic/limit.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <memory>

#include "nngpcheck/analytic/evaluation/evaluation.hpp"
#include "nngpcheck/analytic/evaluation/plan.hpp"
#include "nngpcheck/analytic/evaluation/randomizations.hpp"
#include "nngpcheck/analytic/seed.hpp"
#include "nngpcheck/netsor/passes/restrict.hpp"
#include "nngpcheck/support/memory.hpp"
#include "nngpcheck/support/parallel.hpp"
#include "nngpcheck/support/spelling.hpp"

namespace nngpcheck::analytic {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;

constexpr int first_log2_points = 12;
constexpr int default_log2_points =
    19;  // most that are spent where the caller names neither points nor tolerance
constexpr int largest_log2_points = 22;
constexpr double default_tolerance = 5e-5;
constexpr double assumed_rate = 0.75;  // of the standard error in the number of points; between 1/2 and 3/2
// Bytes that one randomization's arrays may take. A constant, so that the number of points, and with it the
// kernel, is the same on all machines that have as much.
constexpr double path_memory = 4e9;

// One summand of a kernel: weight · E[XᵀY].
struct Block {
  NodeIndex x, y;
  double weight;
};

std::vector<Block> kernel_blocks(const netsor::Program& program, const std::vector<netsor::BundleId>& rows,
                                 const std::vector<netsor::BundleId>& columns) {
  double total = 0;
  for (const netsor::BundleId block : rows) total += program.type(block).width.ratio();
  std::vector<Block> result;
  for (std::size_t b = 0; b < rows.size(); ++b) {
    const double share = program.type(rows[b]).width.ratio() / total;
    result.push_back({rows[b].index(), columns[b].index(), share * program.readout().variance});
  }
  return result;
}

void check(const LimitOptions& options) {
  check_randomizations("limit", options.randomizations, options.points, 1);
  if (options.tolerance && !(*options.tolerance > 0))
    throw LimitError("limit: the tolerance must be positive");
  if (options.tolerance && options.points) throw LimitError("limit: give points or a tolerance, not both");
}

// Mean and standard error of a demand over the randomizations, with the largest of their bounds.
struct Summary {
  MatrixXd value, standard_error, bound;
};

class Runner {
 public:
  Runner(const Structure& structure, std::vector<Demand> goals, const LimitOptions& options)
      : options_(options),
        goals_(std::move(goals)),
        plan_(make_plan(structure, goals_, options.force_paths)),
        base_(structure, plan_, goals_, support::threads_asked(options.threads), options.progress) {
    check_memory();
    base_.run();
  }

  bool randomized() const {
    return std::any_of(goals_.begin(), goals_.end(),
                       [&](const Demand& g) { return plan_.entry(g).replicated; });
  }

  // What the arrays of one randomization take for each point.
  double bytes_per_point() const {
    double arrays = 1;
    for (const Plan::Entry& entry : plan_.entries) arrays += entry.step->arrays_per_path();
    return 8 * arrays;
  }

  // The most points whose arrays fit the memory.
  int affordable_log2_points() const {
    const double bytes = std::min(path_memory, support::available_memory());
    return static_cast<int>(std::log2(std::max(1., bytes / bytes_per_point())));
  }

  // Throws unless the arrays of so many points fit.
  void check_points(int log2_points) const {
    const double needed = std::ldexp(bytes_per_point(), log2_points), available = support::available_memory();
    if (needed <= available) return;
    throw LimitError("limit: the paths of 2^" + std::to_string(log2_points) + " points take about " +
                     support::bytes_text(needed) + ", and " + support::bytes_text(available) +
                     " are available; ask for fewer points, or compute the kernel in blocks");
  }

  // One small randomization for the principal axes, of use to all later ones and independent of them.
  void pilot(int log2_points) {
    if (plan_.systems.common.empty()) return;
    const PathPool::Axes none;
    Evaluation pilot(base_, none, log2_points, seed_of_part(options_.seed, pilot_number));
    pilot.run();
    axes_ = pilot.principal_axes();
  }

  void randomize(int log2_points) {
    replicates_.clear();
    replicates_.resize(static_cast<std::size_t>(options_.randomizations));
    std::atomic<std::size_t> done = 0;
    support::in_parallel(replicates_.size(), threads(log2_points), [&](std::size_t r) {
      auto replicate =
          std::make_unique<Evaluation>(base_, axes_, log2_points, seed_of_part(options_.seed, r));
      replicate->run();
      replicate->release_paths();
      replicates_[r] = std::move(replicate);
      ++done;
      options_.progress.report({}, [&] {
        return "limit, " + std::to_string(done) + " of " + std::to_string(replicates_.size()) +
               " randomizations of 2^" + std::to_string(log2_points) + " points";
      });
    });
  }

  Summary summary(const Demand& demand) const {
    return summary(plan_.entry(demand).replicated, [&](const Values& values) { return values[demand]; });
  }

  Limit assemble(const std::vector<Block>& blocks) const {
    Summary kernel = summary(randomized(), [&](const Values& values) {
      UncertainMatrix sum;
      for (const Block& block : blocks) {
        const UncertainMatrix moment = values.moment(block.x, block.y);
        if (sum.value.size() == 0) {
          sum.value = sum.bound = MatrixXd::Zero(moment.value.rows(), moment.value.cols());
        }
        sum.value += block.weight * moment.value;
        sum.bound += block.weight * moment.bound;
      }
      return sum;
    });
    Limit limit;
    limit.value = std::move(kernel.value);
    limit.standard_error = std::move(kernel.standard_error);
    limit.error_bound = std::move(kernel.bound);
    return limit;
  }

  std::vector<PlanStep> report() const;

 private:
  // Each holds the arrays of one randomization.
  std::size_t threads(int log2_points) const {
    const double fit = support::available_memory() / std::ldexp(bytes_per_point(), log2_points);
    return std::min(support::threads_asked(options_.threads),
                    static_cast<std::size_t>(std::clamp(fit, 1., double{1 << 20})));
  }

  // Over the randomizations by Welford's recursion, or of the one evaluation that is the same in all.
  template <class Quantity>
  Summary summary(bool randomized, const Quantity& quantity) const {
    if (!randomized) {
      UncertainMatrix x = quantity(base_.values());
      MatrixXd none = MatrixXd::Zero(x.value.rows(), x.value.cols());
      return {std::move(x.value), std::move(none), std::move(x.bound)};
    }
    MatrixXd mean, squares, bound;
    double count = 0;
    for (const auto& replicate : replicates_) {
      const UncertainMatrix x = quantity(replicate->values());
      if (count == 0) {
        mean = squares = MatrixXd::Zero(x.value.rows(), x.value.cols());
        bound = x.bound;
      }
      ++count;
      const MatrixXd difference = x.value - mean;
      mean += difference / count;
      squares += difference.cwiseProduct(x.value - mean);
      bound = bound.cwiseMax(x.bound);
    }
    return {mean, (squares / (count * (count - 1))).cwiseSqrt(), bound};
  }

  // Before anything large is allocated: the largest matrix, with its bound and what is made on the way to it.
  void check_memory() const {
    const Structure& structure = base_.structure();
    const double available = support::available_memory();
    for (const Plan::Entry& entry : plan_.entries) {
      const auto& [kind, x, y, entries, system] = entry.step->demand();
      if (entries.is_diagonal() || y == one ||
          (kind != Demand::Kind::moment && kind != Demand::Kind::covariance))
        continue;
      const auto rows = static_cast<double>(structure.columns(x));
      const auto columns = static_cast<double>(entries.columns(structure.columns(y)));
      const double needed = 4 * 16 * rows * columns;
      if (needed < available) continue;
      throw LimitError("limit: the moments of " + structure.program().name(x) + " and " +
                       structure.program().name(y) + " are " + std::to_string(structure.columns(x)) + " × " +
                       std::to_string(entries.columns(structure.columns(y))) + " numbers; this takes about " +
                       support::bytes_text(needed) + ", and " + support::bytes_text(available) +
                       " are available; use fewer or smaller inputs, or compute the kernel in blocks");
    }
  }

  const LimitOptions& options_;
  const std::vector<Demand> goals_;
  const Plan plan_;
  Evaluation base_;
  PathPool::Axes axes_;
  std::vector<std::unique_ptr<Evaluation>> replicates_;
};

Rule rule_of(Method method, const Cost& cost) {
  switch (method) {
    case Method::product:
      return Rule::product;
    case Method::dual:
      return cost.by_formula ? Rule::closed_form : Rule::quadrature;
    case Method::batch_norm:
      return Rule::batch_norm;
    case Method::paths:
      return Rule::paths;
    default:
      return Rule::linear;
  }
}

std::vector<PlanStep> Runner::report() const {
  std::vector<PlanStep> result;
  const netsor::Program& program = base_.structure().program();
  for (const auto& [step, replicated] : plan_.entries) {
    const Demand& demand = step->demand();
    if (demand.kind != Demand::Kind::moment || step->method() == Method::zero) continue;
    const Cost& cost = replicated ? replicates_.front()->cost(demand) : base_.cost(demand);
    PlanStep line{program.name(demand.left), program.name(demand.right), rule_of(step->method(), cost)};
    line.evaluations = cost.evaluations * (replicated ? static_cast<std::int64_t>(replicates_.size()) : 1);
    line.bound = cost.bound;
    if (replicated) line.standard_error = summary(demand).standard_error.maxCoeff();
    result.push_back(line);
  }
  return result;
}

// The largest standard error relative to √(K_aa K_bb), or to the largest entry of a rectangular block.
double relative_error(const Limit& limit) {
  if (limit.value.rows() != limit.value.cols()) {
    return limit.standard_error.maxCoeff() / limit.value.cwiseAbs().maxCoeff();
  }
  const Eigen::ArrayXd scale = limit.value.diagonal().array().abs().sqrt();
  double largest = 0;
  for (Index i = 0; i < scale.size(); ++i) {
    for (Index j = 0; j < scale.size(); ++j) {
      if (limit.standard_error(i, j) > 0) {
        largest = std::max(largest, limit.standard_error(i, j) / (scale[i] * scale[j]));
      }
    }
  }
  return largest;
}

// The limit from as many points as were asked for, or from more and more until it is accurate enough. Returns
// the binary logarithm of their number.
int sample(Runner& runner, const std::vector<Block>& blocks, const LimitOptions& options, Limit& limit) {
  runner.pilot(std::min(first_log2_points, runner.affordable_log2_points()));
  const auto run = [&](int log2_points) {
    runner.randomize(log2_points);
    limit = runner.assemble(blocks);
    return relative_error(limit);
  };
  if (options.points) {
    const int log2_points = std::countr_zero(static_cast<std::uint64_t>(*options.points));
    runner.check_points(log2_points);
    run(log2_points);
    return log2_points;
  }
  const double tolerance = options.tolerance.value_or(default_tolerance);
  const int most = std::min(options.tolerance ? largest_log2_points : default_log2_points,
                            runner.affordable_log2_points());
  int log2_points = std::min(first_log2_points, most);
  double error = run(log2_points);
  while (error > tolerance && log2_points < most) {
    log2_points += std::max(1, static_cast<int>(std::ceil(std::log2(error / tolerance) / assumed_rate)));
    log2_points = std::min(log2_points, most);
    error = run(log2_points);
  }
  if (options.tolerance && error > tolerance) {
    throw LimitError("limit: with " + std::to_string(options.randomizations) + " randomizations of 2^" +
                     std::to_string(log2_points) + " points the standard error is " +
                     support::shortest(error) + " of √(K_aa K_bb), above the tolerance of " +
                     support::shortest(tolerance) + "; ask for less, or for more randomizations");
  }
  return log2_points;
}

Limit compute(const netsor::Program& program, const std::vector<netsor::BundleId>& rows,
              const std::vector<netsor::BundleId>& columns, const LimitOptions& options) {
  check(options);
  const std::vector<Block> blocks = kernel_blocks(program, rows, columns);
  std::vector<Demand> goals;
  for (const Block& block : blocks) goals.push_back(Demand::moment(block.x, block.y));
  const Structure structure(program);
  Runner runner(structure, goals, options);

  Limit limit;
  int log2_points = first_log2_points;
  if (runner.randomized()) {
    log2_points = sample(runner, blocks, options, limit);
  } else {
    limit = runner.assemble(blocks);
  }
  limit.plan = runner.report();
  Rule worst = Rule::linear;
  for (const PlanStep& step : limit.plan) worst = std::max(worst, step.rule);
  limit.method = to_string(worst);
  if ((limit.standard_error.array() > 0).any()) limit.repeats = options.randomizations;
  if (runner.randomized()) {
    limit.method += ", " + std::to_string(options.randomizations) + " randomizations of 2^" +
                    std::to_string(log2_points) + " points";
  }
  return limit;
}

}  // namespace

std::string to_string(Rule rule) {
  switch (rule) {
    case Rule::linear:
      return "linear";
    case Rule::product:
      return "independent factors";
    case Rule::closed_form:
      return "closed form";
    case Rule::quadrature:
      return "quadrature";
    case Rule::batch_norm:
      return "batch norm";
    case Rule::paths:
      break;
  }
  return "paths";
}

Limit limit(const netsor::Program& program, const LimitOptions& options) {
  Limit result = compute(program, program.output().blocks, program.output().blocks, options);
  result.labels = program.output().labels;
  return result;
}

Limit limit(const netsor::Program& program, const std::vector<Index>& rows, const std::vector<Index>& columns,
            const LimitOptions& options) {
  const netsor::Rectangle rectangle = netsor::restrict_rectangle(program, rows, columns);
  Limit result = compute(rectangle.program, rectangle.rows, rectangle.columns, options);
  const std::vector<std::string>& labels = program.output().labels;
  for (const Index i : rows) result.labels.push_back(labels[static_cast<std::size_t>(i)]);
  for (const Index j : columns) result.columns.push_back(labels[static_cast<std::size_t>(j)]);
  return result;
}

}  // namespace nngpcheck::analytic
