#include "nngpcheck/compare/runs/run_results.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "nngpcheck/compare/error.hpp"
#include "nngpcheck/compare/report/report.hpp"
#include "nngpcheck/compare/runs/network_row.hpp"
#include "nngpcheck/compare/runs/run_folder.hpp"
#include "nngpcheck/compare/statistics/ladders.hpp"
#include "nngpcheck/compare/verdict/evidence.hpp"
#include "nngpcheck/files/atomic_file.hpp"
#include "nngpcheck/kernels/kernel_file.hpp"

namespace nngpcheck::compare {

namespace {

namespace fs = std::filesystem;

/// samples.csv, written chunk by chunk.
class SampleTable {
 public:
  SampleTable(const ChunkGrid& grid, const fs::path& folder) : grid_(grid), file_(folder / "samples.csv") {
    file_.write(fmt::format("experiment,width,network,{}\n", fmt::join(grid.columns, ",")));
  }

  void add(const Chunk& chunk, const Eigen::MatrixXd& rows) {
    std::string lines;
    for (Eigen::Index i = 0; i < rows.rows(); ++i) {
      lines +=
          fmt::format("{},{},{}", grid_.sweeps[chunk.sweep].experiment, grid_.width(chunk), chunk.first + i);
      for (const double number : rows.row(i)) {
        lines += ',';
        // fmt writes the shortest text that reads back as the same double.
        if (!std::isnan(number)) lines += fmt::to_string(number);
      }
      lines += '\n';
    }
    file_.write(lines);
  }

  void commit() { file_.commit(); }

 private:
  const ChunkGrid& grid_;
  files::AtomicFile file_;
};

/// All samples of one experiment.
struct Collected {
  std::vector<Eigen::MatrixXd> rows;  // for each width, networks × columns
  VectorMoments widest;               // of the kernels
};

/// Chunk by chunk, in the order of the grid.
Collected collect(const ChunkGrid& grid, std::size_t experiment, const SampleIndex& index, SampleTable& table,
                  const Progress& progress) {
  const Sweep& sweep = grid.sweeps[experiment];
  Collected result;
  result.rows.assign(sweep.widths.size(), Eigen::MatrixXd(sweep.networks, std::ssize(grid.columns)));
  for (std::size_t c = 0; c < grid.chunks.size(); ++c) {
    const Chunk& chunk = grid.chunks[c];
    if (chunk.sweep != experiment) continue;
    progress.check();
    const ChunkSamples samples = index.samples(c);
    result.rows[chunk.width].middleRows(chunk.first, chunk.count) = samples.rows;
    table.add(chunk, samples.rows);
    if (chunk.width + 1 == sweep.widths.size()) result.widest.merge(samples.kernels);
  }
  return result;
}

ExperimentSummary summary_of(const Experiment& experiment, const NetworkColumns& columns,
                             const std::vector<Eigen::MatrixXd>& rows) {
  std::vector<std::vector<double>> errors;
  std::vector<OutputSamples> outputs;
  for (std::size_t w = 0; w < rows.size(); ++w) {
    errors.emplace_back(rows[w].col(0).begin(), rows[w].col(0).end());
    outputs.push_back(columns.output_samples(experiment.widths[w], rows[w], experiment.kernel.value.rows()));
  }
  ExperimentSummary result =
      compare::summarize(experiment.name, experiment.widths, errors, experiment.precision);
  const kernels::Kernel& kernel = experiment.kernel;
  result.kernel_method = kernel.method;
  result.gaussianity = gaussianity(outputs, experiment.precision);
  for (const Eigen::Index input : watched(kernel.value.rows()))
    result.watched.push_back(kernel.labels[static_cast<std::size_t>(input)]);
  result.kernel_relative_squared_error_bar =
      (kernel.error_bound + kernel.standard_error).squaredNorm() / kernel.value.squaredNorm();
  return result;
}

/// The mean of an experiment's networks of its widest width.
kernels::Kernel mean_kernel(const VectorMoments& moments, const Experiment& experiment) {
  kernels::Kernel result;
  result.value = symmetric_matrix(moments.mean());
  result.standard_error = symmetric_matrix(moments.standard_error());
  result.error_bound = Eigen::MatrixXd::Zero(result.value.rows(), result.value.cols());
  result.repeats = moments.count();
  result.labels = experiment.kernel.labels;
  result.method = fmt::format("mean of {} networks of width {}", moments.count(), experiment.widths.back());
  return result;
}

std::vector<Curve> curves_of(const Summary& summary) {
  std::vector<Curve> result;
  for (const ExperimentSummary& experiment : summary.experiments)
    result.push_back({experiment.name, experiment});
  return result;
}

/// What is recorded of a check, or what it finds now; nothing if the experiment has none.
std::optional<ReportedVerdict> verdict_of(const Experiment& experiment, const fs::path& folder) {
  const fs::path file = folder / ("check_" + experiment.name + ".json");
  if (!fs::exists(file)) {
    if (!experiment.check) return {};
    const CheckResult result = experiment.check();
    nlohmann::ordered_json record = {{"finding", finding_text(result)}};
    record.update(to_json(result));
    files::write_file(file, record.dump(1) + "\n");
  }
  const nlohmann::ordered_json record = read_json(file);
  return ReportedVerdict{record.value("verdict", ""), record.value("finding", "")};
}

ExperimentReport report_of(const Experiment& experiment, const ExperimentSummary& summary,
                           const kernels::Kernel& widest) {
  return {.summary = summary,
          .description = experiment.description,
          .kernel = experiment.kernel,
          .precision = experiment.precision,
          .widest = widest,
          .plan = experiment.plan,
          .program = experiment.program};
}

}  // namespace

RunResult results(const std::vector<Experiment>& experiments, const ChunkGrid& grid, const fs::path& folder,
                  const Progress& progress) {
  SampleIndex index(grid);
  index.add(folder, [](const std::string&) {});  // damage has been told at the start
  RunResult result;
  Report report;
  result.networks = grid.networks(grid.all());
  result.missing = grid.networks(index.missing());
  if (result.missing > 0) return result;
  const NetworkColumns columns = network_columns(experiments);
  SampleTable table(grid, folder);
  for (std::size_t e = 0; e < experiments.size(); ++e) {
    const Experiment& experiment = experiments[e];
    progress.report({}, [&] { return experiment.name + ", results"; });
    const Collected samples = collect(grid, e, index, table, progress);
    const VectorMoments& moments = samples.widest;
    result.summary.experiments.push_back(summary_of(experiment, columns, samples.rows));
    result.summary.experiments.back().predicted = recorded_prediction(folder, experiment);
    result.widest.push_back(mean_kernel(moments, experiment));
    files::write_file(folder / ("empirical_" + experiment.name + ".json"),
                      kernels::serialize(result.widest.back(), kernels::KernelFormat::json));
    report.experiments.push_back(
        report_of(experiment, result.summary.experiments.back(), result.widest.back()));
    const auto verdict = report.experiments.back().verdict = verdict_of(experiment, folder);
    result.verdicts.push_back(verdict ? verdict->verdict + ": " + verdict->finding : "");
  }
  table.commit();
  files::write_file(folder / "summary.json", to_json(result.summary).dump(1) + "\n");
  report.provenance = recorded_provenance(folder);
  result.warning = write_report(report, folder);
  return result;
}

Summary recorded_summary(const fs::path& folder) {
  const fs::path file = folder / "summary.json";
  if (!fs::exists(file)) {
    throw CompareError(folder.string() +
                       ": no finished run here (no summary.json); give the folder of a run");
  }
  try {
    return summary_from_json(read_json(file));
  } catch (const Error& error) {
    throw CompareError(file.string() + ": " + error.what());
  }
}

std::vector<Curve> curves(const fs::path& folder) { return curves_of(recorded_summary(folder)); }

}  // namespace nngpcheck::compare
