// Options of an architecture as a table: what exists, of which type, with which default. The command line,
// the experiment files and `nngpcheck list` all read this one table.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "nngpcheck/architectures/padding.hpp"
#include "nngpcheck/architectures/words.hpp"
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

enum class OptionType {
  boolean,
  integer,
  integers,
  number,
  numbers,
  table,
  width,
  activation,
  padding,
  words,  // one of those allowed
  text,   // any
};

/// An option as `nngpcheck list` shows it.
struct OptionInfo {
  std::string name;
  OptionType type = OptionType::text;
  std::vector<std::string> words;  // allowed, of OptionType::words
  std::string fallback;            // of a number that may be left out the option that it is then
  std::string meaning;

  /// "integer", "true|false", "full|causal", …
  std::string type_text() const;
};

/// A member of S that is an enumeration, and its words. All of them are allowed, or those given.
template <class S>
class Choice {
 public:
  template <class E, class T>
  Choice(E T::*member,
         std::initializer_list<E> allowed = {}) requires std::is_enum_v<E> && std::is_base_of_v<T, S>
      : get_([member](const S& options) { return architectures::word(options.*member); }) {
    for (std::size_t k = 0; k < architectures::words<E>.size(); ++k) {
      const E value = static_cast<E>(k);
      if (allowed.size() > 0 && std::find(allowed.begin(), allowed.end(), value) == allowed.end()) continue;
      words_.push_back(architectures::word(value));
      set_.push_back([member, value](S& options) { options.*member = value; });
    }
  }

  template <class T>
  Choice(const Choice<T>& of_base) requires std::is_base_of_v<T, S>
      : words_(of_base.words_), get_(of_base.get_), set_(of_base.set_.begin(), of_base.set_.end()) {}

  const std::vector<std::string>& words() const { return words_; }
  std::string word(const S& options) const { return get_(options); }
  void set(S& options, std::size_t word) const { set_.at(word)(options); }

 private:
  template <class>
  friend class Choice;
  std::vector<std::string> words_;
  std::function<std::string(const S&)> get_;
  std::vector<std::function<void(S&)>> set_;  // one for each word
};

/// One option of the options struct S: where it is stored, and how to check it.
template <class S>
struct Field {
  using Member =
      std::variant<bool S::*, int S::*, double S::*, std::string S::*, std::vector<std::int64_t> S::*,
                   Padding S::*, netsor::Width S::*, netsor::Activation S::*, std::optional<double> S::*,
                   std::vector<double> S::*, Table S::*, Choice<S>>;
  std::string name;
  Member member;
  std::string meaning;
  double least = 0;            // smallest valid number
  std::string otherwise = {};  // the option that an optional number is where it is left out
};

/// The options of a base class.
template <class S, class Base>
std::vector<Field<S>> inherited(const std::vector<Field<Base>>& fields) {
  std::vector<Field<S>> result;
  for (const Field<Base>& field : fields) {
    std::visit(
        [&](const auto& member) {
          result.push_back({field.name, member, field.meaning, field.least, field.otherwise});
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

template <class Member, class S>
constexpr bool is_choice = std::is_same_v<std::remove_cvref_t<Member>, Choice<S>>;

/// Lists and tables of numbers.
template <class T>
constexpr bool is_numbers = std::is_same_v<T, std::vector<double>> || std::is_same_v<T, Table>;

// One per type of option; each throws ArchitectureError with the key, the problem and what would be valid.
void assign(int& target, const Value& value, const std::string& key, double least);
void assign(double& target, const Value& value, const std::string& key, double least);
void assign(std::string& target, const Value& value, const std::string& key);
void assign(std::vector<std::int64_t>& target, const Value& value, const std::string& key, double least);
void assign(std::optional<double>& target, const Value& value, const std::string& key, double least);
void assign(std::vector<double>& target, const Value& value, const std::string& key);
void assign(Table& target, const Value& value, const std::string& key);
void assign(bool& target, const Value& value, const std::string& key);
std::size_t chosen(const std::vector<std::string>& words, const Value& value, const std::string& key);
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

template <class T>
constexpr OptionType type_of = OptionType::number;  // std::optional<double>, too
template <>
inline constexpr OptionType type_of<bool> = OptionType::boolean;
template <>
inline constexpr OptionType type_of<int> = OptionType::integer;
template <>
inline constexpr OptionType type_of<std::vector<std::int64_t>> = OptionType::integers;
template <>
inline constexpr OptionType type_of<std::vector<double>> = OptionType::numbers;
template <>
inline constexpr OptionType type_of<Table> = OptionType::table;
template <>
inline constexpr OptionType type_of<netsor::Width> = OptionType::width;
template <>
inline constexpr OptionType type_of<netsor::Activation> = OptionType::activation;
template <>
inline constexpr OptionType type_of<Padding> = OptionType::padding;
template <>
inline constexpr OptionType type_of<std::string> = OptionType::text;
}  // namespace detail

/// Throws ArchitectureError if an option is out of its range; the message names it.
template <class S>
void check(const S& options) {
  for (const Field<S>& field : S::fields()) {
    const auto check_member = [&](const auto& member) {
      if constexpr (detail::is_choice<decltype(member), S>) {
        detail::chosen(member.words(), member.word(options), field.name);
      } else {
        auto copy = options.*member;
        if constexpr (std::is_same_v<decltype(copy), int>) {
          detail::assign(copy, Value(std::int64_t{copy}), field.name, field.least);
        } else if constexpr (std::is_same_v<decltype(copy), std::optional<double>>) {
          if (copy) detail::assign(copy, Value(*copy), field.name, field.least);
        } else if constexpr (detail::has_least<decltype(copy)>) {
          detail::assign(copy, Value(copy), field.name, field.least);
        } else if constexpr (detail::is_numbers<decltype(copy)>) {
          detail::assign(copy, Value(copy), field.name);
        }
      }
    };
    std::visit(check_member, field.member);
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
    const auto field =
        std::find_if(fields.begin(), fields.end(), [&](const Field<S>& one) { return one.name == key; });
    if (field == fields.end()) {
      std::vector<std::string> known;
      for (const Field<S>& one : fields) known.push_back(one.name);
      detail::unknown(key, known);
    }
    const auto assign_member = [&](const auto& member) {
      if constexpr (detail::is_choice<decltype(member), S>) {
        member.set(result, detail::chosen(member.words(), value, key));
      } else if constexpr (detail::has_least<std::remove_reference_t<decltype(result.*member)>>) {
        detail::assign(result.*member, value, key, field->least);
      } else {
        detail::assign(result.*member, value, key);
      }
    };
    std::visit(assign_member, field->member);
  }
  return result;
}

/// The table of S's options.
template <class S>
std::vector<OptionInfo> describe() {
  const S defaults;
  std::vector<OptionInfo> result;
  for (const Field<S>& field : S::fields()) {
    const auto describe_member = [&](const auto& member) -> OptionInfo {
      if constexpr (detail::is_choice<decltype(member), S>) {
        return {field.name, OptionType::words, member.words(), member.word(defaults), field.meaning};
      } else {
        using T = std::remove_cvref_t<decltype(defaults.*member)>;
        std::string fallback = field.otherwise;
        if constexpr (!std::is_same_v<T, std::optional<double>>) fallback = detail::text(defaults.*member);
        return {field.name, detail::type_of<T>, {}, std::move(fallback), field.meaning};
      }
    };
    result.push_back(std::visit(describe_member, field.member));
  }
  return result;
}

}  // namespace nngpcheck::architectures
