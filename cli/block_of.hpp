#pragma once

#include <filesystem>

#include "nngpcheck/config/experiment.hpp"
#include "nngpcheck/kernels/kernel.hpp"
#include "nngpcheck/support/progress.hpp"

namespace nngpcheck::cli {

/// K(rows, columns): the kernel between the inputs of `rows`, and those of `columns`, one experiment on the
/// inputs of two files, the first of which is `rows_file`. The limit is that of one network on both; batch
/// norm sees batches of each. Errors name the file that they are about.
kernels::Kernel block_of(const config::Experiment& rows, const std::filesystem::path& rows_file,
                         const config::Experiment& columns, const std::filesystem::path& file,
                         const Progress& progress);

}  // namespace nngpcheck::cli
