#include "cli/commands.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "cli/block_of.hpp"
#include "cli/chosen.hpp"
#include "cli/limit_of.hpp"
#include "cli/usage_error.hpp"
#include "cli/watch.hpp"
#include "nngpcheck/analytic/gaussian/dual.hpp"
#include "nngpcheck/analytic/limit.hpp"
#include "nngpcheck/architectures/registry.hpp"
#include "nngpcheck/compare/runs/run.hpp"
#include "nngpcheck/config/experiment.hpp"
#include "nngpcheck/files/atomic_file.hpp"
#include "nngpcheck/files/utf8.hpp"
#include "nngpcheck/kernels/kernel_file.hpp"
#include "nngpcheck/netsor/printer.hpp"

namespace nngpcheck::cli {

namespace {

using config::Experiment;

/// At most this many rows and columns are printed to be read.
constexpr Eigen::Index readable = 16;

/// The corner of a kernel, with the names of its rows, and of its columns if there are any.
void print_kernel(const kernels::Kernel& limit) {
  const Eigen::MatrixXd& kernel = limit.value;
  const Eigen::Index rows = std::min(kernel.rows(), readable), columns = std::min(kernel.cols(), readable);
  const auto name = [](const std::vector<std::string>& names, Eigen::Index k) {
    return files::printable(names[static_cast<std::size_t>(k)]);
  };
  std::size_t width = 0;
  for (Eigen::Index i = 0; i < rows; ++i) width = std::max(width, name(limit.labels, i).size());
  if (!limit.columns.empty()) {
    fmt::print("{:<{}}", "", width);
    for (Eigen::Index j = 0; j < columns; ++j) fmt::print(" {:>9}", name(limit.columns, j));
    fmt::print("\n");
  }
  for (Eigen::Index i = 0; i < rows; ++i) {
    fmt::print("{:<{}}", name(limit.labels, i), width);
    for (Eigen::Index j = 0; j < columns; ++j) fmt::print(" {:>9.5g}", kernel(i, j));
    fmt::print("\n");
  }
  if (rows < kernel.rows() || columns < kernel.cols()) {
    fmt::print("... the first {}×{} of {}×{} entries; -o writes them all\n", rows, columns, kernel.rows(),
               kernel.cols());
  }
  fmt::print("method: {}; error bound at most {:.2g}, standard error at most {:.2g}\n", limit.method,
             limit.error_bound.maxCoeff(), limit.standard_error.maxCoeff());
}

void print_options(const std::vector<architectures::OptionInfo>& options) {
  for (const architectures::OptionInfo& option : options) {
    fmt::print("    {:<21} {:<24} {:<9} {}\n", option.name, option.type, option.fallback, option.meaning);
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

void kernel(const KernelOptions& options) {
  std::vector<Experiment> read = config::read_experiments(options.file, options.overrides);
  if (options.layers) read = by_layer(read);
  std::vector<Experiment> experiments = chosen(std::move(read), options.experiment, options.file);
  tell_doubts(experiments);
  for (Experiment& experiment : experiments) {
    if (!options.features) continue;
    if (!experiment.features) throw UsageError("--features is for archives of models, FILE.nngp");
    experiment.program = *experiment.features;
  }
  const std::vector<Experiment> on_rows =
      options.rows ? chosen(config::read_experiments_on(options.file, options.overrides, options.rows),
                            options.experiment, options.file)
                   : std::vector<Experiment>{};
  Watch watch(!options.quiet);
  const auto kernel_of = [&](std::size_t e) -> kernels::Kernel {
    if (options.rows)
      return block_of(on_rows[e], *options.rows, experiments[e], options.file, watch.progress());
    return limit_of(experiments[e], options.file, watch.progress());
  };
  if (!options.output) {
    for (std::size_t e = 0; e < experiments.size(); ++e) {
      const kernels::Kernel made = kernel_of(e);
      watch.clear();
      if (experiments.size() > 1) fmt::print("# {}\n", experiments[e].name);
      print_kernel(made);
      std::fflush(stdout);
    }
    return;
  }
  if (experiments.size() > 1) {
    throw UsageError(fmt::format("{} holds several experiments; choose by --experiment one of {}",
                                 options.file.string(), names_of(experiments)));
  }
  const kernels::KernelFormat format = kernels::kernel_format(*options.output);
  files::AtomicFile file(*options.output);
  file.commit(serialize(kernel_of(0), format));
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
