#include "config/csv.hpp"

#include <algorithm>

#include "config/error.hpp"

namespace nngpcheck::config {

namespace {

// A field takes 32 bytes or more.
constexpr std::size_t most_fields = 10'000'000;

/// Reads one field at a time from the front of the text.
class Scanner {
 public:
  Scanner(std::string_view text, const std::string& name) : rest_(text), name_(name) {
    if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
  }

  bool done() const { return rest_.empty(); }
  int line() const { return line_; }

  std::string field() { return rest_.starts_with('"') ? quoted() : plain(); }

  /// Skips what follows a field; true if that is a comma.
  bool comma() {
    if (rest_.starts_with(',')) {
      rest_.remove_prefix(1);
      return true;
    }
    if (rest_.starts_with("\r\n")) rest_.remove_prefix(1);
    if (!rest_.empty()) {
      rest_.remove_prefix(1);
      ++line_;
    }
    return false;
  }

 private:
  std::string plain() {
    std::size_t end = std::min(rest_.find_first_of(",\n\""), rest_.size());
    if (end < rest_.size() && rest_[end] == '"') {
      fail("a quote inside a field; quote the whole field and double the quotes in it");
    }
    const bool crlf = end > 0 && rest_[end - 1] == '\r' && (end == rest_.size() || rest_[end] == '\n');
    std::string result(rest_.substr(0, crlf ? end - 1 : end));
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
    if (!rest_.empty() && rest_[0] != ',' && rest_[0] != '\n' && !rest_.starts_with("\r\n")) {
      fail("text after a closing quote; double the quotes inside a quoted field");
    }
    return result;
  }

  [[noreturn]] void fail(const std::string& problem) const {
    throw ConfigError(name_ + ":" + std::to_string(line_) + ": " + problem);
  }

  std::string_view rest_;
  const std::string& name_;
  int line_ = 1;
};

}  // namespace

std::vector<CsvRecord> parse_csv(std::string_view text, const std::string& name) {
  std::vector<CsvRecord> records;
  Scanner scanner(text, name);
  std::size_t fields = 0;
  while (!scanner.done()) {
    CsvRecord record{scanner.line(), {}};
    do {
      record.fields.push_back(scanner.field());
      if (++fields > most_fields) {
        throw ConfigError(name + ":" + std::to_string(record.line) + ": more than " +
                          std::to_string(most_fields) + " fields; save so many numbers as .npy");
      }
    } while (scanner.comma());
    if (record.fields.size() > 1 || !record.fields[0].empty()) records.push_back(std::move(record));
  }
  return records;
}

}  // namespace nngpcheck::config
