#include "nngpcheck/config/overrides.hpp"

#include <algorithm>

#include "nngpcheck/support/error.hpp"
#include "nngpcheck/support/spelling.hpp"

namespace nngpcheck::config {

namespace {

const std::vector<std::string> experiment_keys = {"name", "architecture", "inputs", "sweep", "check"};

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

/// The table that an assignment such as sweep.networks=10 makes. Its nodes name the assignment as their
/// source.
toml::table parse(const std::string& assignment) {
  const std::string source = "--set " + assignment;
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos || assignment.find('\n') != std::string::npos) {
    throw InputError(source + ": not an assignment; give --set path.key=value");
  }
  try {
    return toml::parse(assignment, source);
  } catch (const toml::parse_error&) {
    // A bare word: activation=erf.
  }
  try {
    return toml::parse(assignment.substr(0, equals) + "=" + quoted(assignment.substr(equals + 1)), source);
  } catch (const toml::parse_error& error) {
    throw InputError(source + ": " + std::string(error.description()) + "; give --set path.key=value");
  }
}

/// Moves the nodes of `source` into `target`; a copy would lose where they came from.
void merge(toml::table& target, toml::table&& source) {
  for (auto&& [key, node] : source) {
    toml::table* into = target.get_as<toml::table>(key.str());
    if (into && node.is_table()) {
      merge(*into, std::move(*node.as_table()));
    } else {
      node.visit([&, &name = key](auto& value) { target.insert_or_assign(name, std::move(value)); });
    }
  }
}

}  // namespace

void apply_overrides(const std::vector<toml::table*>& experiments,
                     const std::vector<std::string>& assignments) {
  for (const std::string& assignment : assignments) {
    toml::table first = parse(assignment);
    if (first.empty()) throw InputError("--set " + assignment + ": a comment; give --set path.key=value");
    const std::string key(first.begin()->first.str());
    if (std::find(experiment_keys.begin(), experiment_keys.end(), key) != experiment_keys.end()) {
      for (toml::table* experiment : experiments) merge(*experiment, parse(assignment));
      continue;
    }
    std::vector<std::string> known = experiment_keys;
    bool found = false;
    for (toml::table* experiment : experiments) {
      const auto name = experiment->get_as<std::string>("name");
      if (!name) continue;
      known.push_back(name->get());
      if (name->get() != key) continue;
      found = true;
      toml::table* inner = first.get_as<toml::table>(key);
      if (!inner)
        throw InputError("--set " + assignment + ": \"" + key + "\" is an experiment; name a key in it");
      merge(*experiment, std::move(*inner));
      break;
    }
    if (!found) {
      throw InputError("--set " + assignment + ": neither a key nor an experiment is called \"" + key + "\"" +
                       support::advice(key, known));
    }
  }
}

}  // namespace nngpcheck::config
