// Private to config/: numbers in text files.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace nngpcheck::files {

/// The text without spaces and tabs at its ends.
inline std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// The whole text as a number of type T, spaces around it and a leading + allowed; nothing if it is none, or
/// if T cannot hold it.
template <class T>
std::optional<T> parse_number(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace nngpcheck::files
