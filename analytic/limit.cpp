#include "nngpcheck/analytic/limit.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>

#include "nngpcheck/analytic/columns/buffers.hpp"
#include "nngpcheck/analytic/evaluation/evaluation.hpp"
#include "nngpcheck/analytic/evaluation/plan.hpp"
#include "nngpcheck/analytic/evaluation/randomizations.hpp"
#include "nngpcheck/analytic/gaussian/hermite_series.hpp"
#include "nngpcheck/analytic/seed.hpp"
#include "nngpcheck/analytic/tiles.hpp"
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
// Of a moment: value and bound, four at a time.
constexpr double bytes_per_entry = 4 * 16;

// An instruction of the program that the user has: its number there, and its name.
using Named = std::function<std::pair<NodeIndex, std::string>(NodeIndex)>;

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
  Runner(const Structure& structure, std::vector<Demand> goals, const LimitOptions& options,
         HermiteTables& tables, Buffers& buffers)
      : options_(options),
        goals_(std::move(goals)),
        plan_(make_plan(structure, goals_, options.force_paths)),
        base_(structure, plan_, goals_, support::threads_asked(options.threads), options.progress, &tables,
              &buffers) {}

  const Plan& plan() const { return plan_; }

  bool randomized() const {
    return std::any_of(goals_.begin(), goals_.end(),
                       [&](const Demand& g) { return plan_.entry(g).replicated; });
  }

  // What is the same in all randomizations, before anything else.
  void run() {
    check_memory();
    base_.run();
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

  // With the instructions that the program's instructions restrict.
  std::vector<PlanStep> report(const Named& named) const;

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
      const double needed = bytes_per_entry * rows * columns;
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

bool asks_for_some(const Plan& plan) {
  return std::any_of(plan.entries.begin(), plan.entries.end(), [](const Plan::Entry& entry) {
    return entry.step->demand().entries.classes() != nullptr;
  });
}

// A kernel that is to be computed, at some outputs of the user's program.
struct Problem {
  const netsor::Program& program;
  std::vector<netsor::BundleId> rows, columns;
  Named named;
};

// What the plan says of the whole: its most expensive rule.
void set_method(Limit& limit) {
  Rule worst = Rule::linear;
  for (const PlanStep& step : limit.plan) worst = std::max(worst, step.rule);
  limit.method = to_string(worst);
}

Limit compute(Runner& runner, const std::vector<Block>& blocks, const Named& named,
              const LimitOptions& options) {
  runner.run();
  Limit limit;
  int log2_points = first_log2_points;
  if (runner.randomized()) {
    log2_points = sample(runner, blocks, options, limit);
  } else {
    limit = runner.assemble(blocks);
  }
  limit.plan = runner.report(named);
  set_method(limit);
  if ((limit.standard_error.array() > 0).any()) limit.repeats = options.randomizations;
  if (runner.randomized()) {
    limit.method += ", " + std::to_string(options.randomizations) + " randomizations of 2^" +
                    std::to_string(log2_points) + " points";
  }
  return limit;
}

std::vector<Demand> goals_of(const std::vector<Block>& blocks) {
  std::vector<Demand> result;
  for (const Block& block : blocks) result.push_back(Demand::moment(block.x, block.y));
  return result;
}

Named named_by(const netsor::Program& program, std::vector<NodeIndex> sources) {
  return [&program, sources = std::move(sources)](NodeIndex k) {
    return std::pair(sources[k], program.name(sources[k]));
  };
}

Limit compute(const netsor::Rectangle& rectangle, const Named& named, const LimitOptions& options,
              HermiteTables& tables, Buffers& buffers) {
  const std::vector<Block> blocks = kernel_blocks(rectangle.program, rectangle.rows, rectangle.columns);
  const Structure structure(rectangle.program);
  Runner runner(structure, goals_of(blocks), options, tables, buffers);
  return compute(runner, blocks, named, options);
}

// A tile, where all entries of every layer are computed or a square of which it is a part.
Limit compute(const netsor::Program& program, const Tile& tile, bool as_part, const LimitOptions& options,
              HermiteTables& tables, Buffers& buffers) {
  const auto rectangle = [&](const std::vector<Index>& rows, const std::vector<Index>& columns) {
    const netsor::Rectangle result = netsor::restrict_rectangle(program, rows, columns);
    return compute(result, named_by(program, result.sources), options, tables, buffers);
  };
  if (!as_part || tile.rows == tile.columns) return rectangle(tile.rows, tile.columns);
  std::vector<Index> both = tile.rows;
  both.insert(both.end(), tile.columns.begin(), tile.columns.end());
  std::sort(both.begin(), both.end());
  both.erase(std::unique(both.begin(), both.end()), both.end());
  Limit limit = rectangle(both, both);
  const auto places = [&](const std::vector<Index>& outputs) {
    std::vector<Index> result;
    for (const Index output : outputs)
      result.push_back(std::lower_bound(both.begin(), both.end(), output) - both.begin());
    return result;
  };
  const std::vector<Index> rows = places(tile.rows), columns = places(tile.columns);
  for (MatrixXd* x : {&limit.value, &limit.standard_error, &limit.error_bound})
    *x = (*x)(rows, columns).eval();
  return limit;
}

Limit by_tiles(const netsor::Program& program, const std::vector<Index>& rows,
               const std::vector<Index>& columns, const std::vector<Tile>& tiles, bool as_parts,
               const LimitOptions& options) {
  Mosaic mosaic(std::ssize(rows), std::ssize(columns), rows == columns);
  const double fit =
      support::available_memory() / (bytes_per_entry * entries(program, tiles.front(), as_parts));
  const std::size_t threads = std::min(support::threads_asked(options.threads),
                                       static_cast<std::size_t>(std::clamp(fit, 1., double{1 << 20})));
  LimitOptions each = options;
  each.threads = static_cast<int>(std::max<std::size_t>(1, threads / tiles.size()));
  each.progress = options.progress.silent();
  HermiteTables tables;
  std::mutex mutex;
  std::size_t done = 0;
  std::map<std::size_t, Limit> waiting;  // so that they are added in their order
  std::size_t next = 0;
  std::vector<std::unique_ptr<Buffers>> idle;
  support::in_parallel(tiles.size(), threads, [&](std::size_t t) {
    std::unique_ptr<Buffers> buffers;
    {
      const std::lock_guard lock(mutex);
      if (!idle.empty()) {
        buffers = std::move(idle.back());
        idle.pop_back();
      }
    }
    if (!buffers) buffers = std::make_unique<Buffers>();
    Limit part = compute(program, tiles[t], as_parts, each, tables, *buffers);
    const std::lock_guard lock(mutex);
    idle.push_back(std::move(buffers));
    ++done;
    waiting.emplace(t, std::move(part));
    for (; !waiting.empty() && waiting.begin()->first == next; ++next)
      mosaic.add(tiles[next], waiting.extract(waiting.begin()).mapped());
    options.progress.report(static_cast<double>(done) / static_cast<double>(tiles.size()), [&] {
      return "limit, tile " + std::to_string(done) + " of " + std::to_string(tiles.size());
    });
  });
  Limit result = mosaic.take();
  set_method(result);
  return result;
}

// Whether only some entries of layers are computed, for the square kernels of this program.
bool asks_for_some(const netsor::Program& program, Index output) {
  const netsor::Rectangle square = netsor::restrict_rectangle(program, {output}, {output});
  const Structure structure(square.program);
  return asks_for_some(
      make_plan(structure, goals_of(kernel_blocks(square.program, square.rows, square.columns)), false));
}

// The kernel of a problem, which is the program's at these outputs.
Limit compute(const Problem& problem, const netsor::Program& program, const std::vector<Index>& rows,
              const std::vector<Index>& columns, const LimitOptions& options) {
  check(options);
  const std::vector<Block> blocks = kernel_blocks(problem.program, problem.rows, problem.columns);
  const Structure structure(problem.program);
  HermiteTables tables;
  Buffers buffers;
  Runner runner(structure, goals_of(blocks), options, tables, buffers);
  if (!runner.randomized()) {
    const bool some = rows == columns ? asks_for_some(runner.plan()) : asks_for_some(program, rows.front());
    const std::vector<Tile> parts = tiles(program, rows, columns, some);
    if (parts.size() > 1 || (some && rows != columns))
      return by_tiles(program, rows, columns, parts, some, options);
  }
  return compute(runner, blocks, problem.named, options);
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
  std::vector<Index> all(static_cast<std::size_t>(program.outputs()));
  std::iota(all.begin(), all.end(), Index{0});
  const std::vector<netsor::BundleId>& blocks = program.output().blocks;
  const Named named = [&](NodeIndex k) { return std::pair(k, program.name(k)); };
  Limit result = compute({program, blocks, blocks, named}, program, all, all, options);
  result.labels = program.output().labels;
  return result;
}

Limit limit(const netsor::Program& program, const std::vector<Index>& rows, const std::vector<Index>& columns,
            const LimitOptions& options) {
  const netsor::Rectangle rectangle = netsor::restrict_rectangle(program, rows, columns);
  const Problem problem{rectangle.program, rectangle.rows, rectangle.columns,
                        named_by(program, rectangle.sources)};
  Limit result = compute(problem, program, rows, columns, options);
  const std::vector<std::string>& labels = program.output().labels;
  for (const Index i : rows) result.labels.push_back(labels[static_cast<std::size_t>(i)]);
  for (const Index j : columns) result.columns.push_back(labels[static_cast<std::size_t>(j)]);
  return result;
}

}  // namespace nngpcheck::analytic
