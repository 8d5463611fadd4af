// Kernels as files.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "analytic/limit.hpp"

namespace nngpcheck::compare {

/// A kernel, its error bars, and what its rows are; and its columns, if they are others.
struct LabelledKernel {
  Eigen::MatrixXd kernel;
  Eigen::MatrixXd standard_error;  // statistical
  Eigen::MatrixXd error_bound;     // deterministic
  std::vector<std::string> labels;
  std::string method;
  std::vector<std::string> column_labels = {};  // of K(rows, columns); empty: m×m, the columns are the rows
};

LabelledKernel labelled(const analytic::Limit& limit, const std::vector<std::string>& labels);

/// {"kernel": [[…]], "stderr": [[…]], "error_bound": [[…]], "labels": […], "method": "…"}, with "rows" and
/// "columns" instead of "labels" for K(rows, columns); numbers read back as the same doubles.
nlohmann::ordered_json to_json(const LabelledKernel& kernel);

/// Throws CompareError unless `json` is as to_json makes it of a kernel m×m.
LabelledKernel kernel_from_json(const nlohmann::json& json);

enum class KernelFormat { json, csv, npy };

/// By the file's extension. Throws CompareError for any other than .json, .csv and .npy.
KernelFormat kernel_format(const std::filesystem::path& file);

/// The contents of a kernel file. csv (17 significant digits, no header) and npy (float64, version 1) hold
/// the kernel alone; csv of K(rows, columns) has the columns' names as a header and the rows' as an index, as
/// pandas does.
std::string serialize(const LabelledKernel& kernel, KernelFormat format);

}  // namespace nngpcheck::compare
