#include "nngpcheck/analytic/evaluation/runner.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "nngpcheck/analytic/error.hpp"
#include "nngpcheck/analytic/evaluation/randomizations.hpp"
#include "nngpcheck/analytic/seed.hpp"
#include "nngpcheck/support/memory.hpp"
#include "nngpcheck/support/parallel.hpp"

namespace nngpcheck::analytic {

using Eigen::MatrixXd;

namespace {

// Bytes that one randomization's arrays may take. A constant, so that the number of points, and with it the
// kernel, is the same on all machines that have as much.
constexpr double path_memory = 4e9;

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

}  // namespace

Runner::Runner(const Structure& structure, std::vector<Demand> goals, const LimitOptions& options,
               HermiteTables& tables, Buffers& buffers)
    : options_(options),
      goals_(std::move(goals)),
      plan_(make_plan(structure, goals_, options.force_paths)),
      base_(structure, plan_, goals_, support::threads_asked(options.threads), options.progress, &tables,
            &buffers) {}

bool Runner::randomized() const {
  return std::any_of(goals_.begin(), goals_.end(),
                     [&](const Demand& g) { return plan_.entry(g).replicated; });
}

void Runner::run() {
  check_memory();
  base_.run();
}

// What the arrays of one randomization take for each point.
double Runner::bytes_per_point() const {
  double arrays = 1;
  for (const Plan::Entry& entry : plan_.entries) arrays += entry.step->arrays_per_path();
  return 8 * arrays;
}

int Runner::affordable_log2_points() const {
  const double bytes = std::min(path_memory, support::available_memory());
  return static_cast<int>(std::log2(std::max(1., bytes / bytes_per_point())));
}

void Runner::check_points(int log2_points) const {
  const double needed = std::ldexp(bytes_per_point(), log2_points), available = support::available_memory();
  if (needed <= available) return;
  throw LimitError("limit: the paths of 2^" + std::to_string(log2_points) + " points take about " +
                   support::bytes_text(needed) + ", and " + support::bytes_text(available) +
                   " are available; ask for fewer points, or use fewer inputs");
}

void Runner::pilot(int log2_points) {
  if (plan_.systems.common.empty()) return;
  const PathPool::Axes none;
  Evaluation pilot(base_, none, log2_points, seed_of_part(options_.seed, pilot_number));
  pilot.run();
  axes_ = pilot.principal_axes();
}

void Runner::randomize(int log2_points) {
  replicates_.clear();
  replicates_.resize(static_cast<std::size_t>(options_.randomizations));
  std::atomic<std::size_t> done = 0;
  support::in_parallel(replicates_.size(), threads(log2_points), [&](std::size_t r) {
    auto replicate = std::make_unique<Evaluation>(base_, axes_, log2_points, seed_of_part(options_.seed, r));
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

// Each holds the arrays of one randomization.
std::size_t Runner::threads(int log2_points) const {
  const double fit = support::available_memory() / std::ldexp(bytes_per_point(), log2_points);
  return std::min(support::threads_asked(options_.threads),
                  static_cast<std::size_t>(std::clamp(fit, 1., double{1 << 20})));
}

// Over the randomizations by Welford's recursion, or of the one evaluation that is the same in all.
template <class Quantity>
Runner::Summary Runner::summary(bool randomized, const Quantity& quantity) const {
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
void Runner::check_memory() const {
  const Structure& structure = base_.structure();
  const double available = support::available_memory();
  for (const Plan::Entry& entry : plan_.entries) {
    const auto& [kind, x, y, entries, system] = entry.step->demand();
    if (entries.is_diagonal() || y == one ||
        (kind != Demand::Kind::moment && kind != Demand::Kind::covariance))
      continue;
    const auto rows = static_cast<double>(structure.columns(x));
    const auto columns = static_cast<double>(entries.columns(structure.columns(y)));
    const double needed = bytes_per_entry * rows * columns;
    if (needed < available) continue;
    throw LimitError("limit: the moments of " + structure.program().name(x) + " and " +
                     structure.program().name(y) + " are " + std::to_string(structure.columns(x)) + " × " +
                     std::to_string(entries.columns(structure.columns(y))) + " numbers; this takes about " +
                     support::bytes_text(needed) + ", and " + support::bytes_text(available) +
                     " are available; use fewer or smaller inputs, or compute the kernel in blocks");
  }
}

Limit Runner::assemble(const std::vector<KernelBlock>& blocks) const {
  Summary kernel = summary(randomized(), [&](const Values& values) {
    UncertainMatrix sum;
    for (const KernelBlock& block : blocks) {
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

std::vector<PlanStep> Runner::report(const Named& named) const {
  std::vector<PlanStep> result;
  for (const auto& [step, replicated] : plan_.entries) {
    const Demand& demand = step->demand();
    if (demand.kind != Demand::Kind::moment || step->method() == Method::zero) continue;
    const Cost& cost = replicated ? replicates_.front()->cost(demand) : base_.cost(demand);
    const auto [first, second] = std::minmax({named(demand.left), named(demand.right)});
    PlanStep line{first.second, second.second, rule_of(step->method(), cost)};
    line.evaluations = cost.evaluations * (replicated ? static_cast<std::int64_t>(replicates_.size()) : 1);
    line.bound = cost.bound;
    if (replicated)
      line.standard_error =
          summary(true, [&](const Values& values) { return values[demand]; }).standard_error.maxCoeff();
    result.push_back(line);
  }
  return result;
}

}  // namespace nngpcheck::analytic
