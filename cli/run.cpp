#include "compare/run.hpp"

#include <fmt/format.h>

#include <memory>

#include "cli/commands.hpp"
#include "cli/limit_of.hpp"
#include "cli/progress.hpp"
#include "config/error.hpp"
#include "config/experiment.hpp"
#include "empirical/blas.hpp"
#include "empirical/sampler.hpp"

namespace nngpcheck::cli {

namespace {

compare::Sampler sampler(const config::Experiment& experiment, const RunOptions& options) {
  empirical::SamplerOptions settings;
  settings.device = options.device;
  if (options.sampler == "exact") settings.products = empirical::Products::exact;
  if (options.sampler == "auto") settings.products = empirical::Products::automatic;
  settings.threads = options.threads;
  settings.precision = experiment.sweep->precision == config::Precision::float32
                           ? empirical::Precision::float32
                           : empirical::Precision::float64;
  const auto networks = std::make_shared<const empirical::Sampler>(experiment.program, settings);
  return [networks, seed = experiment.sweep->seed](std::int64_t width, std::uint64_t first,
                                                   std::uint64_t count, const compare::Sink& sink) {
    networks->sample(width, seed, first, count, sink);
  };
}

compare::Experiment prepare(const config::Experiment& experiment, const RunOptions& options) {
  if (!experiment.sweep) {
    throw config::ConfigError(
        fmt::format("{}: experiment \"{}\" has no [sweep]; add one with widths and networks",
                    options.file.string(), experiment.name));
  }
  compare::Experiment result;
  result.name = experiment.name;
  result.description = experiment.resolved;
  // What else decides the bits of a network.
  result.description["sampler"] = options.sampler;
  result.description["device"] = options.device;
  result.widths = experiment.sweep->widths;
  result.networks = experiment.sweep->networks;
  result.sample = sampler(experiment, options);
  result.kernel = kernel_of(experiment, options.file, options.threads);
  return result;
}

nlohmann::ordered_json provenance() {
  nlohmann::ordered_json result = compare::provenance();
  result["versions"]["LibTorch"] = NNGPCHECK_LIBTORCH_VERSION;
  return result;
}

}  // namespace

void run(const RunOptions& options) {
  const std::vector<config::Experiment> read = config::read_experiments(options.file, options.overrides);
  const std::filesystem::path folder =
      options.folder ? *options.folder : std::filesystem::path("results") / options.file.stem();
  compare::check_folder(folder);
  std::vector<compare::Experiment> experiments;
  for (const config::Experiment& experiment : read) experiments.push_back(prepare(experiment, options));
  if (const auto warning = empirical::blas_warning()) fmt::print(stderr, "nngpcheck: {}\n", *warning);

  bool sampled = false;
  const compare::RunResult result = [&] {
    ProgressDisplay display;
    return compare::run(experiments, folder, provenance(), [&](const compare::Progress& progress) {
      sampled = true;
      display.show(progress);
    });
  }();
  if (!sampled)
    fmt::print(stderr, "{} holds all networks of this run already; none was sampled\n", folder.string());
  if (!result.warning.empty()) fmt::print(stderr, "nngpcheck: {}\n", result.warning);
  for (const compare::ExperimentSummary& experiment : result.summary.experiments) {
    fmt::print("{}: {}, {} ladders over widths {} to {}\n", experiment.name, rate_text(experiment),
               experiment.widths.front().networks, experiment.widths.front().width,
               experiment.widths.back().width);
  }
  fmt::print("{}: report.md, summary.json, samples.csv{}\n", folder.string(),
             result.warning.empty() ? ", pictures as svg and png" : "");
}

std::string version() {
  const auto versions = provenance()["versions"];
  return fmt::format("nngpcheck {} (LibTorch {}, Eigen {}, Boost {})",
                     versions["nngpcheck"].get<std::string>(), versions["LibTorch"].get<std::string>(),
                     versions["Eigen"].get<std::string>(), versions["Boost"].get<std::string>());
}

}  // namespace nngpcheck::cli
