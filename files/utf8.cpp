#include "nngpcheck/files/utf8.hpp"

#include <fmt/format.h>

namespace nngpcheck::files {

namespace {

constexpr std::size_t longest_quotation = 40;

unsigned char byte(std::string_view text, std::size_t k) { return static_cast<unsigned char>(text[k]); }

/// The length of the character at the front of a text that is not empty; 0 if there is none.
std::size_t character(std::string_view text) {
  const unsigned char lead = byte(text, 0);
  const std::size_t length = lead < 0x80   ? 1
                             : lead < 0xC2 ? 0
                             : lead < 0xE0 ? 2
                             : lead < 0xF0 ? 3
                             : lead < 0xF5 ? 4
                                           : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(text, i) & 0xC0) != 0x80) return 0;
  }
  const unsigned char second = length > 1 ? byte(text, 1) : 0x80;
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool no_character = (lead == 0xED && second > 0x9F) || (lead == 0xF4 && second > 0x8F);
  return overlong || no_character ? 0 : length;
}

/// C0, DEL and C1: what a terminal may take for a command.
bool is_control(std::string_view one) {
  if (one.size() == 1) return byte(one, 0) < 0x20 || byte(one, 0) == 0x7F;
  return one.size() == 2 && byte(one, 0) == 0xC2 && byte(one, 1) < 0xA0;
}

}  // namespace

std::size_t valid_utf8(std::string_view text) {
  std::size_t k = 0;
  while (k < text.size()) {
    const std::size_t length = character(text.substr(k));
    if (length == 0) break;
    k += length;
  }
  return k;
}

std::string printable(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t length = character(text);
    const std::string_view one = text.substr(0, length == 0 ? 1 : length);
    if (length > 0 && !is_control(one)) {
      result += one;
    } else {
      for (std::size_t k = 0; k < one.size(); ++k) result += fmt::format("\\x{:02x}", byte(one, k));
    }
    text.remove_prefix(one.size());
  }
  return result;
}

std::string in_quotes(std::string_view text) {
  std::size_t end = 0;
  for (std::size_t count = 0; end < text.size() && count < longest_quotation; ++count) {
    end += std::max<std::size_t>(character(text.substr(end)), 1);
  }
  return "\"" + printable(text.substr(0, end)) + (end < text.size() ? "…\"" : "\"");
}

}  // namespace nngpcheck::files
