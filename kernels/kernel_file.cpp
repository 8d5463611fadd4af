#include "nngpcheck/kernels/kernel_file.hpp"

#include <fmt/format.h>

#include "nngpcheck/support/error.hpp"

namespace nngpcheck::kernels {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using nlohmann::ordered_json;

ordered_json rows(const MatrixXd& matrix) {
  ordered_json result = ordered_json::array();
  for (Index i = 0; i < matrix.rows(); ++i) {
    ordered_json row = ordered_json::array();
    for (Index j = 0; j < matrix.cols(); ++j) row.push_back(matrix(i, j));
    result.push_back(std::move(row));
  }
  return result;
}

MatrixXd matrix(const nlohmann::json& json, Index size) {
  const auto numbers = json.get<std::vector<std::vector<double>>>();
  MatrixXd result(size, size);
  if (std::ssize(numbers) != size) throw InputError("its matrices and labels differ in size");
  for (Index i = 0; i < size; ++i) {
    const std::vector<double>& row = numbers[static_cast<std::size_t>(i)];
    if (std::ssize(row) != size) throw InputError("its matrices and labels differ in size");
    result.row(i) = Eigen::Map<const Eigen::RowVectorXd>(row.data(), size);
  }
  return result;
}

std::string csv(const MatrixXd& matrix) {
  std::string result;
  for (Index i = 0; i < matrix.rows(); ++i) {
    for (Index j = 0; j < matrix.cols(); ++j)
      result += fmt::format("{}{:.17g}", j > 0 ? "," : "", matrix(i, j));
    result += '\n';
  }
  return result;
}

std::string npy(const MatrixXd& matrix) {
  std::string header = fmt::format("{{'descr': '<f8', 'fortran_order': False, 'shape': ({}, {}), }}",
                                   matrix.rows(), matrix.cols());
  const std::size_t before = 10;  // magic, version, length
  header.append(63 - (before + header.size()) % 64, ' ');
  header += '\n';
  std::string result("\x93NUMPY\x01\x00", 8);
  result += static_cast<char>(header.size() % 256);
  result += static_cast<char>(header.size() / 256);
  result += header;
  const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> by_rows = matrix;
  result.append(reinterpret_cast<const char*>(by_rows.data()), static_cast<std::size_t>(by_rows.size()) * 8);
  return result;
}

}  // namespace

LabelledKernel labelled(const analytic::Limit& limit, const std::vector<std::string>& labels) {
  return {limit.kernel, limit.standard_error, limit.error_bound, labels, limit.method};
}

ordered_json to_json(const LabelledKernel& kernel) {
  return {{"kernel", rows(kernel.kernel)},
          {"stderr", rows(kernel.standard_error)},
          {"error_bound", rows(kernel.error_bound)},
          {"labels", kernel.labels},
          {"method", kernel.method}};
}

LabelledKernel kernel_from_json(const nlohmann::json& json) {
  try {
    LabelledKernel result;
    result.labels = json.at("labels").get<std::vector<std::string>>();
    const Index size = std::ssize(result.labels);
    result.kernel = matrix(json.at("kernel"), size);
    result.standard_error = matrix(json.at("stderr"), size);
    result.error_bound = matrix(json.at("error_bound"), size);
    result.method = json.at("method").get<std::string>();
    return result;
  } catch (const nlohmann::json::exception& error) {
    throw InputError(std::string("not a kernel file: ") + error.what());
  }
}

KernelFormat kernel_format(const std::filesystem::path& file) {
  if (file.extension() == ".json") return KernelFormat::json;
  if (file.extension() == ".csv") return KernelFormat::csv;
  if (file.extension() == ".npy") return KernelFormat::npy;
  throw InputError(file.string() + ": a kernel file must end in .json, .csv or .npy");
}

std::string serialize(const LabelledKernel& kernel, KernelFormat format) {
  switch (format) {
    case KernelFormat::csv:
      return csv(kernel.kernel);
    case KernelFormat::npy:
      return npy(kernel.kernel);
    default:
      return to_json(kernel).dump(1) + "\n";
  }
}

}  // namespace nngpcheck::kernels
