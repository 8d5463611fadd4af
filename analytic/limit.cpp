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
  set_method(limit);
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
    Limit part = limit_of_tile(program, tiles[t], as_parts, each, tables, *buffers);
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
Limit solve(const Problem& problem, const netsor::Program& program, const std::vector<Index>& rows,
            const std::vector<Index>& columns, const LimitOptions& options) {
  check(options);
  const std::vector<KernelBlock> blocks = kernel_blocks(problem.program, problem.rows, problem.columns);
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
  return run_limit(runner, blocks, problem.named, options);
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
  Limit result = solve({program, blocks, blocks, named}, program, all, all, options);
  result.labels = program.output().labels;
  return result;
}

Limit limit(const netsor::Program& program, const std::vector<Index>& rows, const std::vector<Index>& columns,
            const LimitOptions& options) {
  const netsor::Rectangle rectangle = netsor::restrict_rectangle(program, rows, columns);
  const Problem problem{rectangle.program, rectangle.rows, rectangle.columns,
                        named_by(program, rectangle.sources)};
  Limit result = solve(problem, program, rows, columns, options);
  const std::vector<std::string>& labels = program.output().labels;
  for (const Index i : rows) result.labels.push_back(labels[static_cast<std::size_t>(i)]);
  for (const Index j : columns) result.columns.push_back(labels[static_cast<std::size_t>(j)]);
  return result;
}

}  // namespace nngpcheck::analytic
