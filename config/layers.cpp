#include "nngpcheck/config/layers.hpp"

#include <algorithm>

#include "nngpcheck/architectures/absent.hpp"

namespace nngpcheck::config {

namespace {

using architectures::LayerKind;
using architectures::Layers;
using architectures::OptionInfo;
using architectures::OptionType;
using architectures::Settings;
using nlohmann::ordered_json;

const std::string layers_example =
    "layers = [{type = \"dense\"}, {type = \"activation\", activation = \"relu\"}]";

netsor::Activation read_activation(const TableReader& table, ordered_json& resolved) {
  table.only({"name", "expression", "kinks"});
  const std::string expression = table.get_string("expression", "expression = \"x*tanh(x)\"");
  const std::string name = table.find_string("name", "name = \"mine\"").value_or("");
  std::optional<std::vector<double>> kinks;
  if (table.find("kinks")) {
    kinks.emplace();
    for (const toml::node& kink : table.get_array("kinks", "kinks = [0.0]")) {
      const auto value = kink.value<double>();
      if (!value) table.fail(kink, table.full("kinks") + " holds " + type_name(kink) + "; give numbers");
      kinks->push_back(*value);
    }
  }
  const netsor::Activation result =
      table.at(table.table(), [&] { return netsor::Activation::from_expression(expression, name, kinks); });
  resolved = {{"name", result.name()}, {"expression", expression}};
  if (kinks) resolved["kinks"] = *kinks;
  return result;
}

// Lists of them, or also words.
bool takes_integers(const OptionInfo& option) {
  return option.type == OptionType::integers || option.type == OptionType::padding;
}

// "an integer", "a list of integers", "a number", …
std::string described(const OptionInfo& option) {
  switch (option.type) {
    case OptionType::integer:
      return "an integer";
    case OptionType::integers:
      return "an integer or a list of them";
    case OptionType::padding:
      return "one of " + option.type_text();
    case OptionType::boolean:
      return "true or false";
    case OptionType::numbers:
      return "a list of numbers";
    case OptionType::table:
      return "a table, such as [[1, 0], [1, 1]]";
    case OptionType::width:
      return "a multiple of n, such as 4 or \"1/2\"";
    case OptionType::words:
      return "a string";
    case OptionType::number:
    case OptionType::activation:
    case OptionType::text:
      break;
  }
  return "a " + option.type_text();
}

// `resolved` has the options before it.
ordered_json fallback(const OptionInfo& option, const ordered_json& resolved) {
  switch (option.type) {
    case OptionType::activation:
    case OptionType::width:
    case OptionType::padding:
    case OptionType::words:
    case OptionType::text:
      return option.fallback;
    case OptionType::number:
      if (resolved.contains(option.fallback)) return resolved[option.fallback];
      break;
    default:
      break;
  }
  return ordered_json::parse(option.fallback);
}

// A list of numbers, `resolved` as JSON.
std::vector<double> read_numbers(const TableReader& table, const OptionInfo& option, const toml::node& node,
                                 ordered_json& resolved) {
  const toml::array* list = node.as_array();
  if (!list)
    table.fail(node, table.full(option.name) + (option.type == OptionType::table ? " holds " : " is ") +
                         type_name(node) + ", not " + described(option));
  resolved = ordered_json::array();
  std::vector<double> result;
  for (const toml::node& entry : *list) {
    const auto number = entry.value<double>();
    if (!number || entry.is_boolean())
      table.fail(entry, table.full(option.name) + " holds " + type_name(entry) + "; give numbers");
    result.push_back(*number);
    resolved.push_back(*number);
  }
  return result;
}

architectures::Table read_rows(const TableReader& table, const OptionInfo& option, const toml::node& node,
                               ordered_json& resolved) {
  const toml::array* rows = node.as_array();
  if (!rows)
    table.fail(node, table.full(option.name) + " is " + type_name(node) + ", not " + described(option));
  resolved = ordered_json::array();
  architectures::Table result;
  for (const toml::node& row : *rows)
    result.push_back(read_numbers(table, option, row, resolved.emplace_back()));
  return result;
}

const LayerKind& find_kind(const TableReader& table) {
  const std::string type = table.get_string("type", "type = \"dense\"");
  std::vector<std::string> names;
  for (const LayerKind& kind : architectures::layer_kinds()) {
    if (kind.name == type) return kind;
    names.push_back(kind.name);
  }
  table.fail(*table.find("type"),
             "there is no layer of type \"" + type + "\"" + architectures::layer_advice(type, names));
}

Layers read_list(const TableReader& table, const toml::node& node, const std::string& path,
                 ordered_json& resolved);

// The lists of a part: one, or for "branches" several; none where it is left out.
std::vector<Layers> read_part(const TableReader& table, const LayerKind& kind, const std::string& part,
                              ordered_json& resolved) {
  const toml::node* node = table.find(part);
  if (!node) {
    if (std::find(kind.optional.begin(), kind.optional.end(), part) != kind.optional.end()) return {};
    table.fail(table.table(), table.full(part) + " is missing; give a list of layers");
  }
  if (part != "branches") return {read_list(table, *node, table.full(part), resolved)};
  std::vector<Layers> result;
  for (const toml::node& branch : table.get_array(part, "branches = [[…], […]]")) {
    result.push_back(read_list(table, branch, table.full(part), resolved.emplace_back()));
  }
  return result;
}

architectures::Layer read_layer(const TableReader& table, ordered_json& resolved) {
  const LayerKind& kind = find_kind(table);
  resolved["type"] = kind.name;
  std::vector<std::string> other = kind.parts;
  other.insert(other.end(), {"type", "name"});
  const Settings settings = read_settings(table, kind.options, other, resolved);
  const std::string name = table.find_string("name", "name = \"shared\"").value_or("");
  if (!name.empty()) resolved["name"] = name;
  std::vector<std::vector<Layers>> parts;
  for (const std::string& part : kind.parts) parts.push_back(read_part(table, kind, part, resolved[part]));
  try {
    return {kind.make(settings, parts), name};
  } catch (const architectures::ArchitectureError& error) {
    const toml::node* node = error.key().empty() ? nullptr : table.find(error.key());
    table.fail(node ? *node : table.table(), kind.name + ": " + error.what());
  }
}

Layers read_list(const TableReader& table, const toml::node& node, const std::string& path,
                 ordered_json& resolved) {
  const toml::array* array = node.as_array();
  if (!array)
    table.fail(node,
               path + " is " + type_name(node) + ", not a list of layers; for example " + layers_example);
  resolved = ordered_json::array();
  Layers result;
  for (const toml::node& element : *array) {
    const toml::table* layer = element.as_table();
    if (!layer)
      table.fail(element, path + " holds " + type_name(element) + "; for example " + layers_example);
    result.push_back(read_layer({*layer, path, table.file()}, resolved.emplace_back()));
  }
  return result;
}

}  // namespace

architectures::Value read_value(const TableReader& table, const OptionInfo& option, const toml::node& node,
                                ordered_json& resolved) {
  if (const auto* inner = node.as_table(); inner && option.type == OptionType::activation) {
    return read_activation({*inner, table.full(option.name), table.file()}, resolved);
  }
  if (node.is_array() && takes_integers(option)) {
    const std::vector<std::int64_t> integers =
        table.find_integers(option.name, option.name + " = [3, 3]").value();
    resolved = integers;
    return integers;
  }
  if (option.type == OptionType::numbers) return read_numbers(table, option, node, resolved);
  if (option.type == OptionType::table) return read_rows(table, option, node, resolved);
  if (const auto* truth = node.as_boolean(); truth && option.type == OptionType::boolean) {
    return (resolved = truth->get(), truth->get());
  }
  if (const auto* integer = node.as_integer()) return (resolved = integer->get(), integer->get());
  if (const auto* number = node.as_floating_point()) return (resolved = number->get(), number->get());
  if (const auto* text = node.as_string()) return (resolved = text->get(), text->get());
  table.fail(node, table.full(option.name) + " is " + type_name(node) + ", not " + described(option));
}

Settings read_settings(const TableReader& table, const std::vector<OptionInfo>& options,
                       std::vector<std::string> other, ordered_json& resolved) {
  std::vector<std::string> keys = std::move(other);
  for (const OptionInfo& option : options) keys.push_back(option.name);
  table.only(keys);
  Settings settings;
  for (const OptionInfo& option : options) {
    if (const toml::node* node = table.find(option.name)) {
      settings.emplace(option.name, read_value(table, option, *node, resolved[option.name]));
    } else {
      resolved[option.name] = fallback(option, resolved);
    }
  }
  return settings;
}

Layers read_layers(const TableReader& table, const std::string& key, ordered_json& resolved) {
  return read_list(table, table.get_array(key, layers_example), table.full(key), resolved);
}

}  // namespace nngpcheck::config
