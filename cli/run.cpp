#include "nngpcheck/compare/runs/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <memory>
#include <utility>

#include "cli/chosen.hpp"
#include "cli/commands.hpp"
#include "cli/dry_run.hpp"
#include "cli/limit_of.hpp"
#include "cli/networks.hpp"
#include "cli/part_of.hpp"
#include "cli/ranks.hpp"
#include "cli/show_result.hpp"
#include "cli/watch.hpp"
#include "nngpcheck/analytic/law.hpp"
#include "nngpcheck/analytic/limit.hpp"
#include "nngpcheck/compare/runs/network_row.hpp"
#include "nngpcheck/config/experiment.hpp"
#include "nngpcheck/empirical/interpreter/blas.hpp"
#include "nngpcheck/empirical/sampler.hpp"
#include "nngpcheck/netsor/printer.hpp"
#include "nngpcheck/support/error.hpp"
#include "nngpcheck/support/memory.hpp"

namespace nngpcheck::cli {

namespace {

Networks sampler(const config::Experiment& experiment, const RunOptions& options) {
  empirical::SamplerOptions settings;
  settings.device = options.device;
  settings.products = products(options.sampler);
  settings.threads = options.threads;
  settings.memory_budget = options.memory;
  settings.precision = precision(experiment.sweep->precision);
  return std::make_shared<const empirical::Sampler>(experiment.program, settings);
}

std::vector<Networks> samplers(const std::vector<config::Experiment>& experiments,
                               const RunOptions& options) {
  std::vector<Networks> result;
  for (const config::Experiment& experiment : experiments) {
    if (!experiment.sweep) {
      throw InputError(fmt::format("{}: experiment \"{}\" has no [sweep]; add one with widths and networks",
                                   options.file.string(), experiment.name));
    }
    result.push_back(sampler(experiment, options));
  }
  return result;
}

/// Of C, relative: a quarter of what so many networks show of one that is a χ²_1, or better.
double prediction_error(std::int64_t networks) {
  return std::clamp(0.25 * std::sqrt(2 / static_cast<double>(networks)), 0.01, 0.05);
}

double mebibytes(double bytes) { return bytes / (1 << 20); }

// What the widest step of a run takes. Throws unless every width fits.
std::string memory_plan(const config::Experiment& experiment, const empirical::Sampler& networks) {
  const auto [plan, width] = most_memory(experiment, networks);
  return fmt::format(
      "{}: networks take at most {:.1f} MiB, at width {} ({} at once); {:.0f} MiB are allowed\n",
      experiment.name, mebibytes(plan.bytes()), width, plan.batch * static_cast<std::uint64_t>(plan.threads),
      mebibytes(static_cast<double>(networks.options().memory_budget)));
}

std::function<compare::CheckResult()> check_of(const config::Experiment& experiment,
                                               const kernels::Kernel& limit, const RunOptions& options,
                                               const Progress& progress) {
  compare::ProgramCheckOptions settings =
      check_settings(experiment.check, options.sampler, options.threads, options.memory);
  settings.check.progress = progress.named(experiment.name);
  return [program = experiment.program, limit, settings] { return compare::check(program, limit, settings); };
}

std::function<compare::Prediction()> prediction_of(const config::Experiment& experiment,
                                                   const RunOptions& options, const Progress& progress) {
  return [experiment, file = options.file, threads = options.threads, progress]() -> compare::Prediction {
    try {
      const analytic::FiniteWidthLaw law =
          law_of(experiment, file, progress,
                 {.error = prediction_error(experiment.sweep->networks), .bias = false, .threads = threads});
      return compare::predict(law, experiment.sweep->widths, experiment.sweep->networks,
                              compare::watched(law.kernel.rows()));
    } catch (const analytic::LimitError& error) {
      return {.none = error.what()};
    }
  };
}

compare::Experiment prepare(const config::Experiment& experiment, const Networks& networks,
                            const RunOptions& options, const Progress& progress,
                            const std::shared_ptr<std::string>& memory) {
  compare::Experiment result;
  result.name = experiment.name;
  result.description = experiment.resolved;
  // What else decides the bits of a network.
  result.description["sampler"] = options.sampler;
  result.description["device"] = options.device;
  result.widths = experiment.sweep->widths;
  result.networks = experiment.sweep->networks;
  if (experiment.sweep->precision == config::Precision::float32)
    result.precision = compare::Precision::float32;
  result.sample = [networks, memory, seed = experiment.sweep->seed](std::int64_t width, std::uint64_t first,
                                                                    std::uint64_t count,
                                                                    const compare::Sink& sink) {
    fmt::print(stderr, "{}", std::exchange(*memory, ""));  // before the first network
    networks->sample_outputs(width, seed, first, count, sink);
  };
  const analytic::Limit limit = limit_of(experiment, options.file, progress, options.threads);
  result.kernel = limit;
  result.program = netsor::print(experiment.program);
  result.plan = analytic::explain(experiment.program, limit);
  if (options.law) result.predict = prediction_of(experiment, options, progress);
  if (options.check) result.check = check_of(experiment, limit, options, progress);
  return result;
}

nlohmann::ordered_json provenance() {
  nlohmann::ordered_json result = compare::provenance();
  result["versions"]["LibTorch"] = NNGPCHECK_LIBTORCH_VERSION;
  result["versions"]["BLAS"] = empirical::blas_name();
  return result;
}

std::filesystem::path folder_of(const RunOptions& options, compare::Part part) {
  if (options.folder) return *options.folder;
  std::string name = options.file.stem().string();
  if (part.count > 1) name += fmt::format("-shard-{}-of-{}", part.index + 1, part.count);
  return std::filesystem::path("results") / name;
}

/// The machine's processors and memory are divided among its ranks, where nothing else is asked for.
RunOptions divided(RunOptions options, const Ranks& ranks) {
  if (ranks.on_this_machine() == 1) return options;
  if (options.threads == 0) options.threads = ranks.threads();
  if (options.memory == 0)
    options.memory = static_cast<std::size_t>(support::available_memory() / 2 / ranks.on_this_machine());
  return options;
}

/// As a shell takes it.
std::string shell_quoted(const std::string& text) {
  const auto plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) ||
           std::string("_-./=+,:%@").find(c) != std::string::npos;
  };
  if (!text.empty() && std::all_of(text.begin(), text.end(), plain)) return text;
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? "'\\''" : std::string(1, c);
  return result + "'";
}

/// The command that draws the same networks, into its own folder.
std::string command(const RunOptions& options) {
  std::string result = "nngpcheck run " + shell_quoted(options.file.string());
  for (const std::string& change : options.overrides) result += " --set " + shell_quoted(change);
  if (options.layers) result += " --layers";
  if (!options.law) result += " --no-law";
  if (options.sampler != "auto") result += " --sampler " + options.sampler;
  if (options.device != "cpu") result += " --device " + shell_quoted(options.device);
  return result;
}

}  // namespace

void run(const RunOptions& given) {
  const compare::Part part = part_of(given.shard, "--shard");
  const Ranks ranks(part.count == 1);  // a shard is drawn by one process
  const RunOptions options = divided(given, ranks);
  std::vector<config::Experiment> read = config::read_experiments(options.file, options.overrides);
  if (options.layers) read = by_layer(read);
  if (ranks.first()) tell_doubts(read);
  const std::filesystem::path folder = folder_of(options, part);
  if (!options.dry_run) compare::check_folder(folder);
  const std::vector<Networks> networks = samplers(read, options);
  const compare::Team team = ranks.team();
  if (options.dry_run) {
    if (ranks.first()) dry_run(read, networks, part.count * team.size);
    return;
  }
  const auto memory = std::make_shared<std::string>();
  for (std::size_t e = 0; e < read.size(); ++e) *memory += memory_plan(read[e], *networks[e]);
  if (!ranks.first() || options.quiet) memory->clear();
  Watch watch(ranks.first() && !options.quiet);
  std::vector<compare::Experiment> experiments;
  for (std::size_t e = 0; e < read.size(); ++e)
    experiments.push_back(prepare(read[e], networks[e], options, watch.progress(), memory));
  watch.clear();

  compare::RunSettings settings;
  settings.shard = part;
  settings.team = team;
  settings.notice = tell;
  settings.progress = watch.progress();
  nlohmann::ordered_json origin = {{"command", command(given)}};
  origin.update(provenance());
  const compare::RunResult result = compare::run(experiments, folder, origin, settings);
  watch.clear();
  if (!ranks.first()) return;
  if (result.drawn == 0 && result.missing == 0)
    fmt::print(stderr, "{} holds all networks of this run already; none was sampled\n", folder.string());
  show_result(result, folder);
}

}  // namespace nngpcheck::cli
