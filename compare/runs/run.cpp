#include "nngpcheck/compare/runs/run.hpp"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <utility>

#include "nngpcheck/compare/error.hpp"
#include "nngpcheck/compare/runs/network_row.hpp"
#include "nngpcheck/compare/runs/run_folder.hpp"
#include "nngpcheck/compare/runs/run_results.hpp"
#include "nngpcheck/compare/statistics/ladders.hpp"
#include "nngpcheck/compare/statistics/metrics.hpp"
#include "nngpcheck/support/memory.hpp"

namespace nngpcheck::compare {

namespace {

namespace fs = std::filesystem;

/// Work per network, about: something for every coordinate, and for every instruction.
double cost(std::int64_t width) { return static_cast<double>(width) + 200; }

/// Draws chunks into a log.
class Drawing {
 public:
  Drawing(const std::vector<Experiment>& experiments, const ChunkGrid& grid, RecordLog& log,
          const RunSettings& settings)
      : experiments_(experiments),
        columns_(network_columns(experiments)),
        grid_(grid),
        log_(log),
        settings_(settings) {}

  /// These chunks, ascending. False if it was asked to stop before all were drawn.
  bool draw(const std::vector<std::size_t>& chunks) {
    for (const std::size_t c : chunks) {
      const Chunk& chunk = grid_.chunks[c];
      networks_[{chunk.sweep, chunk.width}] += chunk.count;
      total_ += cost(grid_.width(chunk)) * static_cast<double>(chunk.count);
    }
    try {
      for (std::size_t begin = 0, end = 0; begin < chunks.size(); begin = end) {
        end = begin + 1;
        while (end < chunks.size() && neighbours(chunks[end - 1], chunks[end])) ++end;
        draw_neighbours(chunks[begin], chunks[end - 1]);
      }
    } catch (const Stopped&) {
    }
    return recorded_ == chunks.size();
  }

 private:
  bool neighbours(std::size_t left, std::size_t right) const {
    const Chunk &one = grid_.chunks[left], &other = grid_.chunks[right];
    return right == left + 1 && one.sweep == other.sweep && one.width == other.width;
  }

  /// All at once: what the sampler's threads work on may reach over the ends of chunks.
  void draw_neighbours(std::size_t first, std::size_t last) {
    const Chunk &begin = grid_.chunks[first], &end = grid_.chunks[last];
    std::size_t c = first;
    ChunkSamples samples;
    experiments_[begin.sweep].sample(
        grid_.width(begin), static_cast<std::uint64_t>(begin.first),
        static_cast<std::uint64_t>(end.first + end.count - begin.first),
        [&](std::uint64_t network, const Eigen::MatrixXd& kernel, const Eigen::VectorXd& outputs) {
          add(c, samples, network, kernel, outputs);
          if (samples.kernels.count() == grid_.chunks[c].count) {
            log_.append(encode(grid_, c++, samples));
            ++recorded_;
            samples = {};
          }
          settings_.progress.check();
        });
  }

  void add(std::size_t c, ChunkSamples& samples, std::uint64_t network, const Eigen::MatrixXd& kernel,
           const Eigen::VectorXd& outputs) {
    const Chunk& chunk = grid_.chunks[c];
    const Experiment& experiment = experiments_[chunk.sweep];
    const Eigen::RowVectorXd row = columns_.row(kernel, outputs, experiment.kernel.value);
    if (!std::isfinite(row(0))) {
      throw CompareError(
          fmt::format("{}: network {} of width {} is infinitely far from the analytic kernel; "
                      "does the architecture explode?",
                      experiment.name, network, grid_.width(chunk)));
    }
    if (samples.kernels.count() == 0) samples.rows.resize(chunk.count, row.size());
    samples.rows.row(samples.kernels.count()) = row;
    samples.kernels.add(upper_triangle(kernel));
    const std::pair key(chunk.sweep, chunk.width);
    work_ += cost(grid_.width(chunk));
    ++drawn_[key];
    settings_.progress.report(work_ / total_, [&] {
      return fmt::format("{}, width {}, {} of {} networks", experiment.name, grid_.width(chunk), drawn_[key],
                         networks_[key]);
    });
  }

  const std::vector<Experiment>& experiments_;
  const NetworkColumns columns_;
  const ChunkGrid& grid_;
  RecordLog& log_;
  const RunSettings& settings_;
  std::map<std::pair<std::size_t, std::size_t>, std::int64_t> networks_, drawn_;  // by sweep and width
  std::size_t recorded_ = 0;                                                      // chunks
  double total_ = 0;
  double work_ = 0;
};

/// Throws unless what is summarized of each experiment fits: its rows, and what is taken from them.
void check_memory(const std::vector<Experiment>& experiments) {
  const double available = support::available_memory();
  const auto columns = static_cast<double>(network_columns(experiments).names().size());
  for (const Experiment& experiment : experiments) {
    const double rows =
        static_cast<double>(experiment.networks) * static_cast<double>(experiment.widths.size());
    const double needed = 2 * 8 * columns * rows;
    if (needed <= available) continue;
    throw CompareError(fmt::format(
        "{}: the results of {} networks of {} widths take about {} of memory, and {} are available; ask for "
        "fewer networks",
        experiment.name, experiment.networks, experiment.widths.size(), support::bytes_text(needed),
        support::bytes_text(available)));
  }
}

RunResult finished_without_samples(const std::vector<Experiment>& experiments, const fs::path& folder,
                                   const Notice& notice) {
  RunResult result;
  for (const Experiment& experiment : experiments)
    result.networks += experiment.networks * std::ssize(experiment.widths);
  result.summary = recorded_summary(folder);
  notice(folder.string() +
         ": a finished run without its records (no samples/), left as it is; remove it to " +
         "draw its networks anew");
  return result;
}

/// What of the run, or of this shard, is not recorded yet.
std::vector<std::size_t> missing_chunks(const ChunkGrid& grid, const fs::path& folder,
                                        const RunSettings& settings) {
  SampleIndex index(grid);
  index.add(folder, settings.notice);
  std::vector<std::size_t> result = share(grid, grid.all(), settings.shard);
  std::erase_if(result, [&](std::size_t c) { return index.holds(c); });
  if (index.networks() > 0 && !result.empty()) {
    settings.notice(fmt::format("{}: goes on; {} of {} networks are recorded", folder.string(),
                                index.networks(), grid.networks(grid.all())));
  }
  return result;
}

[[noreturn]] void throw_stopped(const ChunkGrid& grid, const fs::path& folder) {
  SampleIndex index(grid);
  index.add(folder, [](const std::string&) {});
  throw Stopped(fmt::format("stopped; {} of {} networks are recorded in {}; the same command goes on",
                            index.networks(), grid.networks(grid.all()), folder.string()));
}

/// This rank's share of the missing chunks, into its log.
void draw_share(const std::vector<Experiment>& experiments, const ChunkGrid& grid,
                const std::vector<std::size_t>& missing, RecordLog& log, const fs::path& folder,
                const RunSettings& settings) {
  const Team& team = settings.team;
  const bool done =
      Drawing(experiments, grid, log, settings).draw(share(grid, missing, {team.rank, team.size}));
  log.sync();
  if (!done) throw_stopped(grid, folder);
}

RunResult lead(const std::vector<Experiment>& given, const ChunkGrid& grid, const fs::path& folder,
               const RunSettings& settings) {
  const Team& team = settings.team;
  const std::vector<Experiment> experiments = settle_kernels(folder, given);
  if (fs::exists(folder / "summary.json") && !has_samples(folder)) {
    team.from_first({});
    team.wait();
    return finished_without_samples(experiments, folder, settings.notice);
  }
  settle_predictions(folder, experiments);
  RecordLog log(log_file(folder, "0"));
  const std::vector<std::size_t> missing = team.from_first(missing_chunks(grid, folder, settings));
  draw_share(experiments, grid, missing, log, folder, settings);
  team.wait();
  try {
    RunResult result = results(experiments, grid, folder, settings.progress);
    result.drawn = grid.networks(missing);
    return result;
  } catch (const Stopped&) {
    throw_stopped(grid, folder);
  }
}

RunResult follow(const std::vector<Experiment>& given, const ChunkGrid& grid, const fs::path& folder,
                 const RunSettings& settings) {
  const Team& team = settings.team;
  if (const std::vector<std::size_t> missing = team.from_first({}); !missing.empty()) {
    RecordLog log(log_file(folder, std::to_string(team.rank)));
    draw_share(settle_kernels(folder, given), grid, missing, log, folder, settings);
  }
  team.wait();
  return {};
}

}  // namespace

RunResult run(const std::vector<Experiment>& experiments, const fs::path& folder,
              const nlohmann::ordered_json& provenance, const RunSettings& settings) {
  for (const Experiment& experiment : experiments)
    relative_squared_error(experiment.kernel.value, experiment.kernel.value);  // throws for zero
  check_memory(experiments);
  const ChunkGrid grid = chunk_grid(experiments);
  if (settings.team.rank > 0) return follow(experiments, grid, folder, settings);
  check_folder(folder);
  open_folder(folder, experiments, provenance);
  return lead(experiments, grid, folder, settings);
}

}  // namespace nngpcheck::compare
