#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "cli/chosen.hpp"
#include "cli/commands.hpp"
#include "cli/limit_of.hpp"
#include "cli/usage_error.hpp"
#include "cli/watch.hpp"
#include "nngpcheck/files/utf8.hpp"
#include "nngpcheck/support/memory.hpp"

namespace nngpcheck::cli {

namespace {

/// "1%" or "0.01", above 0 and below `below`.
double share(const std::string& option, const std::string& text, double below) {
  const bool percent = text.ends_with('%');
  const char *first = text.data(), *last = first + text.size() - (percent ? 1 : 0);
  double value = 0;
  const auto [end, error] = std::from_chars(first, last, value);
  if (percent) value /= 100;
  if (error != std::errc() || end != last || !(value > 0 && value < below)) {
    const std::string most = std::isfinite(below) ? fmt::format(" and below {}", below) : "";
    throw UsageError(fmt::format("{} {}: give a share above 0{}, such as 1% or 0.01", option, text, most));
  }
  return value;
}

/// What one network of width n takes, in float64.
struct Cost {
  double bytes = 0, operations = 0;
};

// The products with weights, which is nearly all. Dense: the matrices. Exact: for the k-th column that a
// weight is applied to, k products of vectors, and all columns held.
std::pair<Cost, Cost> costs(const netsor::Program& program, double n) {
  Cost dense, exact;
  std::map<std::uint32_t, double> columns;  // of each weight so far
  for (const netsor::Weight& weight : program.weights()) {
    dense.bytes += 8 * weight.rows.ratio() * weight.columns.ratio() * n * n;
  }
  for (const netsor::Node& node : program.nodes()) {
    const auto* product = std::get_if<netsor::MatMul>(&node.operation);
    if (!product) continue;
    const netsor::Weight& weight = program[product->weight];
    const double rows = weight.rows.ratio() * n, inner = weight.columns.ratio() * n;
    const auto m = static_cast<double>(std::get<netsor::BundleType>(node.type).columns);
    double& before = columns[product->weight.index()];
    dense.operations += 2 * rows * inner * m;
    exact.operations += 2 * (rows + inner) * m * (before + (m + 1) / 2);
    exact.bytes += 8 * (rows + inner) * m;
    before += m;
  }
  dense.bytes += exact.bytes;
  return {dense, exact};
}

void print_cost(const char* name, const Cost& cost) {
  fmt::print("  {:<16} {:>10} a network, {:.2g} operations\n", name, support::bytes_text(cost.bytes),
             cost.operations);
}

}  // namespace

void width(const WidthOptions& options) {
  const double error = share("--error", options.error, std::numeric_limits<double>::infinity());
  std::optional<double> confidence;
  if (options.confidence) confidence = share("--confidence", *options.confidence, 1);
  if (options.entry && !confidence) confidence = 0.95;
  const std::vector<config::Experiment> experiments =
      chosen(config::read_experiments(options.file, options.overrides), options.experiment, options.file);
  tell_doubts(experiments);
  Watch watch(!options.quiet);
  for (const config::Experiment& experiment : experiments) {
    const analytic::FiniteWidthLaw law =
        law_of(on_some_inputs(experiment, options.inputs), options.file, watch.progress(), {.bias = false});
    watch.clear();
    const double n =
        options.entry ? law.width_for_entries(error, *confidence) : law.width_for(error, confidence);
    const double relative_error = law.c.value > 0 ? law.c.standard_error / law.c.value : 0;
    fmt::print("{}: width {:.4g} ± {:.2g} for {} {}{}\n", files::printable(experiment.name), std::ceil(n),
               n * relative_error, options.entry ? "every entry's error below" : "an error of", options.error,
               confidence ? fmt::format(" with a probability of {}", *confidence) : " in root mean square");
    const auto [dense, exact] = costs(experiment.program, n);
    print_cost("dense", dense);
    print_cost("exact sampling", exact);
    std::fflush(stdout);
  }
}

}  // namespace nngpcheck::cli
