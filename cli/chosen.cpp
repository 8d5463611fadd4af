#include "cli/chosen.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <numeric>
#include <random>
#include <set>

#include "cli/show_result.hpp"
#include "cli/usage_error.hpp"
#include "nngpcheck/netsor/passes/layers.hpp"
#include "nngpcheck/netsor/passes/restrict.hpp"

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

std::vector<config::Experiment> by_layer(const std::vector<config::Experiment>& experiments) {
  std::vector<config::Experiment> result;
  std::set<std::string> names;
  for (const config::Experiment& experiment : experiments) {
    std::vector<netsor::LayerProgram> layers = netsor::layer_programs(experiment.program);
    if (layers.empty())
      throw UsageError(experiment.name + ": its program names no layers; leave out --layers");
    for (netsor::LayerProgram& layer : layers) {
      config::Experiment part = experiment;
      part.name += "-" + config::name_of(layer.layer);
      while (!names.insert(part.name).second) part.name += "_";
      part.network = {};
      part.features = {};
      part.program = std::move(layer.program);
      part.resolved["name"] = part.name;
      part.resolved["layer"] = layer.layer;
      result.push_back(std::move(part));
    }
  }
  return result;
}

config::Experiment on_some_inputs(config::Experiment experiment, std::optional<std::int64_t> inputs) {
  std::vector<Eigen::Index> all(static_cast<std::size_t>(experiment.program.outputs())), some;
  if (!inputs || *inputs >= std::ssize(all)) return experiment;
  std::iota(all.begin(), all.end(), 0);
  std::mt19937_64 random(0);
  std::sample(all.begin(), all.end(), std::back_inserter(some), *inputs, random);
  experiment.program = netsor::restrict_outputs(experiment.program, some);
  return experiment;
}

void tell_doubts(const std::vector<config::Experiment>& experiments) {
  for (const config::Experiment& experiment : experiments) {
    if (!experiment.inputs_doubt.empty())
      tell("not sure: " + experiment.name + ": " + experiment.inputs_doubt);
  }
}

}  // namespace nngpcheck::cli
