#include "cli/show_result.hpp"

#include <fmt/format.h>

#include "nngpcheck/files/utf8.hpp"

namespace nngpcheck::cli {

void show_result(const compare::RunResult& result, const std::filesystem::path& folder) {
  if (result.missing > 0) {
    fmt::print(
        "{}: {} of {} networks are missing; nngpcheck run draws them, nngpcheck merge adds those of shards\n",
        folder.string(), result.missing, result.networks);
    return;
  }
  if (!result.warning.empty()) tell(result.warning);
  for (std::size_t e = 0; e < result.summary.experiments.size(); ++e) {
    const compare::ExperimentSummary& experiment = result.summary.experiments[e];
    fmt::print("{}: {}, {} ladders over widths {} to {}\n", experiment.name, rate_text(experiment),
               experiment.widths.front().networks, experiment.widths.front().width,
               experiment.widths.back().width);
    if (const std::string text = prediction_text(experiment); !text.empty()) fmt::print("  {}\n", text);
    if (e < result.verdicts.size() && !result.verdicts[e].empty()) fmt::print("  {}\n", result.verdicts[e]);
  }
  fmt::print("{}: report.html, report.md, summary.json, samples.csv{}\n", folder.string(),
             result.warning.empty() ? ", pictures as svg and png" : "");
}

void tell(const std::string& notice) { fmt::print(stderr, "nngpcheck: {}\n", files::printable(notice)); }

}  // namespace nngpcheck::cli
