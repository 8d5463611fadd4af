#include "cli/kernel_task.hpp"

#include <numeric>
#include <string_view>

#include "nngpcheck/architectures/options.hpp"
#include "nngpcheck/inputs/joined_inputs.hpp"
#include "nngpcheck/netsor/printer.hpp"
#include "nngpcheck/support/error.hpp"
#include "nngpcheck/support/fingerprint.hpp"

namespace nngpcheck::cli {

namespace {

/// `count` outputs from number `first` on.
std::vector<Eigen::Index> outputs(std::size_t first, std::size_t count) {
  std::vector<Eigen::Index> result(count);
  std::iota(result.begin(), result.end(), static_cast<Eigen::Index>(first));
  return result;
}

netsor::Program program_of(const config::Experiment& experiment, const std::optional<RowInputs>& rows) {
  if (!rows) return experiment.program;
  const auto both = [&] {
    try {
      return inputs::joined(rows->experiment.inputs, experiment.inputs);
    } catch (const InputError& error) {
      throw InputError(rows->file.string() + ": " + error.what());
    }
  };
  return architectures::program(experiment.network, both());
}

/// Of the program with all its numbers, and of the version that computes its kernel.
std::uint64_t fingerprint(const netsor::Program& program) {
  const auto save = [](const std::string&, const Eigen::MatrixXd& matrix) {
    const std::size_t bytes = static_cast<std::size_t>(matrix.size()) * sizeof(double);
    return std::to_string(support::fingerprint({reinterpret_cast<const char*>(matrix.data()), bytes}));
  };
  return support::fingerprint(netsor::write_text(program, save) + NNGPCHECK_VERSION);
}

}  // namespace

KernelTask::KernelTask(const config::Experiment& experiment, std::filesystem::path file,
                       const std::optional<RowInputs>& rows)
    : name_(experiment.name),
      file_(std::move(file)),
      asked_(experiment.resolved),
      program_(program_of(experiment, rows)),
      labels_(experiment.program.output().labels) {
  for (const char* others : {"sweep", "check"}) asked_.erase(others);
  asked_["version"] = NNGPCHECK_VERSION;
  if (!rows) return;
  asked_["rows"] = rows->file.filename().string();
  column_labels_ = std::exchange(labels_, rows->experiment.program.output().labels);
  rows_ = outputs(0, labels_.size());
  columns_ = outputs(labels_.size(), column_labels_.size());
}

template <class Compute>
auto KernelTask::named(const Compute& compute) const {
  try {
    return compute();
  } catch (const analytic::LimitError& error) {
    throw analytic::LimitError(file_.string() + ": " + name_ + ": " + error.what());
  }
}

kernels::Kernel KernelTask::whole(const analytic::LimitOptions& options) const {
  kernels::Kernel result = named([&] {
    return rows_.empty() ? analytic::limit(program_, options)
                         : analytic::limit(program_, rows_, columns_, options);
  });
  result.labels = labels_;  // as in their own files
  result.columns = column_labels_;
  return result;
}

kernels::KernelPart KernelTask::part(support::Part part, const analytic::LimitOptions& options) const {
  std::vector<kernels::KernelTile> tiles = named([&] {
    return rows_.empty() ? analytic::limit_part(program_, part, options)
                         : analytic::limit_part(program_, rows_, columns_, part, options);
  });
  return {asked_, fingerprint(program_), part, labels_, column_labels_, std::move(tiles)};
}

}  // namespace nngpcheck::cli
