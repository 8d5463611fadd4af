#include "nngpcheck/config/experiment.hpp"

#include <set>

#include "nngpcheck/architectures/options.hpp"
#include "nngpcheck/architectures/registry.hpp"
#include "nngpcheck/config/inputs_table.hpp"
#include "nngpcheck/config/layers.hpp"
#include "nngpcheck/config/overrides.hpp"
#include "nngpcheck/config/table_reader.hpp"
#include "nngpcheck/files/text_file.hpp"
#include "nngpcheck/netsor/error.hpp"
#include "nngpcheck/support/spelling.hpp"

namespace nngpcheck::config {

namespace {

using architectures::Architecture;
using architectures::OptionInfo;
using architectures::Settings;
using inputs::Inputs;
using nlohmann::ordered_json;

const std::string architecture_example = "[architecture] with name = \"mlp\"";
constexpr std::int64_t most_networks = 1'000'000'000;
const std::string widths_example = "widths = [64, 128, 256]";

/// An architecture and its options, not yet applied.
struct Model {
  std::string name;
  std::string reads;  // see Architecture::inputs; empty: anything
  architectures::Network network;
  ordered_json resolved;
};

/// Runs `work` and gives its error the offending option as place.
template <class Work>
auto read_options(const TableReader& table, const Work& work) {
  try {
    return work();
  } catch (const architectures::ArchitectureError& error) {
    const toml::node* node = table.find(error.key());
    table.fail(node ? *node : table.table(), table.full(error.what()));
  }
}

Model read_named(const TableReader& table) {
  const std::string name = table.get_string("name", "name = \"mlp\"");
  const Architecture* found = nullptr;
  try {
    found = &architectures::find(name);
  } catch (const architectures::ArchitectureError& error) {
    table.fail(*table.find("name"), error.what());
  }
  ordered_json resolved = {{"name", name}};
  const Settings settings = read_settings(table, found->options, {"name"}, resolved);
  return {name, found->inputs, read_options(table, [&] { return found->make(settings); }), resolved};
}

/// What a list of layers has beside them.
struct Readout : architectures::ReadoutBias {
  double readout_variance = 1;
  static std::vector<architectures::Field<Readout>> fields() {
    const std::vector<architectures::Field<Readout>> own = {
        {"readout_variance", &Readout::readout_variance, "variance of a readout weight times n", 0, {}}};
    return own + architectures::inherited<Readout>(ReadoutBias::fields());
  }
};

Model read_layered(const TableReader& table) {
  ordered_json resolved;
  const Settings settings = read_settings(table, architectures::describe<Readout>(), {"layers"}, resolved);
  architectures::Layers layers = read_layers(table, "layers", resolved["layers"]);
  const auto readout = read_options(table, [&] { return architectures::parse<Readout>(settings); });
  return {"network", "",
          architectures::network(std::move(layers), readout.readout_variance, readout.readout_bias_variance),
          resolved};
}

Model read_model(const TableReader& table) {
  const toml::node* name = table.find("name");
  if (!table.find("layers")) return read_named(table);
  if (name) table.fail(*name, "architecture has a name and a list of layers; give one of them");
  return read_layered(table);
}

netsor::Program build(const Model& model, const inputs::Inputs& inputs, const TableReader& experiment) {
  const toml::table& table = *experiment.table().get_as<toml::table>("architecture");
  try {
    return architectures::program(model.network, inputs);
  } catch (const InputError& error) {
    const auto* of_option = dynamic_cast<const architectures::ArchitectureError*>(&error);
    const toml::node* key = of_option && !of_option->key().empty() ? table.get(of_option->key()) : nullptr;
    if (!key) key = table.get("layers");
    const toml::node* other = experiment.table().get("inputs");
    experiment.fail(key ? *key : other ? *other : table, model.name + ": " + error.what());
  } catch (const netsor::ProgramError& error) {
    experiment.fail(table, error.what());
  }
}

std::vector<std::int64_t> read_widths(const TableReader& table, std::size_t fewest,
                                      const std::string& what_for) {
  const toml::array& array = table.get_array("widths", widths_example);
  std::vector<std::int64_t> widths;
  for (const toml::node& node : array) {
    const auto* width = node.as_integer();
    if (!width)
      table.fail(node,
                 table.full("widths") + " holds " + type_name(node) + "; give integers: " + widths_example);
    if (width->get() < 1) {
      table.fail(node,
                 table.full("widths") + " holds " + std::to_string(width->get()) + "; a width is at least 1");
    }
    if (!widths.empty() && width->get() <= widths.back()) {
      table.fail(node, table.full("widths") + " must increase: " + std::to_string(width->get()) +
                           " follows " + std::to_string(widths.back()));
    }
    widths.push_back(width->get());
  }
  if (widths.size() < fewest) {
    table.fail(array, table.full("widths") + " must hold at least " + std::to_string(fewest) + " widths, " +
                          what_for);
  }
  return widths;
}

/// Throws ProgramError if some width is not an integer at base width n.
void check_width(const netsor::Program& program, std::int64_t n) {
  for (const auto& node : program.nodes()) {
    if (const auto* type = std::get_if<netsor::BundleType>(&node.type)) type->width.at(n);
  }
}

std::uint64_t read_seed(const TableReader& table) {
  const std::int64_t seed = table.find_integer("seed", "seed = 1").value_or(0);
  if (seed < 0)
    table.fail(*table.find("seed"),
               table.full("seed") + " = " + std::to_string(seed) + ": must not be negative");
  return static_cast<std::uint64_t>(seed);
}

Precision read_precision(const TableReader& table) {
  const std::string precision = table.find_string("precision", "precision = \"float64\"").value_or("float64");
  if (precision == "float32") return Precision::float32;
  if (precision == "float64") return Precision::float64;
  table.fail(*table.find("precision"),
             table.full("precision") + " = \"" + precision + "\": must be \"float64\" or \"float32\"");
}

Sweep read_sweep(const TableReader& table, const netsor::Program& program, ordered_json& resolved) {
  table.only({"widths", "networks", "seed", "precision"});
  Sweep sweep;
  sweep.widths = read_widths(table, 1, "to draw networks of");
  table.at(*table.find("widths"), [&] {
    for (const std::int64_t n : sweep.widths) check_width(program, n);
  });
  sweep.networks = table.get_integer("networks", "networks = 100");
  if (sweep.networks < 2 || sweep.networks > most_networks) {
    table.fail(*table.find("networks"), "sweep.networks = " + std::to_string(sweep.networks) +
                                            ": must be at least 2, to show their spread, and at most " +
                                            std::to_string(most_networks));
  }
  sweep.seed = read_seed(table);
  sweep.precision = read_precision(table);
  resolved = {{"widths", sweep.widths},
              {"networks", sweep.networks},
              {"seed", sweep.seed},
              {"precision", sweep.precision == Precision::float32 ? "float32" : "float64"}};
  return sweep;
}

/// Of the inputs, by a round: a number, or "all".
std::optional<std::int64_t> read_looked_at(const TableReader& table) {
  const toml::node* node = table.find("inputs");
  if (node != nullptr && node->is_string()) {
    if (table.get_string("inputs", "inputs = \"all\"") == "all") return all_inputs;
    table.fail(*node, "check.inputs must be \"all\", or a number of inputs such as 64");
  }
  return table.find_integer("inputs", "inputs = \"all\", or inputs = 64");
}

Check read_check(const TableReader& table, const netsor::Program& program) {
  table.only(
      {"widths", "ladders", "resolution", "tolerance", "false_alarm", "time", "inputs", "seed", "precision"});
  Check check;
  if (const toml::node* widths = table.find("widths")) {
    check.widths = read_widths(table, 4, "to extrapolate");
    table.at(*widths, [&] {
      for (const std::int64_t n : check.widths) check_width(program, n);
    });
  }
  check.ladders = table.find_integer("ladders", "ladders = 64");
  check.resolution = table.find_number("resolution", "resolution = 0.01");
  check.tolerance = table.find_number("tolerance", "tolerance = 0.05");
  check.false_alarm = table.find_number("false_alarm", "false_alarm = 1e-6");
  check.time = table.find_number("time", "time = 120");
  check.inputs = read_looked_at(table);
  check.seed = read_seed(table);
  check.precision = read_precision(table);
  return check;
}

/// Names stand in file names, in tables and in --set.
void check_name(const TableReader& table, const std::string& name) {
  const bool plain = !name.empty() && name.find_first_not_of(
                                          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "0123456789_-") == std::string::npos;
  const bool taken =
      name == "name" || name == "architecture" || name == "inputs" || name == "sweep" || name == "check";
  if (!plain || taken) {
    const toml::node* node = table.table().get("name");
    table.fail(node ? *node : table.table(),
               "name = \"" + name + "\": " +
                   (taken ? "this is a key; choose another name" : "use letters, digits, _ and - only"));
  }
}

Experiment read_experiment(const TableReader& table, const inputs::Inputs* built_in = nullptr) {
  std::vector<std::string> keys = {"name", "architecture", "inputs", "sweep", "check"};
  if (built_in) std::erase(keys, "inputs");
  table.only(keys);
  const std::optional<std::string> name = table.find_string("name", "name = \"rnn\"");
  const Model model = read_model(table.get_table("architecture", architecture_example));
  ordered_json resolved;
  resolved["name"] = name.value_or(model.name);
  check_name(table, resolved["name"]);
  resolved["architecture"] = model.resolved;
  InputsRead read = [&] {
    if (built_in) return InputsRead{*built_in, "", ""};
    const TableReader given = table.get_table("inputs", "[inputs] with file = \"inputs.csv\"");
    return read_inputs_table(given, resolved["inputs"], model.reads);
  }();
  netsor::Program program = build(model, read.inputs, table);
  std::optional<Sweep> sweep;
  if (table.find("sweep")) {
    sweep = read_sweep(table.get_table("sweep", widths_example), program, resolved["sweep"]);
  }
  Check check;
  if (table.find("check")) {
    check = read_check(table.get_table("check", "[check] with tolerance = 0.01"), program);
  }
  return {resolved["name"],    model.network,        std::move(read.inputs),
          std::move(program),  std::move(sweep),     std::move(check),
          std::move(resolved), std::move(read.said), std::move(read.doubt)};
}

toml::table parse(const std::filesystem::path& file) {
  try {
    return toml::parse(files::read_file(file), file.string());
  } catch (const toml::parse_error& error) {
    throw InputError(file.string() + ":" + std::to_string(error.source().begin.line) + ": " +
                     std::string(error.description()));
  }
}

/// The tables of a file's experiments: its [[experiment]]s, or itself. Checks that several have different
/// names.
std::vector<toml::table*> tables(toml::table& root, const std::string& file) {
  if (!root.contains("experiment")) return {&root};
  const TableReader reader(root, "", file);
  reader.only({"experiment"});
  const toml::array& array = reader.get_array("experiment", "[[experiment]]");
  if (array.empty()) reader.fail(array, "experiment holds no table; write [[experiment]]");
  std::vector<toml::table*> result;
  std::set<std::string> names;
  for (toml::node& node : *root.get_as<toml::array>("experiment")) {
    toml::table* table = node.as_table();
    if (!table) reader.fail(node, "experiment holds " + type_name(node) + "; write [[experiment]] tables");
    const std::string name = TableReader(*table, "experiment", file).get_string("name", "name = \"rnn\"");
    if (!names.insert(name).second)
      reader.fail(node, "two experiments are called \"" + name + "\"; rename one");
    result.push_back(table);
  }
  return result;
}

/// Gives the experiments another file of inputs, all of whose samples are taken.
void read_instead(const std::vector<toml::table*>& experiments, const std::filesystem::path& other,
                  const std::string& file) {
  for (toml::table* experiment : experiments) {
    toml::table* inputs = experiment->get_as<toml::table>("inputs");
    if (!inputs) continue;  // which will be said
    const TableReader reader(*inputs, "inputs", file);
    for (const std::string key : {"images", "graph"}) {
      if (const toml::node* node = reader.find(key)) {
        reader.fail(*node, reader.full(key) + ": inputs of two files need a file here, and no graph");
      }
    }
    for (const char* key : {"first", "count", "lengths"}) inputs->erase(key);
  }
  apply_overrides(
      experiments,
      {"inputs.file=" +
       ordered_json(other.string()).dump(-1, ' ', false, ordered_json::error_handler_t::replace)});
}

}  // namespace

std::vector<Experiment> read_experiments(const std::filesystem::path& file,
                                         const std::vector<std::string>& overrides) {
  return read_experiments_on(file, overrides, {});
}

std::vector<Experiment> read_experiments_on(const std::filesystem::path& file,
                                            const std::vector<std::string>& overrides,
                                            const std::optional<std::filesystem::path>& other) {
  toml::table root = parse(file);
  const std::vector<toml::table*> experiments = tables(root, file.string());
  apply_overrides(experiments, overrides);
  if (other) read_instead(experiments, *other, file.string());
  std::vector<Experiment> result;
  std::set<std::string> names;
  for (const toml::table* table : experiments) {
    result.push_back(read_experiment({*table, "", file.string()}));
    if (!names.insert(result.back().name).second) {
      throw InputError(file.string() + ": two experiments are called \"" + result.back().name +
                       "\"; rename one");
    }
  }
  return result;
}

Experiment example_experiment(const std::string& architecture, const std::vector<std::string>& overrides) {
  const Architecture& found = [&]() -> const Architecture& {
    try {
      return architectures::find(architecture);
    } catch (const architectures::ArchitectureError& error) {
      throw InputError(error.what());
    }
  }();
  toml::table root{{"architecture", toml::table{{"name", found.name}}}};
  apply_overrides({&root}, overrides);
  inputs::Inputs inputs;
  inputs.data = Eigen::MatrixXd{{1, 0, 1, 0, 1}, {0, 1, 1, -1, 2}};
  if (found.inputs == "graph") {
    inputs.graph = {{0, 1}, {1, 0}, {1, 2}, {2, 1}, {3, 4}, {4, 3}};
    inputs.labels = {"0", "1", "2", "3", "4"};
  } else {
    inputs.lengths = {3, 2};
    inputs.labels = {"0:0 a", "0:1 b", "0:2 c", "1:0 d", "1:1 e"};
  }
  return read_experiment({root, "", architecture}, &inputs);
}

}  // namespace nngpcheck::config
