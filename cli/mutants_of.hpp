// The wrong kernels of an experiment.
#pragma once

#include "nngpcheck/compare/power/mutants.hpp"
#include "nngpcheck/config/experiment.hpp"

namespace nngpcheck::cli {

/// Mistakes in its layers and program, or in its program alone where there are no layers.
compare::Catalogue mutants_of(const config::Experiment& experiment, const kernels::Kernel& right,
                              const analytic::LimitOptions& limits);

}  // namespace nngpcheck::cli
