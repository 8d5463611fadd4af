#include "nngpcheck/inputs/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "nngpcheck/files/csv.hpp"
#include "nngpcheck/files/number.hpp"
#include "nngpcheck/files/utf8.hpp"
#include "nngpcheck/support/error.hpp"
#include "nngpcheck/support/spelling.hpp"

namespace nngpcheck::inputs {

namespace {

using Eigen::Index;
using Columns = std::vector<std::size_t>;

const std::vector<std::string> token_columns = {"sequence", "position", "token"};

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

/// Printable, and not too long for a message.
std::string shown(std::string_view text) {
  const std::string quotation = files::in_quotes(text);
  return quotation.substr(1, quotation.size() - 2);
}

bool is_missing(std::string_view text) {
  static const std::set<std::string> words = {"", "na", "n/a", "nan", "<na>", "null", "none", "?", "-"};
  return words.contains(lower(files::trimmed(text)));
}

/// The number, with a point or a comma before its decimals; nothing if it is none.
std::optional<double> number(std::string_view text, char decimal) {
  if (decimal == '.') {
    if (const auto value = files::parse_number<double>(text)) return value;
    const std::string word = lower(files::trimmed(text));
    if (word == "true") return 1;
    if (word == "false") return 0;
    return std::nullopt;
  }
  if (text.find('.') != std::string_view::npos) return std::nullopt;
  std::string pointed(text);
  std::replace(pointed.begin(), pointed.end(), ',', '.');
  return number(pointed, '.');
}

/// "1,234,567" or "-12,345.6": digits in threes.
bool has_thousands(std::string_view text) {
  text = files::trimmed(text);
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  text = text.substr(0, text.find('.'));
  std::size_t first = text.find(',');
  if (first == 0 || first > 3 || text.starts_with('0')) return false;
  for (std::size_t k = 0; k < text.size(); ++k) {
    const bool comma = k >= first && (k - first) % 4 == 0;
    if (comma ? text[k] != ',' : text[k] < '0' || text[k] > '9') return false;
  }
  return (text.size() - first) % 4 == 0;
}

/// What a column of numbers may hold, thousands included, which value() refuses.
bool is_number(std::string_view text) {
  return number(text, '.') || number(text, ',') || has_thousands(text);
}

class Parser {
 public:
  Parser(const files::TextFile& file, const TableFormat& format) : name_(file.name), format_(format) {
    std::string_view text = file.text;
    for (Index k = 0; k < format.skip_lines && !text.empty(); ++k) {
      text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
    }
    separator_ = format.separator.value_or(files::guess_separator(text));
    records_ = files::parse_csv(text, name_, separator_);
    for (files::CsvRecord& record : records_) record.line += static_cast<int>(format.skip_lines);
    if (records_.empty()) throw InputError(name_ + ": empty; give rows of numbers");
    make_rectangular();
    find_header();
    if (rows_ == records_.size()) fail(records_.back(), "no rows below the header");
  }

  Table table() {
    if (is_sequences()) return sequences();
    select();
    find_decimal(inputs_);
    return {numbers(inputs_), texts(), {}, said()};
  }

 private:
  const std::string& field(std::size_t row, std::size_t column) const {
    return records_[rows_ + row].fields[column];
  }
  std::size_t count() const { return records_.size() - rows_; }
  std::size_t width() const { return records_.front().fields.size(); }

  template <class Predicate>
  bool all_rows(std::size_t column, const Predicate& holds) const {
    return std::all_of(records_.begin() + static_cast<std::ptrdiff_t>(rows_), records_.end(),
                       [&](const files::CsvRecord& record) {
                         return column < record.fields.size() && holds(record.fields[column]);
                       });
  }

  /// Whether the column holds 0, 1, 2, … or 1, 2, 3, ….
  bool counts_rows(std::size_t column) const {
    const auto start = files::parse_number<std::size_t>(field(0, column));
    if (!start || *start > 1) return false;
    std::size_t next = *start;
    return all_rows(column,
                    [&](const std::string& one) { return files::parse_number<std::size_t>(one) == next++; });
  }

  /// Gives a header that lacks the name of the first column (R) an empty one, and takes away an empty last
  /// column.
  void make_rectangular() {
    std::vector<std::string>& first = records_.front().fields;
    rows_ = 1;
    if (count() > 0 && first.size() + 1 == records_[1].fields.size()) {
      const bool names = all_rows(0, [](const std::string& one) { return !is_number(one); });
      if (all_rows(first.size(), [](const std::string& one) { return files::trimmed(one).empty(); })) {
        first.emplace_back();
      } else if (names || counts_rows(0)) {
        first.insert(first.begin(), "");
      }
    }
    for (const files::CsvRecord& record : records_) {
      if (record.fields.size() == width()) continue;
      fail(record, fmt::format("{} fields where the header has {}", record.fields.size(), width()));
    }
    const auto last_is_empty = [](const files::CsvRecord& record) {
      return files::trimmed(record.fields.back()).empty();
    };
    if (width() > 1 && std::all_of(records_.begin(), records_.end(), last_is_empty)) {
      for (files::CsvRecord& record : records_) record.fields.pop_back();
    }
  }

  void find_header() {
    const bool header = format_.header ? *format_.header : guess_header();
    if (!header) rows_ = 0;
    for (std::size_t column = 0; column < width(); ++column) {
      names_.push_back(header ? std::string(files::trimmed(records_.front().fields[column]))
                              : "column " + std::to_string(column));
    }
  }

  /// Whether the first record is a header. Precondition: rows_ == 1.
  bool guess_header() const {
    const std::vector<std::string>& first = records_.front().fields;
    if (count() == 0) return std::none_of(first.begin(), first.end(), is_number);
    bool counts = true;
    const bool index = files::trimmed(first[0]).empty() && width() > 1;
    for (std::size_t column = 0; column < width(); ++column) {
      const std::string text(files::trimmed(first[column]));
      counts = counts && (index && column == 0 ? true : text == std::to_string(column - index));
      const bool numbers = !all_rows(column, [](const std::string& one) { return !is_number(one); });
      if (numbers && !is_number(text) && !is_missing(text)) return true;
    }
    if (!counts || index) return counts;
    fail(records_.front(),
         "0, 1, … may be a header, as pandas writes it for columns without names, or numbers; write "
         "header = true or header = false");
  }

  bool is_sequences() const {
    return rows_ == 1 && std::equal(token_columns.begin(), token_columns.begin() + 1, names_.begin());
  }

  /// Whether the first column is an index.
  bool has_index() const {
    if (rows_ == 0 || !format_.columns.empty() || width() == 1) return false;
    const std::string name = lower(names_.front());
    if (name.empty()) return true;
    if (name != "index" && name != "id" && name != "unnamed: 0") return false;
    return counts_rows(0);
  }

  Columns find(const std::vector<TableFormat::Column>& given, const std::string& key) const {
    Columns result;
    for (const TableFormat::Column& one : given) {
      const auto* number = std::get_if<Index>(&one);
      result.push_back(number ? find(*number, key) : find(std::get<std::string>(one), key));
    }
    return result;
  }

  std::size_t find(Index number, const std::string& key) const {
    if (number >= 0 && number < static_cast<Index>(width())) return static_cast<std::size_t>(number);
    throw InputError(
        fmt::format("{}: {} names column {}, but they are 0 to {}", name_, key, number, width() - 1));
  }

  std::size_t find(const std::string& text, const std::string& key) const {
    const std::string what = name_ + ": " + key + " names column " + files::in_quotes(text) + ", but ";
    if (rows_ == 0) throw InputError(what + "there is no header; give its number, from 0");
    const auto found = std::find(names_.begin(), names_.end(), text);
    if (found == names_.end()) throw InputError(what + "there is none" + support::advice(text, names_));
    if (std::find(found + 1, names_.end(), text) != names_.end())
      throw InputError(what + "there are several; give its number, from 0");
    return static_cast<std::size_t>(found - names_.begin());
  }

  void select() {
    const Columns chosen = find(format_.columns, "columns"), skipped = find(format_.skip_columns, "skip");
    labels_ = find(format_.labels, "labels");
    const bool index = has_index();
    for (std::size_t column = 0; column < width(); ++column) {
      const auto in = [&](const Columns& list) {
        return std::find(list.begin(), list.end(), column) != list.end();
      };
      if (in(labels_) || in(chosen)) continue;
      const bool text = all_rows(column, [](const std::string& one) { return !is_number(one); });
      const bool empty = all_rows(column, is_missing);  // values that are missing, if it has a name
      if (in(skipped) || (empty && names_[column].empty()) || (index && column == 0 && !text)) {
        left_out_.push_back(column);
      } else if (text && !empty && format_.labels.empty()) {
        labels_.push_back(column);
      } else if (chosen.empty() && (empty || !text)) {
        inputs_.push_back(column);
      } else {
        left_out_.push_back(column);
      }
    }
    if (!chosen.empty()) inputs_ = chosen;
    if (inputs_.empty())
      throw InputError(name_ + ": no column of numbers, which inputs are; the first row begins with " +
                       files::in_quotes(field(0, 0)));
  }

  /// A decimal comma, if a number needs one.
  void find_decimal(const Columns& columns) {
    decimal_ = format_.decimal.value_or('.');
    if (format_.decimal) return;
    bool comma = false, point = false, thousands = true;
    for (const std::size_t column : columns) {
      for (std::size_t row = 0; row < count(); ++row) {
        const std::string& text = field(row, column);
        point = point || text.find('.') != std::string::npos;
        if (text.find(',') == std::string::npos) continue;
        comma = true;
        thousands = thousands && has_thousands(text);
      }
    }
    if (comma && !point && !thousands) decimal_ = ',';
  }

  double value(std::size_t row, std::size_t column) const {
    const std::string& text = field(row, column);
    const auto result = number(text, decimal_);
    if (result && std::isfinite(*result)) return *result;
    const std::string what = "column " + shown(names_[column]) + ": " + files::in_quotes(text);
    const std::string leave = "leave the column out: skip = [" +
                              (rows_ == 1 ? files::in_quotes(names_[column]) : std::to_string(column)) + "]";
    const files::CsvRecord& record = records_[rows_ + row];
    if (result && !std::isnan(*result)) fail(record, what + " is not finite");
    if (result) fail(record, what + " is not finite; fill in what is missing, take the row out, or " + leave);
    if (is_missing(text))
      fail(record, what + " is not a number; fill in what is missing, take the row out, or " + leave);
    if (has_thousands(text))
      fail(record, what +
                       " is not a number; if the comma separates thousands, write the number without; if it "
                       "is a decimal comma, write decimal = \",\"");
    fail(record, what + " is not a number that a double can hold; if it is no input, " + leave);
  }

  files::Array numbers(const Columns& columns) const {
    std::string bytes(count() * columns.size() * sizeof(double), '\0');
    char* to = bytes.data();
    for (std::size_t row = 0; row < count(); ++row) {
      for (const std::size_t column : columns) {
        const double one = value(row, column);
        std::memcpy(to, &one, sizeof one);
        to += sizeof one;
      }
    }
    return files::Array::dense(name_, std::move(bytes), 0, {.order = std::endian::native},
                               {count(), columns.size()});
  }

  std::vector<std::string> texts() const {
    std::vector<std::string> result(labels_.empty() ? 0 : count());
    for (std::size_t row = 0; row < result.size(); ++row) {
      for (const std::size_t column : labels_)
        result[row] += (result[row].empty() ? "" : " ") + field(row, column);
    }
    return result;
  }

  Table sequences() {
    for (std::size_t k = 0; k < std::min(width(), token_columns.size()); ++k) {
      if (names_[k] == token_columns[k]) continue;
      fail(records_.front(), fmt::format("header column {} is {}, not \"{}\"; the header must be "
                                         "sequence,position,token, and then names of inputs",
                                         k + 1, files::in_quotes(names_[k]), token_columns[k]));
    }
    if (width() <= token_columns.size())
      fail(records_.front(), "no column of inputs behind sequence,position,token");
    for (std::size_t column = token_columns.size(); column < width(); ++column) inputs_.push_back(column);
    find_decimal(inputs_);
    Table result{numbers(inputs_), {}, {}, ""};
    for (std::size_t row = 0; row < count(); ++row) read_token(row, result);
    result.said = fmt::format("{} sequences, {}", result.lengths.size(), said());
    return result;
  }

  /// Adds the token to the lengths and the texts.
  void read_token(std::size_t row, Table& table) const {
    const files::CsvRecord& record = records_[rows_ + row];
    const auto sequence = files::parse_number<Index>(field(row, 0)),
               position = files::parse_number<Index>(field(row, 1));
    if (!sequence || !position) {
      fail(record, "sequence " + files::in_quotes(field(row, 0)) + ", position " +
                       files::in_quotes(field(row, 1)) + ": both must be integers");
    }
    const Index begun = std::ssize(table.lengths);
    const bool next = *sequence == begun && *position == 0;
    const bool goes_on = begun > 0 && *sequence == begun - 1 && *position == table.lengths.back();
    if (!next && !goes_on) {
      const std::string new_one = fmt::format("{}:0", begun);
      fail(record,
           fmt::format(
               "token {}:{} where only {} may stand; sequences and their positions count 0, 1, 2, ... in "
               "order",
               *sequence, *position,
               begun > 0 ? fmt::format("{}:{} or {}", begun - 1, table.lengths.back(), new_one) : new_one));
    }
    if (next) table.lengths.push_back(0);
    ++table.lengths.back();
    table.texts.push_back(fmt::format("{}:{} {}", *sequence, *position, field(row, 2)));
  }

  std::string listed(const Columns& columns) const {
    constexpr std::size_t most = 8;
    std::string result;
    for (std::size_t k = 0; k < std::min(columns.size(), most); ++k) {
      const std::string& name = names_[columns[k]];
      result += (k > 0 ? ", " : "") + (name.empty() ? "the index" : shown(name));
    }
    return result + (columns.size() > most ? fmt::format(", … ({} in all)", columns.size()) : "");
  }

  std::string said() const {
    std::string result = fmt::format("{} rows", count());
    if (separator_ != ',')
      result += separator_ == '\t'  ? ", separated by tabs"
                : separator_ == ' ' ? ", separated by spaces"
                                    : fmt::format(", separated by {}", separator_);
    if (decimal_ == ',') result += ", decimal comma";
    result += rows_ == 1 ? ", a header" : ", no header";
    result += "; inputs: " + listed(inputs_);
    if (!labels_.empty()) result += "; labels: " + listed(labels_);
    if (!left_out_.empty()) result += "; left out: " + listed(left_out_);
    return result;
  }

  [[noreturn]] void fail(const files::CsvRecord& record, const std::string& problem) const {
    throw InputError(name_ + ":" + std::to_string(record.line) + ": " + problem);
  }

  const std::string& name_;
  const TableFormat& format_;
  char separator_ = ',';
  char decimal_ = '.';
  std::vector<files::CsvRecord> records_;
  std::size_t rows_ = 0;  // where the rows begin: 1 behind a header
  std::vector<std::string> names_;
  Columns inputs_, labels_, left_out_;
};

}  // namespace

Table parse_table(const files::TextFile& file, const TableFormat& format) {
  return Parser(file, format).table();
}

}  // namespace nngpcheck::inputs
