#include "nngpcheck/config/inputs_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <filesystem>
#include <sstream>

#include "nngpcheck/files/utf8.hpp"
#include "nngpcheck/inputs/graph.hpp"
#include "nngpcheck/inputs/grid.hpp"
#include "nngpcheck/inputs/images.hpp"
#include "nngpcheck/inputs/samples.hpp"

namespace nngpcheck::config {

namespace {

using Eigen::Index;
using inputs::Inputs;
using nlohmann::ordered_json;

const std::string images_example = "images = {count = 64, channels = 3, size = [8, 8]}";
const std::vector<std::string> array_keys = {"layout", "lengths", "range"};
const std::vector<std::string> table_keys = {"columns", "labels", "skip", "header", "separator", "decimal"};

/// Throws if the table has one of the keys.
void refuse(const TableReader& table, const std::vector<std::string>& keys, const std::string& reason) {
  for (const std::string& key : keys) {
    if (const toml::node* node = table.find(key))
      table.fail(*node, table.full(key) + ": " + reason + "; leave it out");
  }
}

/// An integer of at least `least`, or nothing.
std::optional<Index> find_at_least(const TableReader& table, const std::string& key, Index least,
                                   const std::string& example) {
  const auto value = table.find_integer(key, example);
  if (value && *value < least) {
    table.fail(*table.find(key), fmt::format("{} = {}: must be at least {}", table.full(key), *value, least));
  }
  return value;
}

/// The lengths of 1 to 3 axes.
std::vector<Index> read_axes(const TableReader& table, const std::string& key, const std::string& example) {
  const std::vector<std::int64_t> given = table.find_integers(key, example).value();
  const auto fail = [&](const std::string& problem) {
    table.fail(*table.find(key),
               fmt::format("{} = [{}]: {}", table.full(key), fmt::join(given, ", "), problem));
  };
  if (given.empty() || given.size() > 3) fail("must be the lengths of 1 to 3 axes; for example " + example);
  for (const std::int64_t extent : given) {
    if (extent < 1) fail("each axis must have a length of at least 1");
  }
  return {given.begin(), given.end()};
}

/// Relative to the file that names it; to the working directory if --set does.
std::filesystem::path path_of(const TableReader& table, const std::string& key, const std::string& file) {
  const std::string& source = *table.find(key)->source().path;
  const std::filesystem::path path = file;
  if (path.is_absolute() || source.starts_with("--set ")) return path;
  return std::filesystem::path(source).parent_path() / path;
}

/// Throws, at the key if it is there, unless so many numbers on so many sites can be held in memory.
void check_size(const TableReader& table, const std::string& key, double samples, double positions,
                double numbers) {
  if (samples * positions <= 1e5 && samples * numbers <= 1e8) return;
  const toml::node* node = table.find(key);
  table.fail(
      node ? *node : table.table(),
      fmt::format("{} = {:g}: samples of {:g} positions and {:g} numbers; at most 1e5 positions and 1e8 "
                  "numbers can be used in all; take fewer or smaller samples",
                  table.full(key), samples, positions, numbers));
}

double product(const std::vector<Index>& grid) {
  double result = 1;  // as doubles: the product may overflow
  for (const Index extent : grid) result *= static_cast<double>(extent);
  return result;
}

inputs::Selection read_rows(const TableReader& table, Index available) {
  const Index first = find_at_least(table, "first", 0, "first = 0").value_or(0);
  if (first >= available) {
    table.fail(*table.find("first"),
               fmt::format("{} = {}: the file has {} rows, numbered from 0; give a smaller number",
                           table.full("first"), first, available));
  }
  const Index count = find_at_least(table, "count", 1, "count = 64").value_or(available - first);
  if (count > available - first) {
    table.fail(*table.find("count"),
               fmt::format("{} = {}: the file has {} rows from row {} on; give at most that",
                           table.full("count"), count, available - first, first));
  }
  return {first, count};
}

InputsRead generate(const TableReader& table, ordered_json& resolved, const std::string& reads) {
  refuse(table, {"grid", "first", "count"}, "images say their size and their count themselves");
  refuse(table, {"graph", "directed", "graph_sizes"}, "the nodes of a graph are rows of a file");
  refuse(table, array_keys, "there is no file");
  refuse(table, table_keys, "there is no file");
  const TableReader images = table.get_table("images", images_example);
  images.only({"count", "channels", "size", "seed"});
  images.get_integer("count", "count = 64");
  images.get_array("size", "size = [8, 8]");
  inputs::ImageSettings settings;
  settings.count = *find_at_least(images, "count", 1, "count = 64");
  settings.channels = find_at_least(images, "channels", 1, "channels = 3").value_or(1);
  settings.size = read_axes(images, "size", "size = [8, 8]");
  const Index seed = find_at_least(images, "seed", 0, "seed = 0").value_or(0);
  settings.seed = static_cast<std::uint64_t>(seed);
  const double positions = product(settings.size);
  if (positions < 4)
    images.fail(*images.find("size"), images.full("size") + ": must have at least 4 positions");
  resolved["images"] = {
      {"count", settings.count}, {"channels", settings.channels}, {"size", settings.size}, {"seed", seed}};
  const bool flat = table.find_boolean("flat", "flat = true").value_or(reads == "vectors");
  resolved["flat"] = flat;
  check_size(images, "count", static_cast<double>(settings.count), flat ? 1 : positions,
             positions * static_cast<double>(settings.channels));
  Eigen::MatrixXd samples = inputs::synthetic_images(settings);
  return {flat ? inputs::as_vectors(std::move(samples)) : inputs::as_grids(samples, settings.size),
          "synthetic images", ""};
}

/// Integers given as such, or in a file as an array, what is no integer as 0.
std::vector<Index> read_counts(const TableReader& table, const std::string& key, const std::string& example) {
  const toml::node* node = table.find(key);
  if (!node->is_string()) {
    const auto given = table.find_integers(key, example).value();
    return {given.begin(), given.end()};
  }
  const std::filesystem::path path = path_of(table, key, table.get_string(key, ""));
  const Eigen::MatrixXd numbers = table.at(*node, [&] {
    const files::Array array = inputs::read_samples(path).array;
    return array.samples(0, array.count());
  });
  std::vector<Index> result;
  for (const double number : numbers.reshaped()) {
    const bool whole = number == std::floor(number) && std::abs(number) < 1e9;
    result.push_back(whole ? static_cast<Index>(number) : 0);
  }
  return result;
}

/// Makes the inputs the nodes of a graph if the table has one.
void add_graph(const TableReader& table, inputs::Inputs& inputs, ordered_json& resolved) {
  const std::optional<std::string> file = table.find_string("graph", "graph = \"edges.csv\"");
  if (!file) refuse(table, {"directed", "graph_sizes"}, "there is no graph");
  const bool directed = table.find_boolean("directed", "directed = true").value_or(false);
  resolved["graph"] = file ? ordered_json(*file) : ordered_json();
  resolved["directed"] = directed;
  if (!file) return;
  refuse(table, {"grid", "first", "count", "batch_size"}, "with a graph, all rows of the file are nodes");
  const std::filesystem::path path = path_of(table, "graph", *file);
  inputs.graph = table.at(*table.find("graph"), [&] {
    if (!inputs.lengths.empty() || !inputs.grid.empty())
      throw InputError(
          "the nodes of a graph cannot be images or tokens of sequences; give a "
          "file of vectors, or no graph");
    return inputs::read_edges(path, inputs.count(),
                              directed ? inputs::EdgeKind::directed : inputs::EdgeKind::undirected);
  });
  if (const toml::node* node = table.find("graph_sizes")) {
    inputs.graph_sizes = read_counts(table, "graph_sizes", "graph_sizes = [3, 2]");
    resolved["graph_sizes"] = inputs.graph_sizes;
    table.at(*node, [&] { inputs::validate(inputs); });
  }
}

inputs::TableFormat::Column read_column(const TableReader& table, const std::string& key,
                                        const toml::node& node) {
  if (const auto* name = node.as_string()) return name->get();
  if (const auto* number = node.as_integer()) return static_cast<Index>(number->get());
  table.fail(node, table.full(key) + " holds " + type_name(node) +
                       "; give names of columns, or their numbers from 0");
}

/// One column, or an array of them.
std::vector<inputs::TableFormat::Column> read_columns(const TableReader& table, const std::string& key) {
  const toml::node* node = table.find(key);
  if (!node) return {};
  const auto* array = node->as_array();
  if (!array) return {read_column(table, key, *node)};
  std::vector<inputs::TableFormat::Column> result;
  for (const toml::node& one : *array) result.push_back(read_column(table, key, one));
  return result;
}

std::optional<char> read_character(const TableReader& table, const std::string& key, const std::string& valid,
                                   const std::string& example) {
  const auto text = table.find_string(key, example);
  if (!text) return std::nullopt;
  if (text->size() == 1 && valid.find((*text)[0]) != std::string::npos) return (*text)[0];
  table.fail(*table.find(key), table.full(key) + " = " + files::in_quotes(*text) +
                                   ": must be one character; for example " + example);
}

inputs::TableFormat read_format(const TableReader& table) {
  inputs::TableFormat result;
  result.columns = read_columns(table, "columns");
  result.labels = read_columns(table, "labels");
  const toml::node* skip = table.find("skip");
  if (skip && skip->is_integer()) {
    result.skip_lines = *find_at_least(table, "skip", 0, "skip = 1");
  } else {
    result.skip_columns = read_columns(table, "skip");
  }
  result.header = table.find_boolean("header", "header = true");
  result.separator = read_character(table, "separator", ",;\t| :", "separator = \";\"");
  result.decimal = read_character(table, "decimal", ".,", "decimal = \",\"");
  return result;
}

std::optional<inputs::Layout> read_layout(const TableReader& table) {
  const auto text = table.find_string("layout", "layout = \"channels_last\"");
  if (!text) return std::nullopt;
  if (*text == "channels_first") return inputs::Layout::channels_first;
  if (*text == "channels_last") return inputs::Layout::channels_last;
  table.fail(*table.find("layout"), table.full("layout") + " = " + files::in_quotes(*text) +
                                        ": must be \"channels_first\" or \"channels_last\"");
}

/// Of the samples taken: given as numbers, or in a file as the other array of an npz file.
std::vector<Index> read_lengths(const TableReader& table, const inputs::Samples& samples,
                                const inputs::Selection& rows) {
  const toml::node* node = table.find("lengths");
  if (!node) return {};
  const Index tokens = samples.array.shape()[1];
  const std::vector<Index> all = read_counts(table, "lengths", "lengths = [3, 2]");
  if (std::ssize(all) != samples.array.count()) {
    table.fail(*node, fmt::format("{}: {} lengths for {} sequences; give one each", table.full("lengths"),
                                  all.size(), samples.array.count()));
  }
  for (const Index length : all) {
    if (length < 1 || length > tokens)
      table.fail(*node, fmt::format("{} holds {}: must be an integer from 1 to {}, the number of tokens",
                                    table.full("lengths"), length, tokens));
  }
  return {all.begin() + rows.first, all.begin() + rows.first + rows.count};
}

std::optional<std::pair<double, double>> read_range(const TableReader& table,
                                                    const inputs::Samples& samples) {
  const toml::node* node = table.find("range");
  if (!node) return std::nullopt;
  const files::NumberType& type = samples.array.type();
  if (samples.is_table || type.kind != files::NumberType::Kind::unsigned_integer || type.bytes != 1)
    table.fail(*node, table.full("range") +
                          ": the file holds no bytes (uint8), which alone have a range; leave it out");
  const toml::array& array = table.get_array("range", "range = [0, 1]");
  const auto low = array.size() == 2 ? array[0].value<double>() : std::nullopt;
  const auto high = array.size() == 2 ? array[1].value<double>() : std::nullopt;
  if (!low || !high || !(*low < *high) || !std::isfinite(*low) || !std::isfinite(*high))
    table.fail(*node, table.full("range") +
                          ": must be two numbers, what 0 and 255 stand for; for example range = [0, 1]");
  return std::pair(*low, *high);
}

ordered_json as_json(const toml::node& node) {
  std::ostringstream text;
  text << toml::json_formatter(node);
  return ordered_json::parse(text.str());
}

/// What the keys that were given say.
void resolve(const TableReader& table, const std::vector<std::string>& keys, ordered_json& resolved) {
  for (const std::string& key : keys) {
    if (const toml::node* node = table.find(key)) resolved[key] = as_json(*node);
  }
}

InputsRead load_tokens(const TableReader& table, const inputs::Samples& samples, ordered_json& resolved) {
  refuse(table, array_keys, "the file holds sequences");
  refuse(table, {"flat", "grid", "columns", "labels"}, "the file holds sequences");
  refuse(table, {"first", "count"}, "the file holds sequences, which are taken as a whole");
  inputs::Inputs inputs = inputs::tokens(samples);
  check_size(table, "count", static_cast<double>(inputs.count()), 1, static_cast<double>(inputs.dimension()));
  resolved["flat"] = false;
  resolved["grid"] = std::vector<Index>{};
  resolved["first"] = 0;
  resolved["count"] = inputs.count();
  return {std::move(inputs), samples.said, ""};
}

InputsRead load_samples(const TableReader& table, const inputs::Samples& samples, const std::string& reads,
                        ordered_json& resolved) {
  const files::Array& array = samples.array;
  const inputs::Selection rows = read_rows(table, array.count());
  inputs::FormKeys keys{{},
                        read_layout(table),
                        table.find_boolean("flat", "flat = true"),
                        table.find("lengths") != nullptr,
                        reads};
  if (table.find("grid")) keys.grid = read_axes(table, "grid", "grid = [8, 8]");
  if (array.shape().size() == 2 && !keys.grid)
    refuse(table, {"flat"}, "rows of numbers are plain vectors already, unless there is a grid");
  const toml::node* place = table.find("grid");
  const inputs::Form form =
      table.at(place ? *place : *table.find("file"), [&] { return inputs::form_of(samples, keys); });
  double numbers = 1;
  for (const Index length : array.sample_shape()) numbers *= static_cast<double>(length);
  const bool sequences = form.kind == inputs::Form::Kind::sequences;
  const double positions = sequences ? static_cast<double>(array.shape()[1]) : product(form.grid);
  check_size(table, "count", static_cast<double>(rows.count), positions, numbers);
  const auto range = read_range(table, samples);
  const std::vector<Index> lengths = sequences ? read_lengths(table, samples, rows) : std::vector<Index>{};
  inputs::Inputs inputs =
      table.at(*table.find("file"), [&] { return inputs::make_inputs(samples, form, rows, lengths, range); });
  const bool axes = array.shape().size() > 2;
  resolved["flat"] = form.kind == inputs::Form::Kind::vectors && axes;
  resolved["grid"] = form.grid;
  resolved["first"] = rows.first;
  resolved["count"] = rows.count;
  if (form.kind == inputs::Form::Kind::grid && (axes || keys.layout))
    resolved["layout"] = form.layout == inputs::Layout::channels_first ? "channels_first" : "channels_last";
  return {std::move(inputs), samples.said, form.doubt};
}

/// "2 images of 4×4, 3 channels".
std::string described(const inputs::Inputs& inputs) {
  const Index samples = inputs.samples(), dimension = inputs.dimension();
  if (inputs.graph && samples > 1)
    return fmt::format("{} graphs of {} nodes in all, with {} numbers", samples, inputs.count(), dimension);
  if (inputs.graph) return fmt::format("a graph of {} nodes with {} numbers", inputs.count(), dimension);
  if (!inputs.lengths.empty()) return fmt::format("{} sequences with {} numbers a token", samples, dimension);
  if (inputs.grid.empty()) return fmt::format("{} vectors of {} numbers", samples, dimension);
  return fmt::format("{} samples on a grid of {} with {} channels", samples, fmt::join(inputs.grid, "×"),
                     dimension);
}

InputsRead load(const TableReader& table, const std::string& reads, ordered_json& resolved) {
  const std::string file = table.get_string("file", "file = \"inputs.csv\"");
  resolved["file"] = file;
  const inputs::TableFormat format = read_format(table);
  const inputs::Samples samples = table.at(
      *table.find("file"), [&] { return inputs::read_samples(path_of(table, "file", file), format); });
  if (!samples.is_table) refuse(table, table_keys, "the file holds an array, and no text");
  InputsRead result = samples.lengths.empty() ? load_samples(table, samples, reads, resolved)
                                              : load_tokens(table, samples, resolved);
  resolve(table, table_keys, resolved);
  resolve(table, {"lengths", "range"}, resolved);
  add_graph(table, result.inputs, resolved);
  result.said = fmt::format("{}: {}: {}", files::printable(file), result.said, described(result.inputs));
  return result;
}

void assign_batches(const TableReader& table, inputs::Inputs& inputs, ordered_json& resolved) {
  const Index samples = inputs.samples();
  const Index size = find_at_least(table, "batch_size", 1, "batch_size = 32").value_or(samples);
  resolved["batch_size"] = size;
  if (size >= samples) return;
  for (Index s = 0; s < samples; ++s) inputs.batch.push_back(static_cast<int>(s / size));
}

InputsRead read_one(const TableReader& table, std::vector<std::string> keys, ordered_json& resolved,
                    const std::string& reads) {
  keys.insert(keys.end(), {"file", "images", "grid", "flat", "first", "count"});
  keys.insert(keys.end(), array_keys.begin(), array_keys.end());
  keys.insert(keys.end(), table_keys.begin(), table_keys.end());
  table.only(keys);
  if (table.find("file")) refuse(table, {"images"}, "there is a file as well");
  if (!table.find("file") && !table.find("images")) {
    table.fail(table.table(), "[" + table.path() +
                                  "] has neither \"file\" nor \"images\"; add file = \"inputs.csv\" or " +
                                  images_example);
  }
  return table.find("images") ? generate(table, resolved, reads) : load(table, reads, resolved);
}

/// What is said of each of the others stands behind its name.
void add_others(const TableReader& table, InputsRead& result, ordered_json& resolved) {
  const std::string example = "others = {caption = {file = \"captions.csv\"}}";
  if (!table.find("others")) return;
  const TableReader others = table.get_table("others", example);
  for (const auto& [key, node] : others.table()) {
    const std::string name(key.str());
    const TableReader own = others.get_table(name, example);
    InputsRead read = read_one(own, {}, resolved["others"][name], "");
    result.said += fmt::format("; {}: {}", name, read.said);
    if (!read.doubt.empty()) result.doubt += (result.doubt.empty() ? "" : "; ") + name + ": " + read.doubt;
    result.inputs.others.push_back({name, std::move(read.inputs)});
    others.at(node, [&] { inputs::validate(result.inputs); });
  }
}

}  // namespace

InputsRead read_inputs_table(const TableReader& table, ordered_json& resolved, const std::string& reads) {
  InputsRead result =
      read_one(table, {"batch_size", "graph", "directed", "graph_sizes", "others"}, resolved, reads);
  assign_batches(table, result.inputs, resolved);
  resolved["columns"] = result.inputs.count();
  resolved["dimension"] = result.inputs.dimension();
  add_others(table, result, resolved);
  return result;
}

}  // namespace nngpcheck::config
