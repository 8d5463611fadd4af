#include "nngpcheck/import/import.hpp"

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "nngpcheck/files/atomic_file.hpp"
#include "nngpcheck/files/utf8.hpp"

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

}  // namespace

bool import_model(const ImportOptions& options) {
  std::optional<files::AtomicFile> json;
  if (options.json) json.emplace(*options.json);
  const importer::Imported imported = importer::import_model(importer::read_archive(options.file));
  fmt::print("{}: {}\n", imported.verdict, meaning(imported.verdict));
  for (const importer::Diagnosis& diagnosis : imported.diagnoses)
    fmt::print("  {}: {}\n", files::printable(diagnosis.code), files::printable(diagnosis.text));
  for (const auto& [n, difference] : imported.equal_outputs)
    fmt::print("  n = {}: the program gives the model's outputs to {:.1e}\n", n, difference);
  if (json)
    json->commit(importer::to_json(imported).dump(1, ' ', false, nlohmann::json::error_handler_t::replace) +
                 "\n");
  return importer::has_limit(imported);
}

}  // namespace nngpcheck::cli
