#include "nngpcheck/compare/report/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

namespace nngpcheck::compare {

namespace {

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

}  // namespace

std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

std::string shortened(const std::string& text, std::size_t longest) {
  const std::size_t count = characters(text);
  if (count <= longest) return text;
  const std::size_t head = longest / 2, tail = longest - 1 - head;
  std::string result;
  std::size_t k = 0;  // characters so far, this one included
  for (const char c : text) {
    if (begins_character(c) && ++k == head + 1) result += "…";
    if (k <= head || k > count - tail) result += c;
  }
  return result;
}

std::string xml_escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        // XML 1.0 has no other control characters.
        result += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? ' ' : c;
    }
  }
  return result;
}

std::string svg_uri(const std::string& svg) {
  constexpr std::string_view plain =
      "-_.~ /:=,;()";  // beside letters and digits (RFC 3986; browsers take blanks)
  std::string result = "data:image/svg+xml,";
  for (const char c : svg) {
    const auto byte = static_cast<unsigned char>(c);
    const bool letter = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter || plain.find(c) != std::string_view::npos)
      result += c;
    else
      result += fmt::format("%{:02X}", byte);
  }
  return result;
}

std::string number(double value, int decimals) {
  if (!std::isfinite(value)) return fmt::format("{}", value);
  const std::string digits = fmt::format("{:.{}f}", std::abs(value), decimals);
  const bool zero = digits.find_first_not_of("0.") == std::string::npos;
  return (value < 0 && !zero ? "−" : "") + digits;
}

std::string scientific(double value) {
  if (value == 0 || !std::isfinite(value)) return fmt::format("{}", value);
  const std::string text = fmt::format("{:.2e}", value);
  const std::size_t e = text.find('e');
  const char* const digits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string result = text.substr(0, e) + " · 10";
  for (const char c : std::to_string(std::stoi(text.substr(e + 1)))) {
    result += c == '-' ? "⁻" : digits[c - '0'];
  }
  return result;
}

}  // namespace nngpcheck::compare
