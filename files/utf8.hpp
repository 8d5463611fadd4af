// Texts from files, safe to print.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace nngpcheck::files {

/// The number of bytes at the front of a text that are whole characters in UTF-8; all of them if it is UTF-8.
std::size_t valid_utf8(std::string_view text);

/// The text with every control character, and every byte that is not UTF-8, written as \x1b.
std::string printable(std::string_view text);

/// In quotes and printable, for messages: at most some 40 characters, then "…".
std::string in_quotes(std::string_view text);

}  // namespace nngpcheck::files
