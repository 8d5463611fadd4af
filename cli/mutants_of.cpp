#include "cli/mutants_of.hpp"

namespace nngpcheck::cli {

compare::Catalogue mutants_of(const config::Experiment& experiment, const kernels::Kernel& right,
                              const analytic::LimitOptions& limits) {
  return experiment.network.layers.empty()
             ? compare::mutants(experiment.program, right, limits)
             : compare::mutants(experiment.network, experiment.inputs, right, limits);
}

}  // namespace nngpcheck::cli
