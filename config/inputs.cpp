#include "config/inputs.hpp"

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <vector>

#include "config/csv.hpp"
#include "config/error.hpp"
#include "config/npy.hpp"
#include "config/number.hpp"
#include "config/text_file.hpp"

namespace nngpcheck::config {

namespace {

using architectures::Inputs;
using Eigen::Index;

const std::string expected_header = "sequence,position,token,x0,x1,... or x0,x1,...";

/// Labels end up in JSON, which takes UTF-8 only.
bool is_utf8(std::string_view text) {
  for (std::size_t k = 0; k < text.size();) {
    const auto lead = static_cast<unsigned char>(text[k]);
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xC2 ? 0
                               : lead < 0xE0 ? 2
                               : lead < 0xF0 ? 3
                               : lead < 0xF5 ? 4
                                             : 0;
    if (length == 0 || length > text.size() - k) return false;
    for (std::size_t i = 1; i < length; ++i) {
      if ((static_cast<unsigned char>(text[k + i]) & 0xC0) != 0x80) return false;
    }
    const auto second = length > 1 ? static_cast<unsigned char>(text[k + 1]) : 0x80;
    const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
    const bool no_character = (lead == 0xED && second > 0x9F) || (lead == 0xF4 && second > 0x8F);
    if (overlong || no_character) return false;
    k += length;
  }
  return true;
}

class Table {
 public:
  explicit Table(const std::filesystem::path& file)
      : name_(file.string()), records_(parse_csv(read_file(file), name_)) {
    if (records_.empty())
      throw ConfigError(name_ + ": empty; it must start with the header " + expected_header);
    read_header();
    if (records_.size() == 1) fail(records_[0], "no rows below the header");
    for (const CsvRecord& record : records_) {
      if (record.fields.size() == records_[0].fields.size()) continue;
      fail(record, std::to_string(record.fields.size()) + " fields where the header has " +
                       std::to_string(records_[0].fields.size()));
    }
  }

  Inputs inputs() const {
    const Index columns = static_cast<Index>(records_.size()) - 1;
    Inputs result;
    result.data.resize(dimension_, columns);
    for (Index j = 0; j < columns; ++j) {
      const CsvRecord& record = records_[static_cast<std::size_t>(j) + 1];
      if (first_ > 0)
        read_token(record, result);
      else
        result.labels.push_back(std::to_string(j));
      for (Index i = 0; i < dimension_; ++i) result.data(i, j) = number(record, i);
    }
    return result;
  }

 private:
  void read_header() {
    const std::vector<std::string>& header = records_[0].fields;
    first_ = trimmed(header[0]) == "sequence" ? 3 : 0;
    const std::vector<std::string> leading = {"sequence", "position", "token"};
    for (std::size_t k = 0; k < header.size(); ++k) {
      const std::string valid = k < first_ ? leading[k] : fmt::format("x{}", k - first_);
      if (trimmed(header[k]) != valid) {
        fail(records_[0], "header column " + std::to_string(k + 1) + " is \"" + header[k] + "\", not \"" +
                              valid + "\"; the header must be " + expected_header);
      }
    }
    if (header.size() <= first_) fail(records_[0], "no column x0; the header must be " + expected_header);
    dimension_ = static_cast<Index>(header.size() - first_);
  }

  /// Adds the token to the lengths and the labels.
  void read_token(const CsvRecord& record, Inputs& inputs) const {
    const auto sequence = parse_number<Index>(record.fields[0]),
               position = parse_number<Index>(record.fields[1]);
    if (!sequence || !position) {
      fail(record, "sequence \"" + record.fields[0] + "\", position \"" + record.fields[1] +
                       "\": both must be integers");
    }
    const auto count = static_cast<Index>(inputs.lengths.size());
    const bool next = *sequence == count && *position == 0;
    const bool goes_on = count > 0 && *sequence == count - 1 && *position == inputs.lengths.back();
    if (!next && !goes_on) {
      const std::string new_one = std::to_string(count) + ":0";
      fail(record, "token " + std::to_string(*sequence) + ":" + std::to_string(*position) + " where only " +
                       (count > 0 ? std::to_string(count - 1) + ":" + std::to_string(inputs.lengths.back()) +
                                        " or " + new_one
                                  : new_one) +
                       " may stand; sequences and their positions count 0, 1, 2, ... in order");
    }
    if (!is_utf8(record.fields[2])) fail(record, "the token is not UTF-8; save the file as UTF-8");
    if (next) inputs.lengths.push_back(0);
    ++inputs.lengths.back();
    inputs.labels.push_back(std::to_string(*sequence) + ":" + std::to_string(*position) + " " +
                            record.fields[2]);
  }

  double number(const CsvRecord& record, Index i) const {
    const std::string& text = record.fields[static_cast<std::size_t>(i) + first_];
    const auto value = parse_number<double>(text);
    const std::string column = "column x" + std::to_string(i) + ": \"" + text + "\" ";
    if (!value) fail(record, column + "is not a number that a double can hold");
    if (!std::isfinite(*value)) fail(record, column + "is not finite");
    return *value;
  }

  [[noreturn]] void fail(const CsvRecord& record, const std::string& problem) const {
    throw ConfigError(name_ + ":" + std::to_string(record.line) + ": " + problem);
  }

  std::string name_;
  std::vector<CsvRecord> records_;  // the header first
  std::size_t first_ = 0;           // the column of x0
  Index dimension_ = 0;
};

Inputs rows_of(const Eigen::MatrixXd& matrix, const std::string& name) {
  Inputs result;
  result.data = matrix.transpose();
  for (Index j = 0; j < result.count(); ++j) {
    result.labels.push_back(std::to_string(j));
    if (!result.data.col(j).allFinite()) {
      throw ConfigError(name + ": row " + std::to_string(j) + " (from 0) holds a number that is not finite");
    }
  }
  return result;
}

}  // namespace

architectures::Inputs read_inputs(const std::filesystem::path& file) {
  if (file.extension() == ".npy") return rows_of(read_npy(file), file.string());
  return Table(file).inputs();
}

}  // namespace nngpcheck::config
