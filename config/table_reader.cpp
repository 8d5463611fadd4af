#include "nngpcheck/config/table_reader.hpp"

#include <algorithm>

#include "nngpcheck/architectures/absent.hpp"

namespace nngpcheck::config {

std::string place(const toml::node& node, const std::string& fallback) {
  const toml::source_region& source = node.source();
  if (!source.path || !source.begin) return fallback + ": ";
  if (source.path->starts_with("--set ")) return *source.path + ": ";
  return *source.path + ":" + std::to_string(source.begin.line) + ": ";
}

std::string type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a number";
    case toml::node_type::boolean:
      return "a boolean";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::table:
      return "a table";
    default:
      return "a date or time";
  }
}

TableReader::TableReader(const toml::table& table, std::string path, std::string file)
    : table_(table), path_(std::move(path)), file_(std::move(file)) {}

void TableReader::only(const std::vector<std::string>& keys) const {
  for (const auto& [key, node] : table_) {
    const std::string name(key.str());
    if (std::find(keys.begin(), keys.end(), name) != keys.end()) continue;
    fail(node, "unknown key \"" + full(name) + "\"" + architectures::advice(name, keys));
  }
}

template <class T>
const T* TableReader::find_as(const std::string& key, const std::string& type,
                              const std::string& example) const {
  const toml::node* node = find(key);
  if (!node) return nullptr;
  const T* value = node->as<T>();
  if (!value)
    fail(*node, full(key) + " is " + type_name(*node) + ", not " + type + "; for example " + example);
  return value;
}

template <class T>
const T& TableReader::get_as(const std::string& key, const std::string& type,
                             const std::string& example) const {
  if (const T* value = find_as<T>(key, type, example)) return *value;
  const std::string where = path_.empty() ? "" : "[" + path_ + "] ";
  fail(table_, where + "has no \"" + key + "\"; add " + example);
}

std::string TableReader::get_string(const std::string& key, const std::string& example) const {
  return get_as<toml::value<std::string>>(key, "a string", example).get();
}

std::int64_t TableReader::get_integer(const std::string& key, const std::string& example) const {
  return get_as<toml::value<std::int64_t>>(key, "an integer", example).get();
}

const toml::array& TableReader::get_array(const std::string& key, const std::string& example) const {
  return get_as<toml::array>(key, "an array", example);
}

TableReader TableReader::get_table(const std::string& key, const std::string& example) const {
  return {get_as<toml::table>(key, "a table", example), full(key), file_};
}

std::optional<std::string> TableReader::find_string(const std::string& key,
                                                    const std::string& example) const {
  const auto* value = find_as<toml::value<std::string>>(key, "a string", example);
  return value ? std::optional(value->get()) : std::nullopt;
}

std::optional<std::int64_t> TableReader::find_integer(const std::string& key,
                                                      const std::string& example) const {
  const auto* value = find_as<toml::value<std::int64_t>>(key, "an integer", example);
  return value ? std::optional(value->get()) : std::nullopt;
}

std::optional<double> TableReader::find_number(const std::string& key, const std::string& example) const {
  const toml::node* node = find(key);
  if (node && node->is_integer()) return static_cast<double>(node->as_integer()->get());
  const auto* value = find_as<toml::value<double>>(key, "a number", example);
  return value ? std::optional(value->get()) : std::nullopt;
}

std::optional<bool> TableReader::find_boolean(const std::string& key, const std::string& example) const {
  const auto* value = find_as<toml::value<bool>>(key, "true or false", example);
  return value ? std::optional(value->get()) : std::nullopt;
}

std::optional<std::vector<std::int64_t>> TableReader::find_integers(const std::string& key,
                                                                    const std::string& example) const {
  const auto* array = find_as<toml::array>(key, "an array", example);
  if (!array) return std::nullopt;
  std::vector<std::int64_t> result;
  for (const toml::node& node : *array) {
    const auto* integer = node.as_integer();
    if (!integer) fail(node, full(key) + " holds " + type_name(node) + "; give integers: " + example);
    result.push_back(integer->get());
  }
  return result;
}

void TableReader::fail(const toml::node& node, const std::string& problem) const {
  throw InputError(place(node, file_) + problem);
}

}  // namespace nngpcheck::config
