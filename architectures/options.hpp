// Options of an architecture as a table: what exists, of which type, with which default. The command line,
// the experiment files and `nngpcheck list` all read this one table.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "nngpcheck/architectures/padding.hpp"
#include "nngpcheck/netsor/activation.hpp"
#include "nngpcheck/netsor/width.hpp"
#include "nngpcheck/support/error.hpp"

namespace nngpcheck::architectures {

/// Inputs or options that an architecture cannot be built from. `key` is the offending option, or "".
class ArchitectureError : public InputError {
 public:
  explicit ArchitectureError(const std::string& message, std::string key = "")
      : InputError(message), key_(std::move(key)) {}
  const std::string& key() const { return key_; }

 private:
  std::string key_;
};

/// Options that count something, the entries of lists, and a width's numerator and denominator are at most
/// this.
inline constexpr std::int64_t largest_count = 10'000;

/// Rows of numbers, all of one length.
using Table = std::vector<std::vector<double>>;

/// An option's value as given: an activation may be given by its name, a list of one integer as the integer,
/// padding as a word or as integers, a width as a multiple of n: 4 or "1/2"; numbers of a list or of a table
/// may be given as integers.
using Value = std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>,
                           netsor::Activation, std::vector<double>, Table>;
using Settings = std::map<std::string, Value>;

/// An option as `nngpcheck list` shows it.
struct OptionInfo {
  std::string name;
  std::string type;      // "integer", "integers", "number", "numbers", "table", "true|false", "width",
                         // "activation", "text", or the words allowed
  std::string fallback;  // of a number that may be left out the option that it is then
  std::string meaning;
};

/// One option of the options struct S: where it is stored, and how to check it.
template <class S>
struct Field {
  using Member =
      std::variant<bool S::*, int S::*, double S::*, std::string S::*, std::vector<std::int64_t> S::*,
                   Padding S::*, netsor::Width S::*, netsor::Activation S::*, std::optional<double> S::*,
                   std::vector<double> S::*, Table S::*>;
  std::string name;
  Member member;
  std::string meaning;
  double least = 0;                // smallest valid number
  std::vector<std::string> words;  // allowed values of a string, or none: any; of an optional number the
                                   // option that it is where it is left out
};

/// The options of a base class.
template <class S, class Base>
std::vector<Field<S>> inherited(const std::vector<Field<Base>>& fields) {
  std::vector<Field<S>> result;
  for (const Field<Base>& field : fields) {
    std::visit(
        [&](auto member) {
          result.push_back({field.name, member, field.meaning, field.least, field.words});
        },
        field.member);
  }
  return result;
}

template <class S>
std::vector<Field<S>> operator+(std::vector<Field<S>> left, const std::vector<Field<S>>& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

namespace detail {
/// Whether options of this type have a smallest valid number.
template <class T>
constexpr bool has_least =
    std::is_same_v<T, int> || std::is_same_v<T, double> || std::is_same_v<T, std::vector<std::int64_t>> ||
    std::is_same_v<T, std::optional<double>>;

/// Lists and tables of numbers.
template <class T>
constexpr bool is_numbers = std::is_same_v<T, std::vector<double>> || std::is_same_v<T, Table>;

// One per type of option; each throws ArchitectureError with the key, the problem and what would be valid.
void assign(int& target, const Value& value, const std::string& key, double least);
void assign(double& target, const Value& value, const std::string& key, double least);
void assign(std::string& target, const Value& value, const std::string& key,
            const std::vector<std::string>& words);
void assign(std::vector<std::int64_t>& target, const Value& value, const std::string& key, double least);
void assign(std::optional<double>& target, const Value& value, const std::string& key, double least);
void assign(std::vector<double>& target, const Value& value, const std::string& key);
void assign(Table& target, const Value& value, const std::string& key);
void assign(bool& target, const Value& value, const std::string& key);
void assign(Padding& target, const Value& value, const std::string& key);
void assign(netsor::Width& target, const Value& value, const std::string& key);
void assign(netsor::Activation& target, const Value& value, const std::string& key);
[[noreturn]] void unknown(const std::string& key, const std::vector<std::string>& known);

std::string text(bool value);
std::string text(int value);
std::string text(std::int64_t value);
std::string text(const std::vector<std::int64_t>& value);
std::string text(const Padding& value);
std::string text(const netsor::Width& value);
std::string text(double value);
std::string text(const std::vector<double>& value);
std::string text(const Table& value);
std::string text(const std::string& value);
std::string text(const netsor::Activation& value);
std::string join(const std::vector<std::string>& words);
}  // namespace detail

/// Throws ArchitectureError if an option is out of its range; the message names it.
template <class S>
void check(const S& options) {
  for (const Field<S>& field : S::fields()) {
    std::visit(
        [&](auto member) {
          auto copy = options.*member;
          if constexpr (std::is_same_v<decltype(copy), int>) {
            detail::assign(copy, Value(std::int64_t{copy}), field.name, field.least);
          } else if constexpr (std::is_same_v<decltype(copy), std::optional<double>>) {
            if (copy) detail::assign(copy, Value(*copy), field.name, field.least);
          } else if constexpr (detail::has_least<decltype(copy)>) {
            detail::assign(copy, Value(copy), field.name, field.least);
          } else if constexpr (detail::is_numbers<decltype(copy)>) {
            detail::assign(copy, Value(copy), field.name);
          } else if constexpr (std::is_same_v<decltype(copy), std::string>) {
            detail::assign(copy, Value(copy), field.name, field.words);
          }
        },
        field.member);
  }
}

/// The options struct that these settings describe; what they leave out keeps its default. S::fields() lists
/// the options. Throws ArchitectureError for an unknown key (with the nearest valid one), a wrong type, or a
/// value out of range.
template <class S>
S parse(const Settings& settings) {
  S result;
  const std::vector<Field<S>> fields = S::fields();
  for (const auto& setting : settings) {
    const std::string& key = setting.first;  // Clang 14 captures no structured bindings
    const Value& value = setting.second;
    bool found = false;
    for (const Field<S>& field : fields) {
      if (field.name != key) continue;
      found = true;
      std::visit(
          [&](auto member) {
            auto& target = result.*member;
            using T = std::remove_reference_t<decltype(target)>;
            if constexpr (std::is_same_v<T, std::string>) {
              detail::assign(target, value, key, field.words);
            } else if constexpr (detail::has_least<T>) {
              detail::assign(target, value, key, field.least);
            } else {
              detail::assign(target, value, key);
            }
          },
          field.member);
    }
    if (!found) {
      std::vector<std::string> known;
      for (const Field<S>& field : fields) known.push_back(field.name);
      detail::unknown(key, known);
    }
  }
  return result;
}

/// The table of S's options.
template <class S>
std::vector<OptionInfo> describe() {
  const S defaults;
  std::vector<OptionInfo> result;
  for (const Field<S>& field : S::fields()) {
    std::visit(
        [&](auto member) {
          using T = std::remove_cvref_t<decltype(defaults.*member)>;
          std::string type = "number";
          if constexpr (std::is_same_v<T, bool>) type = "true|false";
          if constexpr (std::is_same_v<T, int>) type = "integer";
          if constexpr (std::is_same_v<T, std::vector<std::int64_t>>) type = "integers";
          if constexpr (std::is_same_v<T, std::vector<double>>) type = "numbers";
          if constexpr (std::is_same_v<T, Table>) type = "table";
          if constexpr (std::is_same_v<T, Padding>) type = Padding::choices();
          if constexpr (std::is_same_v<T, netsor::Width>) type = "width";
          if constexpr (std::is_same_v<T, std::string>)
            type = field.words.empty() ? "text" : detail::join(field.words);
          if constexpr (std::is_same_v<T, netsor::Activation>) type = "activation";
          std::string fallback;
          if constexpr (std::is_same_v<T, std::optional<double>>)
            fallback = field.words.at(0);
          else
            fallback = detail::text(defaults.*member);
          result.push_back({field.name, type, std::move(fallback), field.meaning});
        },
        field.member);
  }
  return result;
}

}  // namespace nngpcheck::architectures
