#pragma once

#include <Eigen/Core>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "nngpcheck/analytic/limit.hpp"
#include "nngpcheck/config/experiment.hpp"
#include "nngpcheck/kernels/kernel_part.hpp"

namespace nngpcheck::cli {

/// Inputs of rows that are not those of the columns.
struct RowInputs {
  std::filesystem::path file;
  config::Experiment experiment;  // the same network on them
};

/// The kernel that an experiment of a file asks for, as a whole or in parts.
class KernelTask {
 public:
  /// With `rows` K(rows, columns): the limit is that of one network on both inputs; batch norm sees batches
  /// of each. Errors name the file that they are about.
  KernelTask(const config::Experiment& experiment, std::filesystem::path file,
             const std::optional<RowInputs>& rows);

  kernels::Kernel whole(const analytic::LimitOptions& options) const;
  kernels::KernelPart part(support::Part part, const analytic::LimitOptions& options) const;

 private:
  /// What `compute` gives; its errors name file and experiment.
  template <class Compute>
  auto named(const Compute& compute) const;

  std::string name_;
  std::filesystem::path file_;
  nlohmann::ordered_json asked_;
  netsor::Program program_;
  std::vector<Eigen::Index> rows_, columns_;  // outputs; none: the kernel of all of them
  std::vector<std::string> labels_, column_labels_;
};

}  // namespace nngpcheck::cli
