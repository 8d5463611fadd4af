#include "nngpcheck/config/experiment.hpp"

#include <set>

#include "nngpcheck/architectures/options.hpp"
#include "nngpcheck/architectures/registry.hpp"
#include "nngpcheck/config/inputs_table.hpp"
#include "nngpcheck/config/layers.hpp"
#include "nngpcheck/config/overrides.hpp"
#include "nngpcheck/config/program_files.hpp"
#include "nngpcheck/config/sampling_tables.hpp"
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

toml::table parse(const std::string& text, const std::string& source) {
  try {
    return toml::parse(text, source);
  } catch (const toml::parse_error& error) {
    throw InputError(source + ":" + std::to_string(error.source().begin.line) + ": " +
                     std::string(error.description()));
  }
}

/// Throws InputError for null.
toml::array toml_array(const nlohmann::json& list, const std::string& source);
toml::table toml_table(const nlohmann::json& object, const std::string& source);

/// Calls `put` with the TOML value.
template <class Put>
void with_toml(const nlohmann::json& value, const std::string& key, const std::string& source,
               const Put& put) {
  if (value.is_object()) return put(toml_table(value, source));
  if (value.is_array()) return put(toml_array(value, source));
  if (value.is_boolean()) return put(value.get<bool>());
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max())
    throw InputError(source + ": " + key + " = " + value.dump() + " is too large");
  if (value.is_number_integer()) return put(value.get<std::int64_t>());
  if (value.is_number()) return put(value.get<double>());
  if (value.is_string()) return put(value.get<std::string>());
  throw InputError(source + ": " + key + " is null; leave it out");
}

toml::array toml_array(const nlohmann::json& list, const std::string& source) {
  toml::array result;
  for (const nlohmann::json& value : list)
    with_toml(value, "a list's entry", source, [&](auto&& one) { result.push_back(std::move(one)); });
  return result;
}

toml::table toml_table(const nlohmann::json& object, const std::string& source) {
  toml::table result;
  for (const auto& [key, value] : object.items())
    with_toml(value, key, source,
              [&, &name = key](auto&& one) { result.insert_or_assign(name, std::move(one)); });
  return result;
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

/// Of a table of architecture's keys, or of an experiment.
Model architecture_of(const toml::table& table, const std::string& source) {
  const TableReader reader(table, "", source);
  if (!reader.find("architecture")) return read_model({table, "architecture", source});
  reader.only({"name", "architecture", "inputs", "sweep", "check"});
  return read_model(reader.get_table("architecture", architecture_example));
}

/// The experiment of that name, or the only one.
const toml::table& chosen(const std::vector<toml::table*>& experiments,
                          const std::optional<std::string>& name, const std::string& source) {
  if (!name && experiments.size() == 1) return *experiments.front();
  std::string names;
  for (const toml::table* table : experiments) {
    const auto called = table->get_as<std::string>("name");
    if (called && called->get() == name) return *table;
    if (called) names += (names.empty() ? "" : ", ") + called->get();
  }
  throw InputError(source + (name ? ": no experiment is called \"" + *name + "\"; it holds " + names
                                  : ": holds several experiments; name one: " + names));
}

/// Gives the experiments another file of inputs, all of whose samples are taken.
void read_instead(const std::vector<toml::table*>& experiments, const std::filesystem::path& other,
                  const std::string& file) {
  for (toml::table* experiment : experiments) {
    toml::table* inputs = experiment->get_as<toml::table>("inputs");
    if (!inputs) continue;  // which will be said
    const TableReader reader(*inputs, "inputs", file);
    for (const std::string key : {"images", "graph", "others"}) {
      if (const toml::node* node = reader.find(key)) {
        reader.fail(*node, reader.full(key) + ": inputs of two files need one file here, and no graph");
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
  if (is_program(file)) {
    if (other) throw InputError(other->string() + ": " + file.string() + " has its inputs inside");
    return {read_program(file, overrides)};
  }
  toml::table root = parse(files::read_file(file), file.string());
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

Model read_architecture(const std::string& toml, const std::string& source,
                        const std::optional<std::string>& experiment) {
  toml::table root = parse(toml, source);
  return architecture_of(chosen(tables(root, source), experiment, source), source);
}

Model architecture_from_json(const nlohmann::json& table, const std::string& source) {
  if (!table.is_object()) throw InputError(source + ": must be a table such as " + architecture_example);
  return architecture_of(toml_table(table, source), source);
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
