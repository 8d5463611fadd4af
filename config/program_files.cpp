#include "nngpcheck/config/program_files.hpp"

#include <cctype>

#include "nngpcheck/config/overrides.hpp"
#include "nngpcheck/config/sampling_tables.hpp"
#include "nngpcheck/files/npy.hpp"
#include "nngpcheck/files/text_file.hpp"
#include "nngpcheck/import/import.hpp"
#include "nngpcheck/netsor/printer.hpp"
#include "nngpcheck/netsor/reader.hpp"
#include "nngpcheck/support/fingerprint.hpp"

namespace nngpcheck::config {

namespace {

using nlohmann::ordered_json;

/// What identifies an archive, or a program's text with all constants.
std::string fingerprint(const std::string& bytes) { return std::to_string(support::fingerprint(bytes)); }

Sweep default_sweep(const netsor::Program& program, ordered_json& resolved) {
  const std::int64_t unit = netsor::width_unit(program);
  const std::int64_t first = (63 / unit + 1) * unit;
  const Sweep sweep{.widths = {first, 2 * first, 4 * first, 8 * first, 16 * first}, .networks = 100};
  resolved = {{"widths", sweep.widths}, {"networks", sweep.networks}, {"seed", 0}, {"precision", "float64"}};
  return sweep;
}

/// The program, and that of its features if it has any.
struct Read {
  netsor::Program program;
  std::string identity;
  std::optional<netsor::Program> features = {};
};

/// An array of any number of axes.
importer::Numbers read_numbers(const std::filesystem::path& file) {
  const files::Array array = files::parse_npy(file.string(), files::read_file(file));
  const Eigen::MatrixXd samples = array.samples(0, array.count());
  return {{array.shape().begin(), array.shape().end()}, {samples.data(), samples.data() + samples.size()}};
}

importer::Imported import(const std::filesystem::path& file, const std::string& bytes,
                          const std::optional<std::filesystem::path>& inputs) {
  const importer::Archive archive = importer::parse_archive(bytes, file.string());
  if (!inputs) return importer::import_model(archive);
  try {
    return importer::import_model(archive, read_numbers(*inputs));
  } catch (const InputError& error) {
    throw InputError(inputs->string() + ": " + error.what());
  }
}

Read read_archive(const std::filesystem::path& file, const std::optional<std::filesystem::path>& inputs) {
  const std::string bytes = files::read_file(file);
  importer::Imported imported = import(file, bytes, inputs);
  if (imported.outputs) return {*imported.outputs, fingerprint(bytes), imported.features};
  std::string reasons;
  for (const importer::Diagnosis& diagnosis : imported.diagnoses)
    if (imported.verdict != "limit_other_input_law" || diagnosis.code.starts_with("non_gaussian_input"))
      reasons += (reasons.empty() ? "" : "; ") + diagnosis.text;
  throw InputError(file.string() + ": " + imported.verdict + ": " + reasons);
}

Read read_netsor(const std::filesystem::path& file) {
  const auto load = [&](const std::string& name) { return files::read_npy(file.parent_path() / name); };
  netsor::Program program = netsor::read_text(files::read_text(file), file.string(), load);
  std::string identity = fingerprint(netsor::write_text(program));
  return {std::move(program), std::move(identity)};
}

}  // namespace

std::string name_of(std::string text) {
  for (char& c : text)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-') c = '_';
  return text.empty() ? "program" : text;
}

bool is_program(const std::filesystem::path& file) {
  return importer::is_archive(file) || file.extension() == ".netsor";
}

Experiment read_program(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  const bool is_archive = importer::is_archive(file);
  toml::table root;
  apply_overrides({&root}, overrides);
  const TableReader table(root, "", file.string());
  std::vector<std::string> keys = {"name", "sweep", "check"};
  if (is_archive) keys.push_back("inputs");
  table.only(keys);
  std::optional<std::filesystem::path> inputs;
  if (table.find("inputs")) {
    const std::string example = "inputs.file=other.npy";
    const TableReader given = table.get_table("inputs", example);
    given.only({"file"});
    inputs = given.get_string("file", example);
  }
  Read read = is_archive ? read_archive(file, inputs) : read_netsor(file);
  ordered_json resolved;
  resolved["name"] = table.find_string("name", "name = \"net\"").value_or(name_of(file.stem().string()));
  check_name(table, resolved["name"]);
  resolved[is_archive ? "archive" : "program"] = {{"file", file.filename().string()},
                                                  {"fingerprint", read.identity}};
  if (inputs)
    resolved["inputs"] = {{"file", inputs->filename().string()},
                          {"fingerprint", fingerprint(files::read_file(*inputs))}};
  const Sweep sweep = table.find("sweep") ? read_sweep(table.get_table("sweep", widths_example), read.program,
                                                       resolved["sweep"])
                                          : default_sweep(read.program, resolved["sweep"]);
  Check check;
  if (table.find("check"))
    check = read_check(table.get_table("check", "[check] with tolerance = 0.01"), read.program);
  return {resolved["name"], {}, {}, std::move(read.program), sweep, check,
          resolved,         "", "", std::move(read.features)};
}

}  // namespace nngpcheck::config
