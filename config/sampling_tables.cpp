#include "nngpcheck/config/sampling_tables.hpp"

namespace nngpcheck::config {

namespace {

using nlohmann::ordered_json;

constexpr std::int64_t most_networks = 1'000'000'000;

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

/// Of the inputs, by a round: a number, or "all".
std::optional<std::int64_t> read_looked_at(const TableReader& table) {
  const toml::node* node = table.find("inputs");
  if (node != nullptr && node->is_string()) {
    if (table.get_string("inputs", "inputs = \"all\"") == "all") return all_inputs;
    table.fail(*node, "check.inputs must be \"all\", or a number of inputs such as 64");
  }
  return table.find_integer("inputs", "inputs = \"all\", or inputs = 64");
}

}  // namespace

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

}  // namespace nngpcheck::config
