#include "nngpcheck/config/experiment.hpp"

#include <cctype>
#include <set>

#include "nngpcheck/architectures/options.hpp"
#include "nngpcheck/architectures/registry.hpp"
#include "nngpcheck/config/inputs_table.hpp"
#include "nngpcheck/config/layers.hpp"
#include "nngpcheck/config/overrides.hpp"
#include "nngpcheck/config/table_reader.hpp"
#include "nngpcheck/files/text_file.hpp"
#include "nngpcheck/import/import.hpp"
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

/// A model's name is its file's, with letters that names may have.
std::string archive_name(const std::filesystem::path& file) {
  std::string result = file.stem().string();
  for (char& c : result)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-') c = '_';
  return result.empty() ? "model" : result;
}

/// What identifies an archive: FNV-1a of its bytes.
std::string fingerprint(const std::string& bytes) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return std::to_string(hash);
}

Sweep default_sweep(const netsor::Program& program, ordered_json& resolved) {
  const std::int64_t unit = netsor::width_unit(program);
  const std::int64_t first = (63 / unit + 1) * unit;
  const Sweep sweep{.widths = {first, 2 * first, 4 * first, 8 * first, 16 * first}, .networks = 100};
  resolved = {{"widths", sweep.widths}, {"networks", sweep.networks}, {"seed", 0}, {"precision", "float64"}};
  return sweep;
}

Experiment read_archive(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  const std::string bytes = files::read_file(file);
  importer::Imported imported = importer::import_model(importer::parse_archive(bytes, file.string()));
  if (imported.verdict != "limit") {
    std::string reasons;
    for (const importer::Diagnosis& diagnosis : imported.diagnoses)
      if (imported.verdict != "limit_other_input_law" || diagnosis.code.starts_with("non_gaussian_input"))
        reasons += (reasons.empty() ? "" : "; ") + diagnosis.text;
    throw InputError(file.string() + ": " + imported.verdict + ": " + reasons);
  }
  toml::table root;
  apply_overrides({&root}, overrides);
  const TableReader table(root, "", file.string());
  table.only({"name", "sweep", "check"});
  ordered_json resolved;
  resolved["name"] = table.find_string("name", "name = \"net\"").value_or(archive_name(file));
  check_name(table, resolved["name"]);
  resolved["archive"] = {{"file", file.filename().string()}, {"fingerprint", fingerprint(bytes)}};
  const netsor::Program& program = *imported.outputs;
  const Sweep sweep = table.find("sweep")
                          ? read_sweep(table.get_table("sweep", widths_example), program, resolved["sweep"])
                          : default_sweep(program, resolved["sweep"]);
  Check check;
  if (table.find("check"))
    check = read_check(table.get_table("check", "[check] with tolerance = 0.01"), program);
  return {resolved["name"], {}, {}, program, sweep, check, resolved, "", "", imported.features};
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
  if (importer::is_archive(file)) {
    if (other) {
      throw InputError(other->string() +
                       ": a model's archive has its inputs inside; export the model with these");
    }
    return {read_archive(file, overrides)};
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
