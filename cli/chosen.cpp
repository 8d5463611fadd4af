#include "cli/chosen.hpp"

#include <fmt/format.h>

#include "cli/show_result.hpp"
#include "cli/usage_error.hpp"

namespace nngpcheck::cli {

std::string names_of(const std::vector<config::Experiment>& experiments) {
  std::string result;
  for (const config::Experiment& experiment : experiments)
    result += (result.empty() ? "" : ", ") + experiment.name;
  return result;
}

std::vector<config::Experiment> chosen(std::vector<config::Experiment> experiments, const std::string& name,
                                       const std::filesystem::path& file) {
  if (name.empty()) return experiments;
  const std::string names = names_of(experiments);
  std::erase_if(experiments, [&](const config::Experiment& experiment) { return experiment.name != name; });
  if (experiments.empty()) {
    throw UsageError(
        fmt::format("{}: no experiment is called \"{}\"; it holds {}", file.string(), name, names));
  }
  return experiments;
}

void tell_doubts(const std::vector<config::Experiment>& experiments) {
  for (const config::Experiment& experiment : experiments) {
    if (!experiment.inputs_doubt.empty())
      tell("not sure: " + experiment.name + ": " + experiment.inputs_doubt);
  }
}

}  // namespace nngpcheck::cli
