// Comma-separated values, as RFC 4180 defines them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nngpcheck::config {

/// One record, and the line on which it starts (from 1).
struct CsvRecord {
  int line = 0;
  std::vector<std::string> fields;
};

/// The records of a text. A field in double quotes may hold commas, line breaks and doubled quotes. Lines end
/// in LF or CRLF; empty lines and a byte-order mark are skipped. Throws ConfigError, with `name` as the file,
/// for a quote that is never closed or that stands inside a field, and for more than 10⁷ fields.
std::vector<CsvRecord> parse_csv(std::string_view text, const std::string& name);

}  // namespace nngpcheck::config
