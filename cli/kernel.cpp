#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "cli/chosen.hpp"
#include "cli/commands.hpp"
#include "cli/kernel_task.hpp"
#include "cli/part_of.hpp"
#include "cli/show_result.hpp"
#include "cli/usage_error.hpp"
#include "cli/watch.hpp"
#include "nngpcheck/config/experiment.hpp"
#include "nngpcheck/files/atomic_file.hpp"
#include "nngpcheck/files/utf8.hpp"
#include "nngpcheck/kernels/kernel_file.hpp"

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

std::vector<Experiment> experiments_of(const KernelOptions& options) {
  std::vector<Experiment> read = config::read_experiments(options.file, options.overrides);
  if (options.layers) read = by_layer(read);
  std::vector<Experiment> result = chosen(std::move(read), options.experiment, options.file);
  for (Experiment& experiment : result) {
    if (!options.features) continue;
    if (!experiment.features) throw UsageError("--features is for archives of models, FILE.nngp");
    experiment.program = *experiment.features;
    experiment.resolved["features"] = true;
  }
  return result;
}

std::vector<KernelTask> tasks_of(const std::vector<Experiment>& experiments, const KernelOptions& options) {
  std::vector<Experiment> on_rows;
  if (options.rows)
    on_rows = chosen(config::read_experiments_on(options.file, options.overrides, options.rows),
                     options.experiment, options.file);
  std::vector<KernelTask> result;
  for (std::size_t e = 0; e < experiments.size(); ++e) {
    std::optional<RowInputs> rows;
    if (options.rows) rows = {*options.rows, on_rows[e]};
    result.emplace_back(experiments[e], options.file, rows);
  }
  return result;
}

/// Of all ranks' parts, at rank 0; nothing at the others.
kernels::Kernel gathered(kernels::KernelPart part, const KernelTeam& team) {
  if (team.part.index > 0) {
    team.gather(serialize(part), [](std::int64_t, const std::string&) {});
    return {};
  }
  kernels::PartMerger merger;
  merger.add(std::move(part), "rank 0");
  team.gather("", [&](std::int64_t rank, const std::string& bytes) {
    const std::string name = "rank " + std::to_string(rank);
    std::istringstream stream(bytes);
    merger.add(kernels::read_part(stream, bytes.size(), name), name);
  });
  return merger.take();
}

void write_block(const KernelTask& task, const KernelOptions& options, const analytic::LimitOptions& how) {
  const support::Part part = part_of(*options.block, "--block");
  if (!options.output) throw UsageError("--block writes a part of the kernel; say where to, by -o PART");
  if (const std::string extension = options.output->extension().string();
      extension == ".npy" || extension == ".csv" || extension == ".json")
    throw UsageError(
        fmt::format("-o {}: a part of a kernel is no {} file; name it like {}-{}-of-{}.part, and let merge "
                    "write {}",
                    options.output->string(), extension, options.output->stem().string(), part.index + 1,
                    part.count, options.output->string()));
  files::AtomicFile file(*options.output);
  const kernels::KernelPart made = task.part(part, how);
  file.commit(serialize(made));
  if (made.tiles.empty())
    tell(fmt::format("{}: empty, the kernel is computed in fewer tiles than {}", options.output->string(),
                     part.count));
}

}  // namespace

void kernel(const KernelOptions& options, const KernelTeam& team) {
  const bool first = team.part.index == 0;
  const std::vector<Experiment> experiments = experiments_of(options);
  if (first) tell_doubts(experiments);
  const std::vector<KernelTask> tasks = tasks_of(experiments, options);
  if ((options.output || options.block) && experiments.size() > 1)
    throw UsageError(fmt::format("{} holds several experiments; choose by --experiment one of {}",
                                 options.file.string(), names_of(experiments)));
  Watch watch(first && !options.quiet);
  const auto how = [&](std::size_t e) {
    analytic::LimitOptions result;
    result.threads = team.threads;
    result.progress = watch.progress().named(experiments[e].name);
    return result;
  };
  if (options.block) return write_block(tasks[0], options, how(0));
  const auto kernel_of = [&](std::size_t e) {
    return team.part.count == 1 ? tasks[e].whole(how(e)) : gathered(tasks[e].part(team.part, how(e)), team);
  };
  if (options.output) {
    const kernels::KernelFormat format = kernels::kernel_format(*options.output);
    std::optional<files::AtomicFile> file;
    if (first) file.emplace(*options.output);
    const kernels::Kernel made = kernel_of(0);
    if (first) file->commit(serialize(made, format));
    return;
  }
  for (std::size_t e = 0; e < experiments.size(); ++e) {
    const kernels::Kernel made = kernel_of(e);
    watch.clear();
    if (!first) continue;
    if (experiments.size() > 1) fmt::print("# {}\n", experiments[e].name);
    print_kernel(made);
    std::fflush(stdout);
  }
}

}  // namespace nngpcheck::cli
