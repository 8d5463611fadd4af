// GoogleTest assertions: a kernel is the infinite-width limit of somebody's own torch::nn modules.
//
//     EXPECT_NNGP_MODULE(module_factory, inputs, kernel);
//     ASSERT_NNGP_MODULE(module_factory, inputs, kernel, {.check = {.resolution = 0.03}, .seed = 1});
//
// `module_factory` is a function std::int64_t width -> network. Each call returns a freshly initialised
// network: a std::shared_ptr to a module with forward(Tensor) -> Tensor, a ModuleHolder, an AnyModule or a
// function Tensor -> Tensor. It is called serially; LibTorch is seeded before each call (see
// empirical/torch/module_kernels.hpp). The network maps [m, d] to [m, k], and K̂ = F Fᵀ/k: of the last hidden
// layer, or of many outputs. `inputs` is a torch::Tensor [m, d] (or [m, …]), whose dtype the networks get as
// the default, or an Eigen::MatrixXd d×m with one column per input, used in float32. `kernel` is an
// Eigen::MatrixXd m×m or a kernels::Kernel. A ModuleCheckOptions and an Inconclusive may follow. What
// holds and what fails is said in nngpcheck/gtest.hpp.
#pragma once

#include <cstdint>
#include <vector>

#include "nngpcheck/compare/verdict/draw_kernel.hpp"
#include "nngpcheck/empirical/torch/module_kernels.hpp"
#include "nngpcheck/gtest.hpp"

namespace nngpcheck {

/// One ladder of these widths draws 1.4 million numbers for each width×width matrix; float32 is several times
/// faster than float64. A bound half as large takes four times as many ladders. Precision is bought by more
/// ladders, not by larger widths, unless check.largest_width is set.
struct ModuleCheckOptions {
  std::vector<std::int64_t> widths = {32, 64, 128, 256, 512, 1024};
  compare::CheckOptions check = {};  // its widths and precision are not read
  std::uint64_t seed = 0;            // of the networks
};

namespace assertions {

template <class Factory, class Inputs, class Kernel>
testing::AssertionResult modules_have_limit(const std::string& name, const Factory& factory,
                                            const Inputs& inputs, const Kernel& kernel,
                                            const ModuleCheckOptions& options = {},
                                            Inconclusive inconclusive = Inconclusive::fails) {
  return assertion(name, options.seed, inconclusive, [&] {
    const torch::Tensor rows = empirical::rows_of(inputs);
    compare::CheckOptions check = options.check;
    check.widths = options.widths;
    check.precision = rows.defined() && rows.scalar_type() == torch::kFloat64 ? compare::Precision::float64
                                                                              : compare::Precision::float32;
    const auto draw = empirical::module_kernels(empirical::network_factory(factory), rows, options.seed);
    compare::CheckResult result =
        compare::check(estimate(kernel, rows.size(0)), compare::ladders_of(draw), check);
    if (result.reason.starts_with("heavy tails")) {
      result.reason +=
          "; let k grow in proportion to the width, and see that nothing random stays of fixed size";
    }
    return result;
  });
}

}  // namespace assertions
}  // namespace nngpcheck

#define EXPECT_NNGP_MODULE(module_factory, inputs, kernel, ...)                                            \
  NNGPCHECK_ASSERTION_(                                                                                    \
      ::nngpcheck::assertions::modules_have_limit(#kernel " for " #module_factory, module_factory, inputs, \
                                                  kernel __VA_OPT__(, ) __VA_ARGS__),                      \
      ADD_FAILURE)
#define ASSERT_NNGP_MODULE(module_factory, inputs, kernel, ...)                                            \
  NNGPCHECK_ASSERTION_(                                                                                    \
      ::nngpcheck::assertions::modules_have_limit(#kernel " for " #module_factory, module_factory, inputs, \
                                                  kernel __VA_OPT__(, ) __VA_ARGS__),                      \
      FAIL)
