#include "nngpcheck/analytic/limit.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>

#include "nngpcheck/analytic/columns/buffers.hpp"
#include "nngpcheck/analytic/evaluation/randomizations.hpp"
#include "nngpcheck/analytic/evaluation/runner.hpp"
#include "nngpcheck/analytic/gaussian/hermite_series.hpp"
#include "nngpcheck/analytic/paths/conditional_draws.hpp"
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

std::vector<KernelBlock> kernel_blocks(const netsor::Program& program,
                                       const std::vector<netsor::BundleId>& rows,
                                       const std::vector<netsor::BundleId>& columns) {
  double total = 0;
  for (const netsor::BundleId block : rows) total += program.type(block).width.ratio();
  std::vector<KernelBlock> result;
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
int sample(Runner& runner, const std::vector<KernelBlock>& blocks, const LimitOptions& options,
           Limit& limit) {
  const int affordable = runner.affordable_log2_points();
  const auto run = [&](int log2_points) {
    runner.randomize(log2_points);
    limit = runner.assemble(blocks);
    return relative_error(limit);
  };
  // With points that are too few a covariance may be too noisy to draw from it: then four times as many.
  const auto with_enough = [](int& log2_points, int most, const auto& compute) {
    for (;; log2_points = std::min(log2_points + 2, most)) {
      try {
        return compute(log2_points);
      } catch (const IndefiniteCovariance&) {
        if (log2_points >= most) throw;
      }
    }
  };
  int pilot_log2_points = std::min(first_log2_points, affordable);
  with_enough(pilot_log2_points, std::min(default_log2_points, affordable), [&](int p) { runner.pilot(p); });
  if (options.points) {
    const int log2_points = std::countr_zero(static_cast<std::uint64_t>(*options.points));
    runner.check_points(log2_points);
    run(log2_points);
    return log2_points;
  }
  const double tolerance = options.tolerance.value_or(default_tolerance);
  const int most = std::min(options.tolerance ? largest_log2_points : default_log2_points, affordable);
  int log2_points = std::min(first_log2_points, most);
  double error = with_enough(log2_points, most, run);
  while (error > tolerance && log2_points < most) {
    log2_points += std::max(1, static_cast<int>(std::ceil(std::log2(error / tolerance) / assumed_rate)));
    log2_points = std::min(log2_points, most);
    error = with_enough(log2_points, most, run);
  }
  if (options.tolerance && error > tolerance) {
    throw LimitError("limit: with " + std::to_string(options.randomizations) + " randomizations of 2^" +
                     std::to_string(log2_points) + " points the standard error is " +
                     support::shortest(error) + " of √(K_aa K_bb), above the tolerance of " +
                     support::shortest(tolerance) + "; ask for less, or for more randomizations");
  }
  return log2_points;
}

// Of the kernel itself; each of its parts checks its own.
void check_memory(Index rows, Index columns) {
  const double needed = kernels::Mosaic::bytes(rows, columns), available = support::available_memory();
  if (needed >= available)
    throw LimitError("limit: the kernel is " + std::to_string(rows) + " × " + std::to_string(columns) +
                     " numbers; with its errors this takes " + support::bytes_text(needed) + ", and " +
                     support::bytes_text(available) +
                     " are available; use fewer inputs, or compute the kernel in blocks");
}

bool asks_for_some(const Plan& plan) {
  return std::any_of(plan.entries.begin(), plan.entries.end(), [](const Plan::Entry& entry) {
    return entry.step->demand().entries.classes() != nullptr;
  });
}

// A kernel that is to be computed: the user's program at these outputs, and a program of them alone.
struct Problem {
  const netsor::Program& program;
  std::vector<Index> rows, columns;
  const netsor::Program& restricted;
  std::vector<netsor::BundleId> row_blocks, column_blocks;  // of the latter
  Named named;
};

// Takes the tiles of a kernel in their order.
using Take = std::function<void(const Tile& tile, Limit part)>;

Rule most_expensive(const std::vector<PlanStep>& plan) {
  Rule result = Rule::linear;
  for (const PlanStep& step : plan) result = std::max(result, step.rule);
  return result;
}

Limit run_limit(Runner& runner, const std::vector<KernelBlock>& blocks, const Named& named,
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
  limit.method = to_string(most_expensive(limit.plan));
  if ((limit.standard_error.array() > 0).any()) limit.repeats = options.randomizations;
  if (runner.randomized()) {
    limit.method += ", " + std::to_string(options.randomizations) + " randomizations of 2^" +
                    std::to_string(log2_points) + " points";
  }
  return limit;
}

std::vector<Demand> goals_of(const std::vector<KernelBlock>& blocks) {
  std::vector<Demand> result;
  for (const KernelBlock& block : blocks) result.push_back(Demand::moment(block.x, block.y));
  return result;
}

Named named_by(const netsor::Program& program, std::vector<NodeIndex> sources) {
  return [&program, sources = std::move(sources)](NodeIndex k) {
    return std::pair(sources[k], program.name(sources[k]));
  };
}

Limit limit_of_rectangle(const netsor::Rectangle& rectangle, const Named& named, const LimitOptions& options,
                         HermiteTables& tables, Buffers& buffers) {
  const std::vector<KernelBlock> blocks = kernel_blocks(rectangle.program, rectangle.rows, rectangle.columns);
  const Structure structure(rectangle.program);
  Runner runner(structure, goals_of(blocks), options, tables, buffers);
  return run_limit(runner, blocks, named, options);
}

// A tile, where all entries of every layer are computed or a square of which it is a part.
Limit limit_of_tile(const netsor::Program& program, const Tile& tile, bool as_part,
                    const LimitOptions& options, HermiteTables& tables, Buffers& buffers) {
  const auto rectangle = [&](const std::vector<Index>& rows, const std::vector<Index>& columns) {
    const netsor::Rectangle result = netsor::restrict_rectangle(program, rows, columns);
    return limit_of_rectangle(result, named_by(program, result.sources), options, tables, buffers);
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

// The memory of tiles that were computed, for the next ones.
class BufferPool {
 public:
  std::unique_ptr<Buffers> take() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return std::make_unique<Buffers>();
    std::unique_ptr<Buffers> result = std::move(idle_.back());
    idle_.pop_back();
    return result;
  }
  void give_back(std::unique_ptr<Buffers> buffers) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(buffers));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Buffers>> idle_;
};

void by_tiles(const netsor::Program& program, const std::vector<Tile>& tiles, bool as_parts,
              const LimitOptions& options, const Take& take) {
  if (tiles.empty()) return;
  const double fit =
      support::available_memory() / (bytes_per_entry * entries(program, tiles.front(), as_parts));
  const std::size_t threads = std::min(support::threads_asked(options.threads),
                                       static_cast<std::size_t>(std::clamp(fit, 1., double{1 << 20})));
  LimitOptions each = options;
  each.threads = static_cast<int>(std::max<std::size_t>(1, threads / tiles.size()));
  each.progress = options.progress.silent();
  HermiteTables tables;
  BufferPool pool;
  std::mutex mutex;
  std::size_t done = 0;
  std::map<std::size_t, Limit> waiting;  // so that they are taken in their order
  std::size_t next = 0;
  support::in_parallel(tiles.size(), threads, [&](std::size_t t) {
    std::unique_ptr<Buffers> buffers = pool.take();
    Limit part = limit_of_tile(program, tiles[t], as_parts, each, tables, *buffers);
    pool.give_back(std::move(buffers));
    const std::lock_guard lock(mutex);
    ++done;
    waiting.emplace(t, std::move(part));
    for (; !waiting.empty() && waiting.begin()->first == next; ++next)
      take(tiles[next], waiting.extract(waiting.begin()).mapped());
    options.progress.report(static_cast<double>(done) / static_cast<double>(tiles.size()), [&] {
      return "limit, tile " + std::to_string(done) + " of " + std::to_string(tiles.size());
    });
  });
}

// Whether only some entries of layers are computed, for the square kernels of this program.
bool asks_for_some(const netsor::Program& program, Index output) {
  const netsor::Rectangle square = netsor::restrict_rectangle(program, {output}, {output});
  const Structure structure(square.program);
  return asks_for_some(
      make_plan(structure, goals_of(kernel_blocks(square.program, square.rows, square.columns)), false));
}

// Those of the tiles that belong to a part. Neighbours differ in what they take: they go to different parts.
std::vector<Tile> tiles_of(const std::vector<Tile>& tiles, support::Part part) {
  std::vector<Tile> result;
  for (std::int64_t t = part.index; t < std::ssize(tiles); t += part.count)
    result.push_back(tiles[static_cast<std::size_t>(t)]);
  return result;
}

// Computes a part of a kernel.
void solve(const Problem& problem, support::Part part, const LimitOptions& options, const Take& take) {
  check(options);
  const std::vector<KernelBlock> blocks =
      kernel_blocks(problem.restricted, problem.row_blocks, problem.column_blocks);
  const Structure structure(problem.restricted);
  HermiteTables tables;
  Buffers buffers;
  Runner runner(structure, goals_of(blocks), options, tables, buffers);
  const bool symmetric = problem.rows == problem.columns;
  if (!runner.randomized()) {
    const bool some =
        symmetric ? asks_for_some(runner.plan()) : asks_for_some(problem.program, problem.rows.front());
    const std::vector<Tile> all = analytic::tiles(problem.program, problem.rows, problem.columns, some);
    if (all.size() > 1 || (some && !symmetric))
      return by_tiles(problem.program, tiles_of(all, part), some, options, take);
  }
  if (part.index == 0)
    take({problem.rows, problem.columns}, run_limit(runner, blocks, problem.named, options));
}

kernels::KernelTile placed(const Tile& tile, Limit part) {
  const int rank = static_cast<int>(most_expensive(part.plan));
  return {tile.first_row, tile.first_column, std::move(part), rank};
}

Limit solve(const Problem& problem, const LimitOptions& options) {
  const Index rows = std::ssize(problem.rows), columns = std::ssize(problem.columns);
  check_memory(rows, columns);
  kernels::Mosaic mosaic(rows, columns, problem.rows == problem.columns);
  std::vector<PlanStep> plan;
  PlanLines lines;
  solve(problem, {}, options, [&](const Tile& tile, Limit part) {
    if (part.value.rows() == rows && part.value.cols() == columns) {
      plan = part.plan;
    } else {
      lines.add(part.plan);
    }
    mosaic.add(placed(tile, std::move(part)));
  });
  return {mosaic.take(), plan.empty() ? lines.take() : plan};
}

std::vector<kernels::KernelTile> solve_part(const Problem& problem, support::Part part,
                                            const LimitOptions& options) {
  std::vector<kernels::KernelTile> result;
  solve(problem, part, options,
        [&](const Tile& tile, Limit entries) { result.push_back(placed(tile, std::move(entries))); });
  return result;
}

// Calls work(problem) of the whole kernel of a program.
auto with_problem(const netsor::Program& program, const auto& work) {
  std::vector<Index> all(static_cast<std::size_t>(program.outputs()));
  std::iota(all.begin(), all.end(), Index{0});
  const std::vector<netsor::BundleId>& blocks = program.output().blocks;
  const Named named = [&](NodeIndex k) { return std::pair(k, program.name(k)); };
  return work(Problem{program, all, all, program, blocks, blocks, named});
}

// Of a block of it.
auto with_problem(const netsor::Program& program, const std::vector<Index>& rows,
                  const std::vector<Index>& columns, const auto& work) {
  const netsor::Rectangle rectangle = netsor::restrict_rectangle(program, rows, columns);
  return work(Problem{program, rows, columns, rectangle.program, rectangle.rows, rectangle.columns,
                      named_by(program, rectangle.sources)});
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
  Limit result = with_problem(program, [&](const Problem& problem) { return solve(problem, options); });
  result.labels = program.output().labels;
  return result;
}

Limit limit(const netsor::Program& program, const std::vector<Index>& rows, const std::vector<Index>& columns,
            const LimitOptions& options) {
  Limit result =
      with_problem(program, rows, columns, [&](const Problem& problem) { return solve(problem, options); });
  const std::vector<std::string>& labels = program.output().labels;
  for (const Index i : rows) result.labels.push_back(labels[static_cast<std::size_t>(i)]);
  for (const Index j : columns) result.columns.push_back(labels[static_cast<std::size_t>(j)]);
  return result;
}

std::vector<kernels::KernelTile> limit_part(const netsor::Program& program, support::Part part,
                                            const LimitOptions& options) {
  return with_problem(program, [&](const Problem& problem) { return solve_part(problem, part, options); });
}

std::vector<kernels::KernelTile> limit_part(const netsor::Program& program, const std::vector<Index>& rows,
                                            const std::vector<Index>& columns, support::Part part,
                                            const LimitOptions& options) {
  return with_problem(program, rows, columns,
                      [&](const Problem& problem) { return solve_part(problem, part, options); });
}

}  // namespace nngpcheck::analytic
