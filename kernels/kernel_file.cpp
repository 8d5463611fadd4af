#include "nngpcheck/kernels/kernel_file.hpp"

#include <fmt/format.h>

#include "nngpcheck/files/npy.hpp"
#include "nngpcheck/files/utf8.hpp"
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

MatrixXd matrix(const nlohmann::json& json) {
  const auto numbers = json.get<std::vector<std::vector<double>>>();
  const std::size_t columns = numbers.empty() ? 0 : numbers.front().size();
  for (const std::vector<double>& row : numbers) {
    if (row.size() != columns) throw InputError("the rows of a matrix differ in length");
  }
  MatrixXd result(std::ssize(numbers), static_cast<Index>(columns));
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    result.row(static_cast<Index>(i)) =
        Eigen::Map<const Eigen::RowVectorXd>(numbers[i].data(), result.cols());
  }
  return result;
}

/// A field of a CSV file.
std::string field(const std::string& text) {
  if (text.find_first_of(",\"\r\n#") == std::string::npos) return text;
  std::string result = "\"";
  for (const char c : text) result += c == '"' ? "\"\"" : std::string(1, c);
  return result + "\"";
}

std::string csv(const Kernel& kernel) {
  const bool named = !kernel.columns.empty();
  std::string result;
  for (const std::string& name : kernel.columns) result += "," + field(name);
  if (named) result += '\n';
  for (Index i = 0; i < kernel.value.rows(); ++i) {
    if (named) result += field(kernel.labels[static_cast<std::size_t>(i)]);
    for (Index j = 0; j < kernel.value.cols(); ++j)
      result += fmt::format("{}{:.17g}", named || j > 0 ? "," : "", kernel.value(i, j));
    result += '\n';
  }
  return result;
}

}  // namespace

ordered_json to_json(const Kernel& kernel) {
  ordered_json result = {{"kernel", rows(kernel.value)}};
  if (kernel.standard_error.size() > 0) result["stderr"] = rows(kernel.standard_error);
  if (kernel.error_bound.size() > 0) result["error_bound"] = rows(kernel.error_bound);
  result["repeats"] = kernel.repeats;
  if (kernel.columns.empty()) {
    result["labels"] = kernel.labels;
  } else {
    result["rows"] = kernel.labels;
    result["columns"] = kernel.columns;
  }
  result["method"] = kernel.method;
  return result;
}

Kernel kernel_from_json(const nlohmann::json& json) {
  try {
    if (json.is_array()) return {matrix(json)};
    Kernel result{matrix(json.at("kernel"))};
    const auto bars = [&](const char* key, MatrixXd& to) {
      if (!json.contains(key)) return;
      to = matrix(json[key]);
      if (to.rows() != result.value.rows() || to.cols() != result.value.cols())
        throw InputError(fmt::format("its {} differs in size from its kernel", key));
    };
    bars("stderr", result.standard_error);
    bars("error_bound", result.error_bound);
    result.repeats = json.value("repeats", std::int64_t{0});
    if (result.repeats < 0 || result.repeats == 1)
      throw InputError(fmt::format(
          "\"repeats\" is {}; give how many values the standard error is of, at least 2, or 0 if it is "
          "known",
          result.repeats));
    result.labels = json.value(json.contains("columns") ? "rows" : "labels", std::vector<std::string>{});
    result.columns = json.value("columns", std::vector<std::string>{});
    if (!result.labels.empty() && std::ssize(result.labels) != result.value.rows())
      throw InputError("its matrices and labels differ in size");
    if (!result.columns.empty() && std::ssize(result.columns) != result.value.cols())
      throw InputError("its matrices and columns differ in size");
    result.method = json.value("method", "");
    return result;
  } catch (const nlohmann::json::exception& error) {
    throw InputError(std::string("not a kernel: ") + files::printable(error.what()));
  }
}

KernelFormat kernel_format(const std::filesystem::path& file) {
  if (file.extension() == ".json") return KernelFormat::json;
  if (file.extension() == ".csv") return KernelFormat::csv;
  if (file.extension() == ".npy") return KernelFormat::npy;
  throw InputError(file.string() + ": a kernel file must end in .json, .csv or .npy");
}

std::string serialize(const Kernel& kernel, KernelFormat format) {
  switch (format) {
    case KernelFormat::csv:
      return csv(kernel);
    case KernelFormat::npy:
      return files::npy_bytes(kernel.value);
    default:
      return to_json(kernel).dump(1) + "\n";
  }
}

}  // namespace nngpcheck::kernels
