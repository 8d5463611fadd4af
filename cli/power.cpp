#include "nngpcheck/compare/power/power.hpp"

#include <fmt/format.h>

#include "cli/chosen.hpp"
#include "cli/commands.hpp"
#include "cli/limit_of.hpp"
#include "cli/mutants_of.hpp"
#include "cli/watch.hpp"
#include "nngpcheck/files/atomic_file.hpp"

namespace nngpcheck::cli {

bool power(const PowerOptions& options) {
  const std::vector<config::Experiment> experiments =
      chosen(config::read_experiments(options.file, options.overrides), options.experiment, options.file);
  tell_doubts(experiments);
  compare::PowerOptions with;
  with.repetitions = options.repetitions;
  with.check.check.resolution = options.resolution;
  if (options.above_resolution) with.of = compare::PowerOf::must_be_caught;
  with.threads = options.threads;
  compare::validate(with.check.check);
  std::optional<files::AtomicFile> json;
  if (options.json) json.emplace(*options.json);
  nlohmann::ordered_json written = nlohmann::ordered_json::array();
  bool all_caught = true;
  Watch watch(!options.quiet);
  for (const config::Experiment& experiment : experiments) {
    const kernels::Kernel right = limit_of(experiment, options.file, watch.progress(), options.threads);
    analytic::LimitOptions limits;
    limits.threads = options.threads;
    limits.progress = watch.progress().named(experiment.name + ", wrong kernels");
    with.check.check.progress = watch.progress().named(experiment.name);
    const compare::Catalogue catalogue =
        mutants_of(experiment, right, limits);
    const compare::PowerResult result = compare::power(experiment.program, right, catalogue, with);
    watch.clear();
    fmt::print("{}\n", compare::power_text(experiment.name, result));
    std::fflush(stdout);
    written.push_back(compare::to_json(experiment.name, result));
    all_caught = all_caught && result.all_caught();
  }
  if (json) json->commit(written.dump(2) + "\n");
  return all_caught;
}

}  // namespace nngpcheck::cli
