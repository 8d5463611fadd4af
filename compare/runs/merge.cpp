#include <fmt/format.h>

#include "nngpcheck/compare/error.hpp"
#include "nngpcheck/compare/runs/run_folder.hpp"
#include "nngpcheck/compare/runs/run_results.hpp"

namespace nngpcheck::compare {

namespace {

namespace fs = std::filesystem;

/// Where the parts come from, as provenance: the machines and versions of each.
nlohmann::ordered_json origins(const std::vector<fs::path>& folders) {
  nlohmann::ordered_json result = nlohmann::ordered_json::array();
  for (const fs::path& folder : folders) {
    nlohmann::ordered_json run = recorded_provenance(folder);
    run["folder"] = folder.string();
    result.push_back(std::move(run));
  }
  return {{"merged", std::move(result)}};
}

/// Of each experiment, what the first part that knows it has.
void copy_predictions(const std::vector<fs::path>& folders, const fs::path& folder,
                      std::vector<Experiment> experiments) {
  for (Experiment& experiment : experiments) {
    for (const fs::path& part : folders) {
      if (experiment.predict) break;
      if (const auto recorded = recorded_prediction(part, experiment))
        experiment.predict = [prediction = *recorded] { return prediction; };
    }
  }
  settle_predictions(folder, experiments);
}

}  // namespace

RunResult merge(const std::vector<fs::path>& folders, const fs::path& folder, const Notice& notice,
                const Progress& progress) {
  const std::string apart = "merge only parts of one run";
  std::vector<Experiment> experiments;
  for (const fs::path& part : folders) {
    const std::vector<Experiment> recorded = recorded_experiments(part);
    if (experiments.empty()) experiments = recorded;
    check_same(descriptions(recorded), descriptions(experiments), part, apart);
    check_kernels(part, experiments, apart);
    if (!has_samples(part))
      throw CompareError(part.string() + ": without its records (no samples/); leave it out");
  }
  const ChunkGrid grid = chunk_grid(experiments);
  SampleIndex parts(grid);
  for (const fs::path& part : folders) parts.add(part, notice);

  check_folder(folder);
  if (has_samples(folder)) parts.add(folder, notice);
  open_folder(folder, experiments, origins(folders));
  experiments = settle_kernels(folder, std::move(experiments));
  copy_predictions(folders, folder, experiments);
  RecordLog log(log_file(folder, "0"));
  SampleIndex there(grid);
  there.add(folder, [](const std::string&) {});
  for (std::size_t c = 0; c < grid.chunks.size(); ++c) {
    progress.check();
    if (parts.holds(c) && !there.holds(c)) log.append(parts.record(c));
  }
  log.sync();
  return results(experiments, grid, folder, progress);
}

}  // namespace nngpcheck::compare
