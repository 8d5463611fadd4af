#include "compare/run.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>

#include "compare/atomic_file.hpp"
#include "compare/error.hpp"
#include "compare/metrics.hpp"
#include "compare/report.hpp"
#include "compare/sample_log.hpp"

namespace nngpcheck::compare {

namespace {

using nlohmann::ordered_json;
namespace fs = std::filesystem;

const std::string another = "choose another folder, or remove this one";

ordered_json read_json(const fs::path& file) {
  std::ifstream stream(file);
  try {
    return ordered_json::parse(stream);
  } catch (const nlohmann::json::exception&) {
    throw CompareError(file.string() + ": missing or damaged; " + another);
  }
}

/// The first place where two descriptions differ, such as "/0/sweep/networks".
std::string first_difference(const ordered_json& left, const ordered_json& right) {
  return nlohmann::json::diff(nlohmann::json(left), nlohmann::json(right))
      .at(0)
      .at("path")
      .get<std::string>();
}

/// Makes the folder with its run.json, or checks that the one there describes the same run.
void open_folder(const fs::path& folder, const std::vector<Experiment>& experiments,
                 const ordered_json& provenance) {
  ordered_json descriptions = ordered_json::array();
  for (const Experiment& experiment : experiments) descriptions.push_back(experiment.description);
  const fs::path file = folder / "run.json";
  if (fs::exists(file)) {
    const ordered_json there = read_json(file);
    if (!there.contains("experiments"))
      throw CompareError(file.string() + ": missing or damaged; " + another);
    // As unordered JSON: the order of keys means nothing.
    if (nlohmann::json(there["experiments"]) != nlohmann::json(descriptions)) {
      throw CompareError(folder.string() + ": holds another run (they differ in " +
                         first_difference(there["experiments"], descriptions) + "); " + another);
    }
    return;
  }
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw CompareError(folder.string() + ": cannot be made: " + error.message());
  ordered_json contents = {{"experiments", std::move(descriptions)}};
  contents.update(provenance);
  write_file(file, contents.dump(1) + "\n");
}

/// The kernel that the folder's errors refer to: the one recorded there, or else this one, from now on.
Eigen::MatrixXd settle_kernel(const fs::path& folder, const Experiment& experiment) {
  const fs::path file = folder / ("kernel_" + experiment.name + ".json");
  const LabelledKernel& computed = experiment.kernel;
  if (!fs::exists(file)) {
    write_file(file, serialize(computed, KernelFormat::json));
    return computed.kernel;
  }
  const LabelledKernel recorded = kernel_from_json(read_json(file));
  const double rounding = 1e-12 * computed.kernel.cwiseAbs().maxCoeff();
  if (recorded.labels != computed.labels ||
      ((recorded.kernel - computed.kernel).cwiseAbs() - recorded.error_bound - computed.error_bound)
              .maxCoeff() > rounding) {
    throw CompareError(file.string() +
                       ": not the kernel of this experiment (its inputs, or nngpcheck, have " +
                       "changed since); " + another);
  }
  return recorded.kernel;
}

/// Work per network, about: something for every coordinate, and for every instruction.
double cost(std::int64_t width) { return static_cast<double>(width) + 200; }

class Runner {
 public:
  Runner(const std::vector<Experiment>& experiments, SampleLog& log,
         const std::function<void(const Progress&)>& progress)
      : experiments_(experiments), log_(log), progress_(progress) {
    for (const Experiment& experiment : experiments) {
      for (const std::int64_t width : experiment.widths) total_ += cost(width) * double(experiment.networks);
    }
  }

  void sample(std::size_t e, const Eigen::MatrixXd& kernel) {
    const Experiment& experiment = experiments_[e];
    for (std::size_t w = 0; w < experiment.widths.size(); ++w) {
      const std::int64_t width = experiment.widths[w], done = std::ssize(log_.errors(e, w));
      work_ += cost(width) * static_cast<double>(done);
      if (done == experiment.networks) continue;
      experiment.sample(width, static_cast<std::uint64_t>(done),
                        static_cast<std::uint64_t>(experiment.networks - done),
                        [&](std::uint64_t network, const Eigen::MatrixXd& sampled) {
                          log_.append(e, w, relative_squared_error(sampled, kernel));
                          work_ += cost(width);
                          report(experiment, width, static_cast<std::int64_t>(network) + 1);
                        });
    }
  }

 private:
  void report(const Experiment& experiment, std::int64_t width, std::int64_t networks) const {
    if (progress_) progress_({experiment, width, networks, work_ / total_});
  }

  const std::vector<Experiment>& experiments_;
  SampleLog& log_;
  const std::function<void(const Progress&)>& progress_;
  double total_ = 0;
  double work_ = 0;
};

ExperimentSummary summary_of(const Experiment& experiment, const SampleLog& log, std::size_t e) {
  std::vector<std::vector<double>> errors;
  for (std::size_t w = 0; w < experiment.widths.size(); ++w) errors.push_back(log.errors(e, w));
  ExperimentSummary result = compare::summarize(experiment.name, experiment.widths, errors);
  const LabelledKernel& kernel = experiment.kernel;
  result.kernel_method = kernel.method;
  result.kernel_relative_squared_error_bar =
      (kernel.error_bound + kernel.standard_error).squaredNorm() / kernel.kernel.squaredNorm();
  return result;
}

std::vector<Curve> curves_of(const Summary& summary) {
  std::vector<Curve> result;
  for (const ExperimentSummary& experiment : summary.experiments)
    result.push_back({experiment.name, experiment});
  return result;
}

}  // namespace

void check_folder(const fs::path& folder) {
  fs::path existing = fs::absolute(folder);
  while (!fs::exists(existing) && existing.has_relative_path()) existing = existing.parent_path();
  if (!fs::is_directory(existing))
    throw CompareError(existing.string() + ": cannot hold a run: not a folder");
  if (::access(existing.c_str(), W_OK | X_OK) != 0) cannot_write(folder);
  if (!fs::exists(folder) || fs::exists(folder / "run.json")) return;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename() == "run.json.partial") continue;  // a run that was interrupted at once
    throw CompareError(folder.string() + ": holds files, but no run; " + another);
  }
}

RunResult run(const std::vector<Experiment>& experiments, const fs::path& folder,
              const ordered_json& provenance, const std::function<void(const Progress&)>& progress) {
  for (const Experiment& experiment : experiments)
    relative_squared_error(experiment.kernel.kernel, experiment.kernel.kernel);
  check_folder(folder);
  open_folder(folder, experiments, provenance);
  std::vector<LoggedSweep> sweeps;
  for (const Experiment& experiment : experiments) {
    sweeps.push_back({experiment.name, experiment.widths, experiment.networks});
  }
  SampleLog log(folder / "samples.csv", std::move(sweeps));
  std::vector<Eigen::MatrixXd> kernels;
  for (const Experiment& experiment : experiments) kernels.push_back(settle_kernel(folder, experiment));
  Runner runner(experiments, log, progress);
  RunResult result;
  for (std::size_t e = 0; e < experiments.size(); ++e) {
    runner.sample(e, kernels[e]);
    result.summary.experiments.push_back(summary_of(experiments[e], log, e));
  }
  log.sync();
  write_file(folder / "summary.json", to_json(result.summary).dump(1) + "\n");
  Report report{{}, read_json(folder / "run.json")};
  report.provenance.erase("experiments");
  for (std::size_t e = 0; e < experiments.size(); ++e) {
    report.experiments.push_back({.summary = result.summary.experiments[e],
                                  .description = experiments[e].description,
                                  .kernel = experiments[e].kernel,
                                  .plan = experiments[e].plan,
                                  .program = experiments[e].program});
    report.experiments.back().kernel.kernel = kernels[e];
  }
  result.warning = write_report(report, folder);
  return result;
}

std::vector<Curve> curves(const fs::path& folder) {
  const fs::path file = folder / "summary.json";
  if (!fs::exists(file)) {
    throw CompareError(folder.string() +
                       ": no finished run here (no summary.json); give the folder of a run");
  }
  try {
    return curves_of(summary_from_json(read_json(file)));
  } catch (const CompareError& error) {
    throw CompareError(file.string() + ": " + error.what());
  }
}

}  // namespace nngpcheck::compare
