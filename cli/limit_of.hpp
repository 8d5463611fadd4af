#pragma once

#include <filesystem>

#include "nngpcheck/analytic/law.hpp"
#include "nngpcheck/analytic/limit.hpp"
#include "nngpcheck/config/experiment.hpp"

namespace nngpcheck::cli {

/// The limit of an experiment read from `file`, whose errors name both. threads: 0 for all.
analytic::Limit limit_of(const config::Experiment& experiment, const std::filesystem::path& file,
                         const Progress& progress, int threads = 0);

/// Its finite-width law, likewise.
analytic::FiniteWidthLaw law_of(const config::Experiment& experiment, const std::filesystem::path& file,
                                const Progress& progress, const analytic::LawOptions& options = {});

}  // namespace nngpcheck::cli
