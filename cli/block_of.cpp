#include "cli/block_of.hpp"

#include <numeric>

#include "nngpcheck/analytic/limit.hpp"
#include "nngpcheck/architectures/options.hpp"
#include "nngpcheck/inputs/joined_inputs.hpp"
#include "nngpcheck/support/error.hpp"

namespace nngpcheck::cli {

namespace {

/// `count` outputs from number `first` on.
std::vector<Eigen::Index> outputs(std::size_t first, std::size_t count) {
  std::vector<Eigen::Index> result(count);
  std::iota(result.begin(), result.end(), static_cast<Eigen::Index>(first));
  return result;
}

inputs::Inputs both(const config::Experiment& rows, const std::filesystem::path& rows_file,
                    const config::Experiment& columns) {
  try {
    return inputs::joined(rows.inputs, columns.inputs);
  } catch (const InputError& error) {
    throw InputError(rows_file.string() + ": " + error.what());
  }
}

}  // namespace

kernels::Kernel block_of(const config::Experiment& rows, const std::filesystem::path& rows_file,
                         const config::Experiment& columns, const std::filesystem::path& file,
                         const Progress& progress) {
  const netsor::Program program = architectures::program(columns.network, both(rows, rows_file, columns));
  const std::vector<std::string>& row_labels = rows.program.output().labels;
  const std::vector<std::string>& column_labels = columns.program.output().labels;
  analytic::LimitOptions options;
  options.progress = progress.named(columns.name);
  try {
    kernels::Kernel result = analytic::limit(program, outputs(0, row_labels.size()),
                                             outputs(row_labels.size(), column_labels.size()), options);
    result.labels = row_labels;  // as in their own files
    result.columns = column_labels;
    return result;
  } catch (const analytic::LimitError& error) {
    throw analytic::LimitError(file.string() + ": " + columns.name + ": " + error.what());
  }
}

}  // namespace nngpcheck::cli
