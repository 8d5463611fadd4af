#include "cli/commands.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>

#include "cli/chosen.hpp"
#include "cli/limit_of.hpp"
#include "cli/usage_error.hpp"
#include "cli/watch.hpp"
#include "nngpcheck/analytic/gaussian/dual.hpp"
#include "nngpcheck/analytic/limit.hpp"
#include "nngpcheck/architectures/registry.hpp"
#include "nngpcheck/compare/runs/run.hpp"
#include "nngpcheck/config/experiment.hpp"
#include "nngpcheck/netsor/printer.hpp"

namespace nngpcheck::cli {

namespace {

using config::Experiment;

void print_options(const std::vector<architectures::OptionInfo>& options) {
  for (const architectures::OptionInfo& option : options) {
    fmt::print("    {:<21} {:<24} {:<9} {}\n", option.name, option.type_text(), option.fallback,
               option.meaning);
  }
}

double number(const std::string& text, const std::string& name) {
  double value = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data() + text.starts_with('+'), last, value);
  if (error != std::errc() || end != last) throw UsageError(name + " = \"" + text + "\" is not a number");
  return value;
}

}  // namespace

void list() {
  fmt::print("Architectures and their options\n");
  for (const architectures::Architecture& architecture : architectures::all()) {
    fmt::print("\n  {} (reads {}): {}\n", architecture.name, architecture.inputs, architecture.summary);
    print_options(architecture.options);
  }
  fmt::print("\nLayers and their options, for layers = [{{type = \"dense\"}}, ...]\n");
  for (const architectures::LayerKind& kind : architectures::layer_kinds()) {
    fmt::print("\n  {}: {}\n", kind.name, kind.summary);
    print_options(kind.options);
    for (const std::string& part : kind.parts) {
      fmt::print("    {:<21} {}\n", part, part == "branches" ? "lists of layers" : "list of layers");
    }
  }
  fmt::print("\nActivations\n\n  {}\n", fmt::join(netsor::Activation::names(), " "));
  fmt::print("\n  In experiment files also any function of x: {{expression = \"x*tanh(x)\", kinks = []}}\n");
}

void show(const ShowOptions& options) {
  std::vector<Experiment> experiments;
  if (std::filesystem::path(options.what).extension() == ".toml" || config::is_program(options.what)) {
    experiments =
        chosen(config::read_experiments(options.what, options.overrides), options.experiment, options.what);
  } else {
    experiments.push_back(config::example_experiment(options.what, options.overrides));
  }
  tell_doubts(experiments);
  if (options.format == ShowFormat::netsor) {
    if (experiments.size() > 1)
      throw UsageError(fmt::format("{} holds several experiments; choose by --experiment one of {}",
                                   options.what, names_of(experiments)));
    fmt::print("{}", netsor::write_text(experiments[0].program));
    return;
  }
  Watch watch(!options.quiet);
  for (const Experiment& experiment : experiments) {
    const std::string text =
        options.plan
            ? analytic::explain(experiment.program, limit_of(experiment, options.what, watch.progress()))
            : netsor::print(experiment.program);
    watch.clear();
    if (experiments.size() > 1) fmt::print("# {}\n", experiment.name);
    if (!experiment.inputs_said.empty()) fmt::print("// {}\n", experiment.inputs_said);
    fmt::print("{}", text);
  }
}

void plot(const PlotOptions& options) {
  std::vector<compare::Curve> curves;
  for (const std::filesystem::path& folder : options.folders) {
    for (compare::Curve& curve : compare::curves(folder)) {
      if (options.folders.size() > 1) curve.label = folder.string() + " " + curve.label;
      curves.push_back(std::move(curve));
    }
  }
  const std::filesystem::path base = options.output                ? *options.output
                                     : options.folders.size() == 1 ? options.folders[0] / "width_error"
                                                                   : "width_error";
  compare::plot(curves, base);
  fmt::print("{0}.svg\n{0}.png\n", base.string());
}

/// A name, or an expression: names have no signs but those of a number.
netsor::Activation read_activation(const std::string& text) {
  const bool sign = text.find_first_of("()*/^+<>?") != std::string::npos;
  return sign || text == "x" ? netsor::Activation::from_expression(text) : netsor::Activation::named(text);
}

void dual(const DualOptions& options) {
  const netsor::Activation activation = read_activation(options.activation);
  const analytic::Estimate estimate =
      analytic::dual(activation, activation,
                     {number(options.variance_u, "A"), number(options.variance_v, "B"),
                      number(options.covariance, "C"), 0, 0});
  fmt::print("{:.17g} ± {:.1e}\n", estimate.value, estimate.bound);
}

std::string version() {
  const auto versions = compare::provenance()["versions"];
  return fmt::format("nngpcheck {} ({}, {}, Eigen {}, Boost {})", versions["nngpcheck"].get<std::string>(),
                     NNGPCHECK_BUILD_TYPE, NNGPCHECK_LIBTORCH_TEXT, versions["Eigen"].get<std::string>(),
                     versions["Boost"].get<std::string>());
}

}  // namespace nngpcheck::cli
