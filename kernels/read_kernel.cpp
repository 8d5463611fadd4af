#include "nngpcheck/kernels/read_kernel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "nngpcheck/files/csv.hpp"
#include "nngpcheck/files/data_file.hpp"
#include "nngpcheck/files/npy.hpp"
#include "nngpcheck/files/number.hpp"
#include "nngpcheck/files/utf8.hpp"
#include "nngpcheck/kernels/kernel_file.hpp"
#include "nngpcheck/support/error.hpp"

namespace nngpcheck::kernels {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Labels = std::vector<std::string>;
namespace fs = std::filesystem;

const std::string json_remedy = "; give {\"kernel\": [[…]], …} as `nngpcheck kernel -o K.json` writes it";
const std::string order = "; rows are the outputs in the order of `nngpcheck kernel`";

/// 0, 1, …, as pandas calls rows and columns without names.
bool count_up(const Labels& names) {
  for (std::size_t k = 0; k < names.size(); ++k) {
    if (names[k] != std::to_string(k)) return false;
  }
  return true;
}

/// Throws if the names are others than expected. If there are more or fewer, the size of the matrix says it
/// better.
void check_labels(const std::string& file, const Labels& given, const Labels& expected) {
  if (given.size() != expected.size() || count_up(given)) return;
  for (std::size_t k = 0; k < given.size(); ++k) {
    if (given[k] == expected[k]) continue;
    const bool permuted = std::is_permutation(given.begin(), given.end(), expected.begin());
    throw InputError(
        fmt::format("{}: row {} is {}, but the experiment's output {} is {}{}{}", file, k + 1,
                    files::in_quotes(given[k]), k + 1, files::in_quotes(expected[k]),
                    permuted ? "; these are the same outputs in another order: reorder them" : "", order));
  }
}

// Numbers m×m, checked against the outputs.
void check_matrix(const std::string& file, const MatrixXd& matrix, const Labels& labels) {
  const auto m = static_cast<Index>(labels.size());
  if (matrix.rows() != m || matrix.cols() != m) {
    throw InputError(fmt::format("{}: {}×{}, but the experiment has {} outputs; give a {}×{} matrix{}", file,
                                 matrix.rows(), matrix.cols(), m, m, m, order));
  }
  for (Index i = 0; i < m; ++i) {
    for (Index j = 0; j < m; ++j) {
      if (std::isfinite(matrix(i, j))) continue;
      throw InputError(fmt::format("{}: row {}, column {} ({}, {}) is {}; every entry must be finite", file,
                                   i + 1, j + 1, labels[static_cast<std::size_t>(i)],
                                   labels[static_cast<std::size_t>(j)], matrix(i, j)));
    }
  }
}

/// Takes the header and the index, if there are any, from the records of a square table.
void take_names(const files::TextFile& file, std::vector<files::CsvRecord>& records, const Labels& labels) {
  if (records.empty()) return;
  Labels names;
  for (const std::string& name : records.front().fields) names.emplace_back(files::trimmed(name));
  const bool header = !files::parse_number<double>(names.front()) ||
                      (names == labels && records.size() > labels.size()) ||
                      (count_up(names) && records.size() == names.size() + 1);
  if (header) records.erase(records.begin());
  const bool index = !records.empty() && records.back().fields.size() == records.size() + 1;
  if (header) {
    if (index && names.size() == records.size() + 1) names.erase(names.begin());
    check_labels(file.name, names, labels);
  }
  if (!index) return;
  names.clear();
  for (files::CsvRecord& record : records) {
    names.emplace_back(files::trimmed(record.fields.front()));
    record.fields.erase(record.fields.begin());
  }
  check_labels(file.name, names, labels);
}

MatrixXd read_text_matrix(const files::TextFile& file, const Labels& labels) {
  const char separator = files::guess_separator(file.text);
  std::vector<files::CsvRecord> records = files::parse_csv(file.text, file.name, separator);
  take_names(file, records, labels);
  const auto columns = records.empty() ? 0 : records.front().fields.size();
  // Before anything is allocated: one long row and many short ones make a huge matrix.
  for (const files::CsvRecord& record : records) {
    if (record.fields.size() == columns) continue;
    throw InputError(fmt::format("{}:{}: {} fields, but {} in the first row; give equally many", file.name,
                                 record.line, record.fields.size(), columns));
  }
  MatrixXd result(std::ssize(records), static_cast<Index>(columns));
  for (std::size_t i = 0; i < records.size(); ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      std::string text = records[i].fields[j];
      if (separator != ',') std::replace(text.begin(), text.end(), ',', '.');  // a decimal comma
      const auto number = files::parse_number<double>(text);
      if (!number) {
        throw InputError(fmt::format("{}:{}: {} is no number", file.name, records[i].line,
                                     files::in_quotes(records[i].fields[j])));
      }
      result(static_cast<Index>(i), static_cast<Index>(j)) = *number;
    }
  }
  return result;
}

Kernel read_json(const files::TextFile& file, const Labels& labels) {
  try {
    Kernel result = kernel_from_json(nlohmann::json::parse(file.text));
    if (!result.labels.empty()) check_labels(file.name, result.labels, labels);
    return result;
  } catch (const nlohmann::json::exception& error) {
    throw InputError(file.name + ": not a kernel: " + files::printable(error.what()) + json_remedy);
  } catch (const InputError& error) {
    throw InputError(file.name + ": " + error.what() + json_remedy);
  }
}

/// Whether all numbers are float32's, exactly or, in a text, as their shortest decimals.
bool is_float32(const MatrixXd& matrix, bool text) {
  const auto is_one = [&](double value) {
    const auto rounded = static_cast<float>(value);
    return rounded == value || (text && files::parse_number<double>(fmt::format("{}", rounded)) == value);
  };
  return std::all_of(matrix.data(), matrix.data() + matrix.size(), is_one);
}

/// A kernel as a file has it, and the epsilon of its type.
struct Read {
  Kernel kernel;
  double epsilon = std::numeric_limits<double>::epsilon();
};

Read read_any(const fs::path& file, const Labels& labels) {
  const auto contents = files::read_data_file(file);
  Read result;
  if (const auto* array = std::get_if<files::ArrayFile>(&contents)) {
    result = {{files::as_matrix(array->array)}, array->array.type().epsilon()};
  } else {
    const files::TextFile& text = std::get<files::TextFile>(contents);
    const std::size_t first = std::min(text.text.find_first_not_of(" \t\r\n"), text.text.size());
    const bool json =
        file.extension() == ".json" || text.text.substr(first, 1) == "{" || text.text.substr(first, 1) == "[";
    result.kernel = json ? read_json(text, labels) : Kernel{read_text_matrix(text, labels)};
  }
  if (is_float32(result.kernel.value, std::holds_alternative<files::TextFile>(contents)))
    result.epsilon = std::max<double>(result.epsilon, std::numeric_limits<float>::epsilon());
  return result;
}

/// The mean of the kernel and its transpose, if they differ by rounding only.
void make_symmetric(Kernel& kernel, double epsilon, const std::string& file, const Labels& labels) {
  const MatrixXd half_difference = (kernel.value - kernel.value.transpose()).cwiseAbs() / 2;
  if (half_difference.maxCoeff() == 0) return;
  const Eigen::VectorXd root = kernel.value.diagonal().cwiseAbs().cwiseSqrt();
  for (Index j = 0; j < kernel.value.cols(); ++j) {
    for (Index i = 0; i < j; ++i) {
      if (2 * half_difference(i, j) <= std::sqrt(epsilon) * root(i) * root(j)) continue;
      throw InputError(
          fmt::format("{}: the kernel is not symmetric: its entry ({}, {}) is {:.10g} and {:.10g} the other "
                      "way round; only "
                      "differences by rounding are accepted, at most {:.1e} of √(K_aa K_bb)",
                      file, files::printable(labels[static_cast<std::size_t>(i)]),
                      files::printable(labels[static_cast<std::size_t>(j)]), kernel.value(i, j),
                      kernel.value(j, i), std::sqrt(epsilon)));
    }
  }
  kernel.value = (kernel.value + kernel.value.transpose()).eval() / 2;
  kernel.error_bound =
      kernel.error_bound.size() == 0 ? half_difference : MatrixXd(kernel.error_bound + half_difference);
}

}  // namespace

Kernel read_kernel(const fs::path& file, const std::optional<fs::path>& standard_error,
                   const Labels& labels) {
  auto [result, epsilon] = read_any(file, labels);
  check_matrix(file.string(), result.value, labels);
  if (standard_error) {
    Kernel bars = read_any(*standard_error, labels).kernel;
    result.standard_error = std::move(bars.value);
    result.repeats = bars.repeats;
  }
  for (const MatrixXd* bars : {&result.standard_error, &result.error_bound}) {
    if (bars->size() == 0) continue;
    const fs::path& from = standard_error && bars == &result.standard_error ? *standard_error : file;
    check_matrix(from.string(), *bars, labels);
    if (bars->minCoeff() < 0)
      throw InputError(from.string() + ": a negative error bar; give absolute values");
  }
  result.labels = labels;
  make_symmetric(result, epsilon, file.string(), labels);
  return result;
}

Kernel given_kernel(MatrixXd value, double epsilon, const std::string& name) {
  if (value.rows() != value.cols())
    throw InputError(fmt::format("{}: {}×{}: it must be square", name, value.rows(), value.cols()));
  Kernel result{std::move(value)};
  Labels labels;
  for (Index i = 0; i < result.value.rows(); ++i) labels.push_back(std::to_string(i));
  check_matrix(name, result.value, labels);
  if (is_float32(result.value, false))
    epsilon = std::max<double>(epsilon, std::numeric_limits<float>::epsilon());
  make_symmetric(result, epsilon, name, labels);
  return result;
}

}  // namespace nngpcheck::kernels
