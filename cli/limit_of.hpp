#pragma once

#include <filesystem>

#include "nngpcheck/config/experiment.hpp"
#include "nngpcheck/kernels/kernel_file.hpp"

namespace nngpcheck::cli {

/// The limit of an experiment read from `file`, whose errors name both. threads: 0 for all.
analytic::Limit limit_of(const config::Experiment& experiment, const std::filesystem::path& file,
                         const Progress& progress, int threads = 0);

/// The same with the labels of the program's output.
kernels::LabelledKernel kernel_of(const config::Experiment& experiment, const std::filesystem::path& file,
                                  const Progress& progress, int threads = 0);

}  // namespace nngpcheck::cli
