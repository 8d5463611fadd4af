#include "nngpcheck/import/import.hpp"

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/usage_error.hpp"
#include "nngpcheck/files/atomic_file.hpp"
#include "nngpcheck/files/npy.hpp"
#include "nngpcheck/files/utf8.hpp"
#include "nngpcheck/netsor/printer.hpp"

namespace nngpcheck::cli {

namespace {

/// What a verdict means.
const char* meaning(const std::string& verdict) {
  if (verdict == "limit") return "the kernel converges";
  if (verdict == "limit_other_input_law")
    return "the kernel converges, to another one than that of Gaussian weights";
  if (verdict == "input_vanishes") return "the limit does not depend on the input";
  if (verdict == "diverges") return "what the network computes grows with n";
  if (verdict == "no_limit") return "the kernel of one network stays random at every width";
  if (verdict == "outside") return "no NETSOR program";
  return "no program can be formed";
}

/// The program as text, beside it its large constants: net.netsor, net.D1.npy.
void write_program(const netsor::Program& program, const std::filesystem::path& file,
                   files::AtomicFile& text) {
  const auto save = [&](const std::string& name, const Eigen::MatrixXd& matrix) {
    const std::filesystem::path beside = file.stem().string() + "." + name + ".npy";
    files::write_file(file.parent_path() / beside, files::npy_bytes(matrix));
    return beside.string();
  };
  text.commit(netsor::write_text(program, save));
}

}  // namespace

bool import_model(const ImportOptions& options) {
  if (options.output && options.output->extension() != ".netsor")
    throw UsageError("-o " + options.output->string() + ": a program's file must end in .netsor");
  std::optional<files::AtomicFile> json, text;
  if (options.json) json.emplace(*options.json);
  if (options.output) text.emplace(*options.output);
  const importer::Imported imported = importer::import_model(importer::read_archive(options.file));
  fmt::print("{}: {}\n", imported.verdict, meaning(imported.verdict));
  for (const importer::Diagnosis& diagnosis : imported.diagnoses)
    fmt::print("  {}: {}\n", files::printable(diagnosis.code), files::printable(diagnosis.text));
  for (const auto& [n, difference] : imported.equal_outputs)
    fmt::print("  n = {}: the program gives the model's outputs to {:.1e}\n", n, difference);
  if (json)
    json->commit(importer::to_json(imported).dump(1, ' ', false, nlohmann::json::error_handler_t::replace) +
                 "\n");
  if (text && imported.outputs)
    write_program(options.features ? *imported.features : *imported.outputs, *options.output, *text);
  return importer::has_limit(imported);
}

}  // namespace nngpcheck::cli
