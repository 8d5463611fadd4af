// Kernels as files.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "nngpcheck/analytic/limit.hpp"

namespace nngpcheck::kernels {

/// A kernel m×m, its error bars, and what its rows are.
struct LabelledKernel {
  Eigen::MatrixXd kernel;
  Eigen::MatrixXd standard_error;  // statistical
  Eigen::MatrixXd error_bound;     // deterministic
  std::vector<std::string> labels;
  std::string method;
};

LabelledKernel labelled(const analytic::Limit& limit, const std::vector<std::string>& labels);

/// {"kernel": [[…]], "stderr": [[…]], "error_bound": [[…]], "labels": […], "method": "…"}; numbers read back
/// as the same doubles.
nlohmann::ordered_json to_json(const LabelledKernel& kernel);

/// Throws CompareError unless `json` is as to_json makes it.
LabelledKernel kernel_from_json(const nlohmann::json& json);

enum class KernelFormat { json, csv, npy };

/// By the file's extension. Throws CompareError for any other than .json, .csv and .npy.
KernelFormat kernel_format(const std::filesystem::path& file);

/// The contents of a kernel file. csv (17 significant digits, no header) and npy (float64, version 1) hold
/// the kernel alone.
std::string serialize(const LabelledKernel& kernel, KernelFormat format);

}  // namespace nngpcheck::kernels
