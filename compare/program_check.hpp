// The check of a kernel against the random networks of a program.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "nngpcheck/compare/verdict/check.hpp"
#include "nngpcheck/empirical/sampler.hpp"
#include "nngpcheck/netsor/program.hpp"
#include "nngpcheck/support/progress.hpp"

namespace nngpcheck::compare {

/// Draws ladders from a sampler: network i of a width is its network i. It reports, and may be stopped, at
/// each network.
DrawLadders ladders_of(std::shared_ptr<const empirical::Sampler> sampler, std::uint64_t seed,
                       Progress progress = {});

struct ProgramCheckOptions {
  /// Widths are multiplied by the program's unit (see netsor::width_unit) if it does not accept them as they
  /// are; the largest width, if none is given, is what fits into the sampler's memory, at most 2^20.
  CheckOptions check = {};
  empirical::SamplerOptions sampler = {};
  std::uint64_t seed = 0;  // of the networks
  /// Whether the plan is made from the finite-width law, unless check.foresee is given.
  bool foresee = true;
};

/// Widths that the sampler's program accepts, its precision, and the largest width if none is given.
CheckOptions fitted_to(const empirical::Sampler& sampler, CheckOptions options);

/// What the finite-width law says of the networks between these inputs, to some per cent, and what counting
/// their operations says. Nothing where there is no law, where it says only what holds in distribution, and
/// where it takes more than a tenth of the check's time. Throws Stopped.
std::optional<Foresight> foresight(const std::shared_ptr<const empirical::Sampler>& sampler,
                                   const std::vector<Eigen::Index>& inputs, const CheckOptions& options);

/// Is `kernel` the limit of the program's random networks? Sets CheckResult::seconds. Throws CompareError as
/// check() does, Stopped, and what the sampler throws.
CheckResult check(const netsor::Program& program, const kernels::Kernel& kernel,
                  const ProgramCheckOptions& options = {});

}  // namespace nngpcheck::compare
