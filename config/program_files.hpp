// Private to config/: files that hold one program, with its inputs inside.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "nngpcheck/config/experiment.hpp"

namespace nngpcheck::config {

/// The experiment of a model's archive, .nngp, or of a program's text, .netsor: of that program, with the
/// keys name, sweep and check of `overrides`. Throws InputError for whatever is no program, and for models
/// without a limit, with the reasons.
Experiment read_program(const std::filesystem::path& file, const std::vector<std::string>& overrides);

}  // namespace nngpcheck::config
