#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "nngpcheck/config/experiment.hpp"
#include "nngpcheck/empirical/sampler.hpp"

namespace nngpcheck::cli {

using Networks = std::shared_ptr<const empirical::Sampler>;

/// Prints what a run of these experiments would take, one line each and one for all: time, measured on a few
/// networks of the narrower widths and extrapolated to the others; memory; disk. Writes nothing. `parts` is
/// how many processes or shards such as this one divide the time among them.
void dry_run(const std::vector<config::Experiment>& experiments, const std::vector<Networks>& networks,
             std::int64_t parts);

/// The most that the networks of an experiment take, and the width where they do. Throws unless every width
/// fits.
struct MostMemory {
  empirical::MemoryPlan plan;
  std::int64_t width = 0;
};
MostMemory most_memory(const config::Experiment& experiment, const empirical::Sampler& networks);

}  // namespace nngpcheck::cli
