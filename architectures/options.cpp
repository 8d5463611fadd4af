#include "nngpcheck/architectures/options.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "nngpcheck/architectures/absent.hpp"
#include "nngpcheck/netsor/error.hpp"
#include "nngpcheck/support/spelling.hpp"

namespace nngpcheck::architectures::detail {

using support::shortest;

void assign(int& target, const Value& value, const std::string& key, double least) {
  const auto* number = std::get_if<std::int64_t>(&value);
  if (!number) throw ArchitectureError(key + ": must be an integer", key);
  if (static_cast<double>(*number) < least || *number > largest_count) {
    throw ArchitectureError(key + " = " + std::to_string(*number) + ": must be from " + shortest(least) +
                                " to " + std::to_string(largest_count),
                            key);
  }
  target = static_cast<int>(*number);
}

void assign(double& target, const Value& value, const std::string& key, double least) {
  const auto* integer = std::get_if<std::int64_t>(&value);
  const auto* number = std::get_if<double>(&value);
  if (!integer && !number) throw ArchitectureError(key + ": must be a number", key);
  const double result = integer ? static_cast<double>(*integer) : *number;
  if (!std::isfinite(result) || result < least) {
    throw ArchitectureError(
        key + " = " + shortest(result) + ": must be finite and at least " + shortest(least), key);
  }
  target = result;
}

void assign(std::vector<std::int64_t>& target, const Value& value, const std::string& key, double least) {
  const auto* integer = std::get_if<std::int64_t>(&value);
  const auto* integers = std::get_if<std::vector<std::int64_t>>(&value);
  if (!integer && !integers) throw ArchitectureError(key + ": must be an integer or a list of them", key);
  target = integer ? std::vector<std::int64_t>{*integer} : *integers;
  for (const std::int64_t number : target) {
    if (static_cast<double>(number) >= least && number <= largest_count) continue;
    throw ArchitectureError(key + " holds " + std::to_string(number) + ": must be from " + shortest(least) +
                                " to " + std::to_string(largest_count),
                            key);
  }
}

void assign(std::optional<double>& target, const Value& value, const std::string& key, double least) {
  double number = 0;
  assign(number, value, key, least);
  target = number;
}

namespace {

void refuse_infinite(const std::vector<double>& numbers, const std::string& key) {
  for (const double number : numbers) {
    if (!std::isfinite(number))
      throw ArchitectureError(key + " holds a number that is not finite; give finite ones", key);
  }
}

}  // namespace

void assign(std::vector<double>& target, const Value& value, const std::string& key) {
  if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&value)) {
    target.assign(integers->begin(), integers->end());
  } else if (const auto* numbers = std::get_if<std::vector<double>>(&value)) {
    target = *numbers;
  } else {
    throw ArchitectureError(key + ": must be a list of numbers", key);
  }
  refuse_infinite(target, key);
}

void assign(Table& target, const Value& value, const std::string& key) {
  const auto* table = std::get_if<Table>(&value);
  if (!table) throw ArchitectureError(key + ": must be a table, a list of rows of numbers", key);
  for (const std::vector<double>& row : *table) {
    refuse_infinite(row, key);
    if (row.size() != table->front().size()) {
      throw ArchitectureError(key + " has rows of " + std::to_string(table->front().size()) + " and of " +
                                  std::to_string(row.size()) + " numbers; give all one length",
                              key);
    }
  }
  target = *table;
}

void assign(bool& target, const Value& value, const std::string& key) {
  const auto* truth = std::get_if<bool>(&value);
  if (!truth) throw ArchitectureError(key + ": must be true or false", key);
  target = *truth;
}

void assign(Padding& target, const Value& value, const std::string& key) {
  if (const auto* word = std::get_if<std::string>(&value)) {
    target = Padding(*word);
  } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    target = Padding(std::vector<std::int64_t>{*integer});
  } else if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&value)) {
    target = Padding(*integers);
  } else {
    throw ArchitectureError(key + ": must be one of " + Padding::choices(), key);
  }
}

void assign(netsor::Width& target, const Value& value, const std::string& key) {
  const auto refuse = [&](const std::string& given) {
    throw ArchitectureError(key + " = " + given +
                                ": must be a multiple of n, such as 4 or \"1/2\", of numbers up to " +
                                std::to_string(largest_count),
                            key);
  };
  std::int64_t numerator = 0, denominator = 1;
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    numerator = *integer;
    if (numerator < 1 || numerator > largest_count) refuse(std::to_string(numerator));
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    const char* end = text->data() + text->size();
    auto parsed = std::from_chars(text->data(), end, numerator);
    if (parsed.ec == std::errc() && parsed.ptr != end && *parsed.ptr == '/') {
      parsed = std::from_chars(parsed.ptr + 1, end, denominator);
    }
    const bool small = std::max(numerator, denominator) <= largest_count;
    if (parsed.ec != std::errc() || parsed.ptr != end || numerator < 1 || denominator < 1 || !small) {
      refuse('"' + *text + '"');
    }
  } else {
    refuse("something else");
  }
  target = netsor::Width(numerator, denominator);
}

void assign(std::string& target, const Value& value, const std::string& key) {
  const auto* text = std::get_if<std::string>(&value);
  if (!text) throw ArchitectureError(key + ": must be a text", key);
  target = *text;
}

namespace {

std::string join(const std::vector<std::string>& words) {
  std::string result;
  for (const std::string& word : words) result += (result.empty() ? "" : "|") + word;
  return result;
}

}  // namespace

std::size_t chosen(const std::vector<std::string>& words, const Value& value, const std::string& key) {
  const auto* word = std::get_if<std::string>(&value);
  if (!word) throw ArchitectureError(key + ": must be one of " + join(words), key);
  const auto found = std::find(words.begin(), words.end(), *word);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  std::string remedy = advice(*word, {});  // empty unless the word means something elsewhere
  if (const std::string close = support::close_spelling(*word, words); remedy.empty() && !close.empty()) {
    remedy = "; did you mean \"" + close + "\"?";
  }
  throw ArchitectureError(key + " = \"" + *word + "\": must be one of " + join(words) + remedy, key);
}

void assign(netsor::Activation& target, const Value& value, const std::string& key) {
  if (const auto* activation = std::get_if<netsor::Activation>(&value)) {
    target = *activation;
    return;
  }
  const auto* name = std::get_if<std::string>(&value);
  if (!name) throw ArchitectureError(key + ": must be the name of an activation, such as \"relu\"", key);
  try {
    target = netsor::Activation::named(*name);
  } catch (const netsor::ProgramError& error) {
    throw ArchitectureError(key + ": " + error.what(), key);
  }
}

void unknown(const std::string& key, const std::vector<std::string>& known) {
  throw ArchitectureError("unknown key \"" + key + "\"" + advice(key, known), key);
}

std::string text(bool value) { return value ? "true" : "false"; }
namespace {

template <class List>
std::string text_of_list(const List& list) {
  std::string result;
  for (const auto& entry : list) result += (result.empty() ? "" : ", ") + text(entry);
  return "[" + result + "]";
}

}  // namespace

std::string text(std::int64_t value) { return std::to_string(value); }
std::string text(const std::vector<std::int64_t>& value) { return text_of_list(value); }
std::string text(const std::vector<double>& value) { return text_of_list(value); }
std::string text(const Table& value) { return text_of_list(value); }
std::string text(const netsor::Width& value) {
  const std::string numerator = std::to_string(value.numerator());
  return value.denominator() == 1 ? numerator : numerator + "/" + std::to_string(value.denominator());
}
std::string text(const Padding& value) { return value.text(); }
std::string text(int value) { return std::to_string(value); }
std::string text(double value) { return shortest(value); }
std::string text(const std::string& value) { return value; }
std::string text(const netsor::Activation& value) { return value.name(); }

}  // namespace nngpcheck::architectures::detail

namespace nngpcheck::architectures {

std::string OptionInfo::type_text() const {
  switch (type) {
    case OptionType::boolean:
      return "true|false";
    case OptionType::integer:
      return "integer";
    case OptionType::integers:
      return "integers";
    case OptionType::number:
      return "number";
    case OptionType::numbers:
      return "numbers";
    case OptionType::table:
      return "table";
    case OptionType::width:
      return "width";
    case OptionType::activation:
      return "activation";
    case OptionType::padding:
      return Padding::choices();
    case OptionType::words:
      return detail::join(words);
    case OptionType::text:
      break;
  }
  return "text";
}

}  // namespace nngpcheck::architectures
