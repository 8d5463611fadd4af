// CPU seconds per network of the dense and the exact sampler, side by side, on one thread in float64, for the
// architectures of a TOML file; and the exponents of the exact sampler's cost from width 2^12. Prints the
// table of docs/performance.md.
//
//   sampler_times [--from 8] [--exact 20] [--dense 13] [--only NAME]        (powers of 2)
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <ctime>
#include <map>
#include <optional>

#include "nngpcheck/config/experiment.hpp"
#include "nngpcheck/empirical/sampler.hpp"

namespace nngpcheck {
namespace {

using empirical::Products;

constexpr double seconds_measured = 0.5;
constexpr std::size_t memory = std::size_t{16} << 30;

double seconds(const empirical::Sampler& sampler, std::int64_t width, std::uint64_t networks) {
  const std::clock_t start = std::clock();
  sampler.sample(width, 1, 0, networks, [](std::uint64_t, const Eigen::MatrixXd&) {});
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

// The best of three rounds, each of about `seconds_measured`, and of at least eight networks if they are
// exact: memory is touched for the first time once per round.
double seconds_per_network(const netsor::Program& program, Products products, std::int64_t width) {
  const empirical::Sampler sampler(program, {.products = products, .threads = 1, .memory_budget = memory});
  seconds(sampler, 64, 1);  // LibTorch's start-up
  const double first = seconds(sampler, width, 2) / 2;
  const auto networks = static_cast<std::uint64_t>(
      std::clamp(seconds_measured / first, products == Products::exact ? 8.0 : 2.0, 1e5));
  double best = first;
  for (int round = 0; round < (first > 1 ? 1 : 3); ++round)
    best = std::min(best, seconds(sampler, width, networks) / static_cast<double>(networks));
  return best;
}

// Least squares of log seconds on log width.
double exponent(const std::map<std::int64_t, double>& times) {
  double n = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (const auto& [width, time] : times) {
    const double u = std::log(static_cast<double>(width)), v = std::log(time);
    n += 1, x += u, y += v, xx += u * u, xy += u * v;
  }
  return (n * xy - x * y) / (n * xx - x * x);
}

void measure(const config::Experiment& experiment, int smallest, int largest_dense, int largest_exact) {
  std::map<std::int64_t, double> wide;
  for (int power = smallest; power <= largest_exact; power += power < 13 ? 1 : power == 13 ? 3 : 2) {
    const std::int64_t width = std::int64_t{1} << power;
    const double exact = seconds_per_network(experiment.program, Products::exact, width);
    if (power >= 12) wide[width] = exact;
    std::string dense = "–", ratio = "–";
    if (power <= largest_dense) {
      const double time = seconds_per_network(experiment.program, Products::dense, width);
      dense = fmt::format("{:.3g}", 1 / time);
      ratio = fmt::format("{:.1f}", time / exact);
    }
    const empirical::Sampler sampler(experiment.program, {.products = Products::exact, .threads = 1});
    fmt::print("| {} | 2^{} | {} | {:.3g} | {:.3g} | {} | {:.2f} |\n", experiment.name, power, dense,
               1 / exact, exact, ratio, sampler.foreseen_seconds()(width, 1) / exact);
    std::fflush(stdout);
  }
  if (wide.size() > 1) fmt::print("| {} | exponent | | | {:.3f} | | |\n", experiment.name, exponent(wide));
}

}  // namespace
}  // namespace nngpcheck

int main(int argc, char** argv) {
  CLI::App app;
  int smallest = 8, exact = 20, dense = 13;
  std::string only;
  app.add_option("--exact", exact, "log2 of the largest width, exact");
  app.add_option("--dense", dense, "log2 of the largest width, dense");
  app.add_option("--from", smallest, "log2 of the smallest width");
  app.add_option("--only", only, "one architecture");
  CLI11_PARSE(app, argc, argv);
  fmt::print(
      "| architecture | width | dense, networks/s | exact, networks/s | exact, s | dense/exact | "
      "foreseen/exact |\n");
  fmt::print("|---|---|---|---|---|---|---|\n");
  for (const auto& experiment : nngpcheck::config::read_experiments(NNGPCHECK_ARCHITECTURES)) {
    if (only.empty() || experiment.name == only) nngpcheck::measure(experiment, smallest, dense, exact);
  }
}
