// What a folder shows of a run.
#pragma once

#include <filesystem>
#include <vector>

#include "nngpcheck/compare/runs/run.hpp"

namespace nngpcheck::compare {

/// Reads all that is recorded in the folder and, if no network is missing, writes the files that run()
/// promises for a finished run. Throws Stopped; the next call goes on.
RunResult results(const std::vector<Experiment>& experiments, const ChunkGrid& grid,
                  const std::filesystem::path& folder, const Progress& progress = {});

/// The summary of a finished run. Throws CompareError if the folder holds none.
Summary recorded_summary(const std::filesystem::path& folder);

}  // namespace nngpcheck::compare
