// Comma-separated values, as RFC 4180 defines them, and what people call so.
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace nngpcheck::files {

/// One record, and the line on which it starts (from 1).
struct CsvRecord {
  int line = 0;
  std::vector<std::string> fields;
};

/// The records of a text, at most that many. A field in double quotes may hold separators, line breaks and
/// doubled quotes. A separator ' ' stands for any number of spaces and tabs. Lines end in LF, CRLF or CR;
/// empty lines, lines that begin with # (numpy.savetxt's headers) and a byte-order mark are skipped. Throws
/// InputError, with `name` as the file, for a quote that is never closed or that stands inside a field, and
/// for more than 10⁷ fields.
std::vector<CsvRecord> parse_csv(std::string_view text, const std::string& name, char separator = ',',
                                 std::size_t most_records = std::numeric_limits<std::size_t>::max());

/// The first of ; tab , | and spaces that makes equally many fields, two or more, of each of the first
/// records (of the first one fewer at most: a header may lack a name for the row names). If none does, the
/// first of ; tab , that the first line holds, or a comma: the text is wrong, or has one column.
char guess_separator(std::string_view text);

}  // namespace nngpcheck::files
