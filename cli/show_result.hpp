#pragma once

#include <filesystem>
#include <string>

#include "nngpcheck/compare/runs/run.hpp"

namespace nngpcheck::cli {

/// What a run gave, to standard output: a line per experiment and the files, or what is missing.
void show_result(const compare::RunResult& result, const std::filesystem::path& folder);

/// A notice to standard error.
void tell(const std::string& notice);

}  // namespace nngpcheck::cli
