#include "nngpcheck/files/csv.hpp"

#include <algorithm>

#include "nngpcheck/files/number.hpp"
#include "nngpcheck/support/error.hpp"

namespace nngpcheck::files {

namespace {

// A field takes 32 bytes or more.
constexpr std::size_t most_fields = 10'000'000;

/// Reads one field at a time from the front of the text.
class Scanner {
 public:
  Scanner(std::string_view text, const std::string& name, char separator)
      : rest_(text), name_(name), separator_(separator), ends_(std::string("\r\n\"") + separator) {
    if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
    if (separator == ' ') ends_ += '\t';
  }

  /// Goes to the next record that is no comment; false if there is none.
  bool next_record() {
    while (rest_.starts_with('#')) {
      rest_.remove_prefix(std::min(rest_.find_first_of("\r\n"), rest_.size()));
      end_line();
    }
    if (separator_ == ' ') skip_blanks();
    return !rest_.empty();
  }

  int line() const { return line_; }

  std::string field() {
    // "a", "b" has a space before a quote.
    const std::size_t first = rest_.find_first_not_of(' ');
    if (first != std::string_view::npos && rest_[first] == '"') rest_.remove_prefix(first);
    return rest_.starts_with('"') ? quoted() : plain();
  }

  /// Skips what follows a field; true if that is a separator.
  bool separator() {
    if (separator_ == ' ') {
      skip_blanks();
      if (!rest_.empty() && !at_line_end()) return true;
    } else if (rest_.starts_with(separator_)) {
      rest_.remove_prefix(1);
      return true;
    }
    end_line();
    return false;
  }

 private:
  bool at_line_end() const { return rest_.starts_with('\n') || rest_.starts_with('\r'); }

  void skip_blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size())); }

  void end_line() {
    if (rest_.empty()) return;
    rest_.remove_prefix(rest_.starts_with("\r\n") ? 2 : 1);
    ++line_;
  }

  std::string plain() {
    const std::size_t end = std::min(rest_.find_first_of(ends_), rest_.size());
    if (end < rest_.size() && rest_[end] == '"') {
      fail("a quote inside a field; quote the whole field and double the quotes in it");
    }
    std::string result(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return result;
  }

  std::string quoted() {
    std::string result;
    const int start = line_;
    rest_.remove_prefix(1);
    for (;;) {
      const std::size_t end = rest_.find('"');
      if (end == std::string_view::npos) {
        line_ = start;
        fail("a quote that is never closed");
      }
      result += rest_.substr(0, end);
      line_ += static_cast<int>(std::count(rest_.begin(), rest_.begin() + static_cast<long>(end), '\n'));
      rest_.remove_prefix(end + 1);
      if (!rest_.starts_with('"')) break;
      result += '"';
      rest_.remove_prefix(1);
    }
    const bool blank = separator_ == ' ' && rest_.starts_with('\t');
    if (!rest_.empty() && rest_[0] != separator_ && !blank && !at_line_end()) {
      fail("text after a closing quote; double the quotes inside a quoted field");
    }
    return result;
  }

  [[noreturn]] void fail(const std::string& problem) const {
    throw InputError(name_ + ":" + std::to_string(line_) + ": " + problem);
  }

  std::string_view rest_;
  const std::string& name_;
  char separator_;
  std::string ends_;  // what may follow a plain field
  int line_ = 1;
};

/// How many fields each of the first records has; nothing if the text is no CSV with this separator.
std::vector<std::size_t> sizes(std::string_view text, char separator) {
  constexpr std::size_t sample = 50;
  std::vector<std::size_t> result;
  try {
    for (const CsvRecord& record : parse_csv(text, "", separator, sample))
      result.push_back(record.fields.size());
  } catch (const InputError&) {
    result.clear();
  }
  return result;
}

}  // namespace

std::vector<CsvRecord> parse_csv(std::string_view text, const std::string& name, char separator,
                                 std::size_t most_records) {
  std::vector<CsvRecord> records;
  Scanner scanner(text, name, separator);
  std::size_t fields = 0;
  while (records.size() < most_records && scanner.next_record()) {
    CsvRecord record{scanner.line(), {}};
    do {
      record.fields.push_back(scanner.field());
      if (++fields > most_fields) {
        throw InputError(name + ":" + std::to_string(record.line) + ": more than " +
                         std::to_string(most_fields) + " fields; save so many numbers as .npy");
      }
    } while (scanner.separator());
    if (record.fields.size() > 1 || !trimmed(record.fields[0]).empty()) records.push_back(std::move(record));
  }
  return records;
}

char guess_separator(std::string_view text) {
  for (const std::size_t fewer : {0, 1}) {
    for (const char separator : {';', '\t', ',', '|', ' '}) {
      const std::vector<std::size_t> count = sizes(text, separator);
      if (count.empty() || count.front() < 2 || count.front() + fewer != count.back()) continue;
      if (std::all_of(count.begin() + 1, count.end(), [&](std::size_t k) { return k == count.back(); }))
        return separator;
    }
  }
  const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
  for (const char separator : {';', '\t'}) {
    if (line.find(separator) != std::string_view::npos) return separator;
  }
  return ',';
}

}  // namespace nngpcheck::files
