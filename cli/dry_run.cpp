#include "cli/dry_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "cli/watch.hpp"
#include "nngpcheck/compare/runs/run.hpp"

namespace nngpcheck::cli {

namespace {

using Clock = std::chrono::steady_clock;

// Seconds: of a draw whose time counts, and after which no wider networks of an experiment are drawn.
constexpr double long_enough = 0.05, patience = 2;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// The least of three times: others may use the machine.
double seconds_of_draw(const config::Experiment& experiment, const empirical::Sampler& networks,
                       std::int64_t width, std::int64_t count) {
  double least = INFINITY;
  for (int k = 0; k < 3; ++k) {
    const auto start = Clock::now();
    networks.sample(width, experiment.sweep->seed, 0, static_cast<std::uint64_t>(count),
                    [](std::uint64_t, const Eigen::MatrixXd&) {});
    least = std::min(least, seconds_since(start));
  }
  return least;
}

struct Timing {
  double width = 0;
  double per_network = 0;  // seconds
};

/// Times twice as many networks again and again, until they take long enough or there are no more.
Timing measure(const config::Experiment& experiment, const empirical::Sampler& networks, std::int64_t width) {
  const std::int64_t all = experiment.sweep->networks;
  for (std::int64_t count = std::min<std::int64_t>(2, all);; count = std::min(2 * count, all)) {
    const double seconds = seconds_of_draw(experiment, networks, width, count);
    if (seconds > long_enough || count == all)
      return {static_cast<double>(width), seconds / static_cast<double>(count)};
  }
}

/// By the power law through the widest and one at least eight times narrower, between n, as without matrices,
/// and n², as with them.
double extrapolated(const std::vector<Timing>& timings, double width) {
  const Timing& last = timings.back();
  double exponent = 1;
  for (const Timing& narrow : timings) {
    if (8 * narrow.width <= last.width)
      exponent = std::log(last.per_network / narrow.per_network) / std::log(last.width / narrow.width);
  }
  return last.per_network * std::pow(width / last.width, std::clamp(exponent, 1.0, 2.0));
}

double seconds_of(const config::Experiment& experiment, const empirical::Sampler& networks) {
  const auto start = Clock::now();
  std::vector<Timing> timings;
  double result = 0;
  for (const std::int64_t width : experiment.sweep->widths) {
    if (timings.empty() || seconds_since(start) < patience)
      timings.push_back(measure(experiment, networks, width));
    result +=
        extrapolated(timings, static_cast<double>(width)) * static_cast<double>(experiment.sweep->networks);
  }
  return result;
}

std::string bytes_text(double bytes) {
  if (bytes < 1e9) return fmt::format("{:.1f} MB", bytes / 1e6);
  return fmt::format("{:.1f} GB", bytes / 1e9);
}

}  // namespace

MostMemory most_memory(const config::Experiment& experiment, const empirical::Sampler& networks) {
  MostMemory result;
  for (const std::int64_t width : experiment.sweep->widths) {
    const auto plan = networks.plan(width, static_cast<std::uint64_t>(experiment.sweep->networks));
    if (plan.bytes() >= result.plan.bytes()) result = {plan, width};
  }
  return result;
}

void dry_run(const std::vector<config::Experiment>& experiments, const std::vector<Networks>& networks,
             std::int64_t parts) {
  double seconds = 0, disk = 0;
  for (std::size_t e = 0; e < experiments.size(); ++e) {
    const config::Experiment& experiment = experiments[e];
    const MostMemory most = most_memory(experiment, *networks[e]);
    const double time = seconds_of(experiment, *networks[e]) / static_cast<double>(parts);
    const double bytes = compare::disk_bytes(experiment.sweep->widths, experiment.sweep->networks,
                                             std::ssize(experiment.program.output().labels));
    fmt::print("{}: about {} on {} threads; {} of memory, at width {}; {} on disk\n", experiment.name,
               duration_text(time), most.plan.threads, bytes_text(most.plan.bytes()), most.width,
               bytes_text(bytes));
    seconds += time;
    disk += bytes;
  }
  fmt::print("all: about {}, after the analytic kernels; {} on disk. Nothing was drawn or written\n",
             duration_text(seconds), bytes_text(disk));
}

}  // namespace nngpcheck::cli
