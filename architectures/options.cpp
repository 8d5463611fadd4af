#include "architectures/options.hpp"

#include <cmath>
#include <limits>

#include "netsor/error.hpp"
#include "netsor/spelling.hpp"

namespace nngpcheck::architectures::detail {

using netsor::shortest;

void assign(int& target, const Value& value, const std::string& key, double least) {
  const auto* number = std::get_if<std::int64_t>(&value);
  if (!number) throw ArchitectureError(key + ": must be an integer", key);
  if (static_cast<double>(*number) < least || *number > std::numeric_limits<int>::max()) {
    throw ArchitectureError(key + " = " + std::to_string(*number) + ": must be from " + shortest(least) +
                                " to " + std::to_string(std::numeric_limits<int>::max()),
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

void assign(std::string& target, const Value& value, const std::string& key,
            const std::vector<std::string>& words) {
  const auto* word = std::get_if<std::string>(&value);
  if (!word) throw ArchitectureError(key + ": must be one of " + join(words), key);
  for (const std::string& allowed : words) {
    if (allowed == *word) {
      target = *word;
      return;
    }
  }
  throw ArchitectureError(key + " = \"" + *word + "\": must be one of " + join(words) + "; did you mean \"" +
                              netsor::nearest(*word, words) + "\"?",
                          key);
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
  throw ArchitectureError(
      "unknown key \"" + key + "\"; did you mean \"" + netsor::nearest(key, known) + "\"?", key);
}

std::string text(int value) { return std::to_string(value); }
std::string text(double value) { return shortest(value); }
std::string text(const std::string& value) { return value; }
std::string text(const netsor::Activation& value) { return value.name(); }

std::string join(const std::vector<std::string>& words) {
  std::string result;
  for (const std::string& word : words) result += (result.empty() ? "" : "|") + word;
  return result;
}

}  // namespace nngpcheck::architectures::detail
