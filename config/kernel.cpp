#include "config/kernel.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "config/csv.hpp"
#include "config/error.hpp"
#include "config/npy.hpp"
#include "config/number.hpp"
#include "config/text_file.hpp"

namespace nngpcheck::config {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Labels = std::vector<std::string>;
namespace fs = std::filesystem;

const std::string order = "; rows are the outputs in the order of `nngpcheck kernel`";

void check_labels(const fs::path& file, const Labels& given, const Labels& expected) {
  for (std::size_t k = 0; k < std::min(given.size(), expected.size()); ++k) {
    if (given[k] == expected[k]) continue;
    throw ConfigError(fmt::format("{}: row {} is \"{}\", but the experiment's output {} is \"{}\"{}",
                                  file.string(), k + 1, given[k], k + 1, expected[k], order));
  }
}

// Numbers m×m, checked against the outputs.
void check_matrix(const fs::path& file, const MatrixXd& matrix, const Labels& labels) {
  const auto m = static_cast<Index>(labels.size());
  if (matrix.rows() != m || matrix.cols() != m) {
    throw ConfigError(fmt::format("{}: {}×{}, but the experiment has {} outputs; give a {}×{} matrix{}",
                                  file.string(), matrix.rows(), matrix.cols(), m, m, m, order));
  }
  for (Index i = 0; i < m; ++i) {
    for (Index j = 0; j < m; ++j) {
      if (std::isfinite(matrix(i, j))) continue;
      throw ConfigError(fmt::format("{}: row {}, column {} ({}, {}) is {}; every entry must be finite",
                                    file.string(), i + 1, j + 1, labels[static_cast<std::size_t>(i)],
                                    labels[static_cast<std::size_t>(j)], matrix(i, j)));
    }
  }
}

MatrixXd read_csv(const fs::path& file, const Labels& labels) {
  std::vector<CsvRecord> records = parse_csv(read_file(file), file.string());
  const auto is_number = [](const std::string& text) { return parse_number<double>(text).has_value(); };
  const bool header =
      !records.empty() && (!is_number(records.front().fields.front()) ||
                           (records.front().fields == labels && records.size() > labels.size()));
  if (header) {
    check_labels(file, records.front().fields, labels);
    records.erase(records.begin());
  }
  const auto columns = records.empty() ? 0 : records.front().fields.size();
  // Before anything is allocated: one long row and many short ones make a huge matrix.
  for (const CsvRecord& record : records) {
    if (record.fields.size() == columns) continue;
    throw ConfigError(fmt::format("{}:{}: {} fields, but {} in the first row; give equally many",
                                  file.string(), record.line, record.fields.size(), columns));
  }
  MatrixXd result(std::ssize(records), static_cast<Index>(columns));
  for (std::size_t i = 0; i < records.size(); ++i) {
    const CsvRecord& record = records[i];
    for (std::size_t j = 0; j < columns; ++j) {
      const auto number = parse_number<double>(record.fields[j]);
      if (!number) {
        throw ConfigError(
            fmt::format("{}:{}: \"{}\" is no number", file.string(), record.line, record.fields[j]));
      }
      result(static_cast<Index>(i), static_cast<Index>(j)) = *number;
    }
  }
  return result;
}

MatrixXd from_rows(const fs::path& file, const nlohmann::json& rows) {
  const auto numbers = rows.get<std::vector<std::vector<double>>>();
  const auto columns = numbers.empty() ? 0 : numbers.front().size();
  for (const std::vector<double>& row : numbers) {
    if (row.size() != columns) throw ConfigError(file.string() + ": the rows of a matrix differ in length");
  }
  MatrixXd result(std::ssize(numbers), static_cast<Index>(columns));
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    result.row(static_cast<Index>(i)) =
        Eigen::Map<const Eigen::RowVectorXd>(numbers[i].data(), result.cols());
  }
  return result;
}

GivenKernel read_json(const fs::path& file, const Labels& labels) {
  GivenKernel result;
  try {
    const auto json = nlohmann::json::parse(read_file(file));
    if (json.is_array()) return {from_rows(file, json)};
    result.value = from_rows(file, json.at("kernel"));
    if (json.contains("labels")) check_labels(file, json["labels"].get<Labels>(), labels);
    if (json.contains("stderr")) result.standard_error = from_rows(file, json["stderr"]);
    if (json.contains("error_bound")) result.error_bound = from_rows(file, json["error_bound"]);
  } catch (const nlohmann::json::exception& error) {
    throw ConfigError(file.string() + ": not a kernel: " + error.what() +
                      "; give {\"kernel\": [[…]], …} as `nngpcheck kernel -o K.json` writes it");
  }
  return result;
}

GivenKernel read_any(const fs::path& file, const Labels& labels) {
  const fs::path extension = file.extension();
  if (extension == ".npy") return {read_npy(file)};
  if (extension == ".csv") return {read_csv(file, labels)};
  if (extension == ".json") return read_json(file, labels);
  throw ConfigError(file.string() + ": a kernel's file must end in .json, .csv or .npy");
}

}  // namespace

GivenKernel read_kernel(const fs::path& file, const std::optional<fs::path>& standard_error,
                        const Labels& labels) {
  GivenKernel result = read_any(file, labels);
  check_matrix(file, result.value, labels);
  if (standard_error) result.standard_error = read_any(*standard_error, labels).value;
  for (const MatrixXd* bars : {&result.standard_error, &result.error_bound}) {
    if (bars->size() == 0) continue;
    const fs::path& from = standard_error && bars == &result.standard_error ? *standard_error : file;
    check_matrix(from, *bars, labels);
    if (bars->minCoeff() < 0)
      throw ConfigError(from.string() + ": a negative error bar; give absolute values");
  }
  return result;
}

}  // namespace nngpcheck::config
