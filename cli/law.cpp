#include "nngpcheck/analytic/law.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/chosen.hpp"
#include "cli/commands.hpp"
#include "cli/limit_of.hpp"
#include "cli/watch.hpp"
#include "nngpcheck/compare/report/law_plot.hpp"
#include "nngpcheck/files/atomic_file.hpp"
#include "nngpcheck/files/utf8.hpp"

namespace nngpcheck::cli {

namespace {

using analytic::FiniteWidthLaw;
using nlohmann::ordered_json;

constexpr double levels[] = {0.05, 0.5, 0.95};

/// Those of the sweep, or some.
std::vector<std::int64_t> widths_of(const config::Experiment& experiment) {
  if (experiment.sweep) return experiment.sweep->widths;
  return {64, 256, 1024, 4096, 16384};
}

void print(const config::Experiment& experiment, const FiniteWidthLaw& law) {
  const analytic::Measured c = law.relative_c(), bias = law.relative_bias();
  const auto inputs = law.kernel.rows(), all = experiment.program.outputs();
  const std::string some = inputs < all ? fmt::format(", {} of its {} inputs", inputs, all) : "";
  fmt::print("{}{}\n", files::printable(experiment.name), some);
  fmt::print("  n E|K^ - K|^2/|K|^2 -> {:.4g} ± {:.2g}\n", c.value, c.standard_error);
  if (law.no_bias.empty()) {
    fmt::print("  n |E K^ - K|/|K|    -> {:.4g} ± {:.2g}\n", bias.value, bias.standard_error);
  } else {
    fmt::print("  n |E K^ - K|/|K|: not known: {}\n", law.no_bias);
  }
  fmt::print("  {:>9} {:>10}  |K^ - K|/|K| of one network: {:>9} {:>9} {:>9}\n", "width", "rms", "5 %",
             "50 %", "95 %");
  for (const std::int64_t width : widths_of(experiment)) {
    const auto n = static_cast<double>(width);
    fmt::print("  {:>9} {:>10.4g} {:>29} {:>9.4g} {:>9.4g} {:>9.4g}\n", width, std::sqrt(c.value / n), "",
               law.quantile(n, levels[0]), law.quantile(n, levels[1]), law.quantile(n, levels[2]));
  }
  fmt::print("  {}\n", law.method);
  if (!law.heavy_tails.empty()) fmt::print("  Note: {}.\n", law.heavy_tails);
}

ordered_json numbers(const config::Experiment& experiment, const FiniteWidthLaw& law) {
  const analytic::Measured c = law.relative_c(), bias = law.relative_bias();
  ordered_json result = {{"name", experiment.name},
                         {"inputs", law.kernel.rows()},
                         {"relative_c", c.value},
                         {"relative_c_standard_error", c.standard_error}};
  if (law.no_bias.empty()) {
    result["relative_bias"] = bias.value;
    result["relative_bias_standard_error"] = bias.standard_error;
  } else {
    result["no_bias"] = law.no_bias;
  }
  if (!law.heavy_tails.empty()) result["heavy_tails"] = law.heavy_tails;
  result["quantiles"] = ordered_json::array();
  for (const std::int64_t width : widths_of(experiment)) {
    ordered_json row = {{"width", width}};
    for (const double level : levels) {
      row[fmt::format("{}", level)] = law.quantile(static_cast<double>(width), level);
    }
    result["quantiles"].push_back(std::move(row));
  }
  return result;
}

/// Both pictures have a name of their own, whichever of them was named.
std::filesystem::path without_extension(std::filesystem::path path) {
  if (path.extension() == ".png" || path.extension() == ".svg") path.replace_extension();
  return path;
}

}  // namespace

void law(const LawOptions& options) {
  const std::vector<config::Experiment> experiments =
      chosen(config::read_experiments(options.file, options.overrides), options.experiment, options.file);
  tell_doubts(experiments);
  std::optional<files::AtomicFile> json;
  if (options.json) json.emplace(*options.json);
  Watch watch(!options.quiet);
  ordered_json all = ordered_json::array();
  std::vector<compare::LawCurve> curves;
  for (const config::Experiment& experiment : experiments) {
    FiniteWidthLaw found = law_of(on_some_inputs(experiment, options.inputs), options.file, watch.progress());
    watch.clear();
    print(experiment, found);
    std::fflush(stdout);
    all.push_back(numbers(experiment, found));
    curves.push_back({experiment.name, widths_of(experiment), std::move(found)});
  }
  if (json) json->commit(ordered_json{{"experiments", std::move(all)}}.dump(1) + "\n");
  if (options.plot) compare::plot_law(curves, without_extension(*options.plot));
}

}  // namespace nngpcheck::cli
