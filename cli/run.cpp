#include "compare/run.hpp"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "cli/commands.hpp"
#include "cli/limit_of.hpp"
#include "cli/networks.hpp"
#include "cli/progress.hpp"
#include "config/error.hpp"
#include "config/experiment.hpp"
#include "empirical/blas.hpp"
#include "empirical/sampler.hpp"

namespace nngpcheck::cli {

namespace {

using Networks = std::shared_ptr<const empirical::Sampler>;

Networks sampler(const config::Experiment& experiment, const RunOptions& options) {
  empirical::SamplerOptions settings;
  settings.device = options.device;
  settings.products = products(options.sampler);
  settings.threads = options.threads;
  settings.memory_budget = options.memory;
  settings.precision = precision(experiment.sweep->precision);
  return std::make_shared<const empirical::Sampler>(experiment.program, settings);
}

double mebibytes(double bytes) { return bytes / (1 << 20); }

// What the widest step of a run takes. Throws unless every width fits.
std::string memory_plan(const config::Experiment& experiment, const empirical::Sampler& networks) {
  empirical::MemoryPlan most;
  std::int64_t at = 0;
  for (const std::int64_t width : experiment.sweep->widths) {
    const auto plan = networks.plan(width, static_cast<std::uint64_t>(experiment.sweep->networks));
    if (plan.bytes() < most.bytes()) continue;
    most = plan;
    at = width;
  }
  return fmt::format(
      "{}: networks take at most {:.1f} MiB, at width {} ({} at once); {:.0f} MiB are allowed\n",
      experiment.name, mebibytes(most.bytes()), at, most.batch * static_cast<std::uint64_t>(most.threads),
      mebibytes(static_cast<double>(networks.options().memory_budget)));
}

compare::Experiment prepare(const config::Experiment& experiment, const Networks& networks,
                            const RunOptions& options, const std::shared_ptr<std::string>& memory) {
  compare::Experiment result;
  result.name = experiment.name;
  result.description = experiment.resolved;
  // What else decides the bits of a network.
  result.description["sampler"] = options.sampler;
  result.description["device"] = options.device;
  result.widths = experiment.sweep->widths;
  result.networks = experiment.sweep->networks;
  result.sample = [networks, memory, seed = experiment.sweep->seed](std::int64_t width, std::uint64_t first,
                                                                    std::uint64_t count,
                                                                    const compare::Sink& sink) {
    fmt::print(stderr, "{}", std::exchange(*memory, ""));  // before the first network
    networks->sample(width, seed, first, count, sink);
  };
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
  std::vector<Networks> networks;
  const auto memory = std::make_shared<std::string>();
  for (const config::Experiment& experiment : read) {
    if (!experiment.sweep) {
      throw config::ConfigError(
          fmt::format("{}: experiment \"{}\" has no [sweep]; add one with widths and networks",
                      options.file.string(), experiment.name));
    }
    networks.push_back(sampler(experiment, options));
    *memory += memory_plan(experiment, *networks.back());
  }
  std::vector<compare::Experiment> experiments;
  for (std::size_t e = 0; e < read.size(); ++e)
    experiments.push_back(prepare(read[e], networks[e], options, memory));
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
  return fmt::format("nngpcheck {} ({}, LibTorch {}, {}, Eigen {}, Boost {})",
                     versions["nngpcheck"].get<std::string>(), NNGPCHECK_BUILD_TYPE,
                     versions["LibTorch"].get<std::string>(), empirical::blas_name(),
                     versions["Eigen"].get<std::string>(), versions["Boost"].get<std::string>());
}

}  // namespace nngpcheck::cli
