#include "config/inputs_table.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "config/cifar.hpp"
#include "config/graph.hpp"
#include "config/grid.hpp"
#include "config/images.hpp"
#include "config/inputs.hpp"

namespace nngpcheck::config {

namespace {

using architectures::Inputs;
using Eigen::Index;
using nlohmann::ordered_json;

const std::string images_example = "images = {count = 64, channels = 3, size = [8, 8]}";

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

/// Which rows of a file to take.
struct Rows {
  Index first;
  Index count;
};

Rows read_rows(const TableReader& table, Index available) {
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

/// Throws unless rows of `dimension` numbers hold a number of channels on that grid.
void check_grid(const TableReader& table, const std::vector<Index>& grid, Index dimension) {
  Index rest = dimension;  // dividing instead of multiplying: the product may overflow
  for (const Index extent : grid) {
    if (rest % extent != 0) {
      table.fail(*table.find("grid"),
                 fmt::format("{} = [{}]: a row of the file holds {} numbers, no multiple of {}; give a grid "
                             "whose positions times channels are that",
                             table.full("grid"), fmt::join(grid, ", "), dimension, fmt::join(grid, "·")));
    }
    rest /= extent;
  }
}

bool read_flat(const TableReader& table, ordered_json& resolved) {
  const bool flat = table.find_boolean("flat", "flat = true").value_or(false);
  resolved["flat"] = flat;
  return flat;
}

Inputs generate(const TableReader& table, ordered_json& resolved) {
  refuse(table, {"grid", "first", "count"}, "images say their size and their count themselves");
  refuse(table, {"graph", "directed"}, "the nodes of a graph are rows of a file");
  const TableReader images = table.get_table("images", images_example);
  images.only({"count", "channels", "size", "seed"});
  images.get_integer("count", "count = 64");
  images.get_array("size", "size = [8, 8]");
  ImageSettings settings;
  settings.count = *find_at_least(images, "count", 1, "count = 64");
  settings.channels = find_at_least(images, "channels", 1, "channels = 3").value_or(1);
  settings.size = read_axes(images, "size", "size = [8, 8]");
  const Index seed = find_at_least(images, "seed", 0, "seed = 0").value_or(0);
  settings.seed = static_cast<std::uint64_t>(seed);
  const double positions = product(settings.size);
  if (positions < 4) images.fail(*images.find("size"), "inputs.images.size: must have at least 4 positions");
  resolved["images"] = {
      {"count", settings.count}, {"channels", settings.channels}, {"size", settings.size}, {"seed", seed}};
  const bool flat = read_flat(table, resolved);
  check_size(images, "count", static_cast<double>(settings.count), flat ? 1 : positions,
             positions * static_cast<double>(settings.channels));
  Eigen::MatrixXd samples = synthetic_images(settings);
  return flat ? as_vectors(std::move(samples)) : as_grids(samples, settings.size);
}

Inputs load_cifar(const TableReader& table, const std::filesystem::path& path, ordered_json& resolved) {
  refuse(table, {"grid"}, "a CIFAR-10 file has the grid [32, 32], or none with flat = true");
  refuse(table, {"graph", "directed"}, "the nodes of a graph are rows of a CSV or npy file");
  const Index available = table.at(*table.find("file"), [&] { return cifar_count(path); });
  const Rows rows = read_rows(table, available);
  const bool flat = read_flat(table, resolved);
  const std::vector<Index> grid = {32, 32};
  check_size(table, "count", static_cast<double>(rows.count), flat ? 1 : product(grid), 3 * product(grid));
  Eigen::MatrixXd samples =
      table.at(*table.find("file"), [&] { return read_cifar(path, rows.first, rows.count); });
  resolved["grid"] = flat ? std::vector<Index>{} : grid;
  resolved["first"] = rows.first;
  resolved["count"] = rows.count;
  return flat ? as_vectors(std::move(samples)) : as_grids(samples, grid);
}

/// Makes the inputs the nodes of a graph if the table has one.
void add_graph(const TableReader& table, Inputs& inputs, ordered_json& resolved) {
  const std::optional<std::string> file = table.find_string("graph", "graph = \"edges.csv\"");
  if (!file) refuse(table, {"directed"}, "there is no graph");
  const bool directed = table.find_boolean("directed", "directed = true").value_or(false);
  resolved["graph"] = file ? ordered_json(*file) : ordered_json();
  resolved["directed"] = directed;
  if (!file) return;
  refuse(table, {"grid", "first", "count", "batch_size"},
         "with a graph, all rows of the file are nodes, and one sample");
  const std::filesystem::path path = path_of(table, "graph", *file);
  inputs.graph = table.at(*table.find("graph"), [&] {
    if (!inputs.lengths.empty())
      throw ConfigError(
          "the nodes of a graph cannot be tokens of sequences; give a "
          "file of vectors, or no graph");
    return read_edges(path, inputs.count(), directed ? EdgeKind::directed : EdgeKind::undirected);
  });
}

Inputs load_rows(const TableReader& table, const std::filesystem::path& path, ordered_json& resolved) {
  refuse(table, {"flat"}, "rows of a CSV or npy file are plain vectors already, unless there is a grid");
  Inputs inputs = table.at(*table.find("file"), [&] { return read_inputs(path); });
  if (!inputs.lengths.empty()) {
    refuse(table, {"grid"}, "the file holds sequences");
    refuse(table, {"first", "count"}, "the file holds sequences, which are taken as a whole");
  }
  const Rows rows = read_rows(table, inputs.count());
  std::vector<Index> grid;
  if (table.find("grid")) {
    grid = read_axes(table, "grid", "grid = [8, 8]");
    check_grid(table, grid, inputs.dimension());
  }
  check_size(table, "count", static_cast<double>(rows.count), product(grid),
             static_cast<double>(inputs.dimension()));
  if (!grid.empty()) {
    inputs = as_grids(inputs.data.middleCols(rows.first, rows.count), grid);
  } else if (rows.count < inputs.count()) {
    inputs = as_vectors(inputs.data.middleCols(rows.first, rows.count));
  }
  resolved["flat"] = false;
  resolved["grid"] = grid;
  resolved["first"] = rows.first;
  resolved["count"] = rows.count;
  add_graph(table, inputs, resolved);
  return inputs;
}

Inputs load(const TableReader& table, ordered_json& resolved) {
  const std::string file = table.get_string("file", "file = \"inputs.csv\"");
  resolved["file"] = file;
  const std::filesystem::path path = path_of(table, "file", file);
  return path.extension() == ".bin" ? load_cifar(table, path, resolved) : load_rows(table, path, resolved);
}

void assign_batches(const TableReader& table, Inputs& inputs, ordered_json& resolved) {
  const Index samples = inputs.samples();
  const Index size = find_at_least(table, "batch_size", 1, "batch_size = 32").value_or(samples);
  resolved["batch_size"] = size;
  if (size >= samples) return;
  for (Index s = 0; s < samples; ++s) inputs.batch.push_back(static_cast<int>(s / size));
}

}  // namespace

Inputs read_inputs_table(const TableReader& table, ordered_json& resolved) {
  table.only({"file", "images", "grid", "flat", "first", "count", "batch_size", "graph", "directed"});
  if (table.find("file")) refuse(table, {"images"}, "there is a file as well");
  if (!table.find("file") && !table.find("images")) {
    table.fail(table.table(), "[inputs] has neither \"file\" nor \"images\"; add file = \"inputs.csv\" or " +
                                  images_example);
  }
  Inputs inputs = table.find("images") ? generate(table, resolved) : load(table, resolved);
  assign_batches(table, inputs, resolved);
  resolved["columns"] = inputs.count();
  resolved["dimension"] = inputs.dimension();
  return inputs;
}

}  // namespace nngpcheck::config
