// GoogleTest assertions: a kernel is the infinite-width limit of random networks. Without LibTorch's headers;
// for modules of torch::nn see nngpcheck/module.hpp.
//
//     EXPECT_NNGP(program, kernel);
//     ASSERT_NNGP(program, kernel, {.check = {.resolution = 0.02}, .seed = 1});
//     EXPECT_NNGP(program, kernel, {.check = {.tolerance = 0.05}});
//
// `program` is a netsor::Program, `kernel` an Eigen::MatrixXd or a kernels::Kernel; a
// compare::ProgramCheckOptions and an Inconclusive may follow. The assertion holds if compare::check() says
// `agree`: no entry is off by more than the resolution (1 %), or the tolerance, relative to √(K_aa K_bb). A
// right kernel, or one within half of the tolerance, fails with `disagree` with probability ≤
// options.check.false_alarm (1e-6). `inconclusive` fails too, with its reason,
// unless Inconclusive::passes is given: then the verdict is printed. A failure shows the verdict and
// compare::evidence_table(); what is thrown becomes a failure with its message.
#pragma once

#include <gtest/gtest.h>

#include <Eigen/Core>
#include <chrono>
#include <cstdint>
#include <exception>
#include <iostream>
#include <string>

#include "nngpcheck/compare/error.hpp"
#include "nngpcheck/compare/program_check.hpp"
#include "nngpcheck/compare/report/evidence_table.hpp"
#include "nngpcheck/compare/verdict/evidence.hpp"

namespace nngpcheck {

/// What an assertion does where the networks decide nothing.
enum class Inconclusive { fails, passes };

namespace assertions {

/// Of m inputs. Throws CompareError unless it is m×m.
inline kernels::Kernel estimate(const kernels::Kernel& kernel, Eigen::Index m) {
  if (kernel.value.rows() != m || kernel.value.cols() != m) {
    const std::string size = std::to_string(m);
    throw compare::CompareError("the kernel is " + std::to_string(kernel.value.rows()) + "×" +
                                std::to_string(kernel.value.cols()) + ": for " + size +
                                " inputs it must be " + size + "×" + size);
  }
  return kernel;
}
inline kernels::Kernel estimate(const Eigen::MatrixXd& kernel, Eigen::Index m) {
  return estimate(kernels::Kernel{kernel}, m);
}

/// What `check`, a function without arguments, finds about the kernel called `kernel`.
template <class Check>
testing::AssertionResult assertion(const std::string& kernel, std::uint64_t seed, Inconclusive inconclusive,
                                   const Check& check) {
  try {
    const auto start = std::chrono::steady_clock::now();
    compare::CheckResult result = check();
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const std::string verdict = compare::verdict_text(kernel, result);
    if (result.verdict == compare::Verdict::agree) return testing::AssertionSuccess() << verdict;
    if (result.verdict == compare::Verdict::inconclusive && inconclusive == Inconclusive::passes) {
      std::cout << verdict << std::endl;
      return testing::AssertionSuccess() << verdict;
    }
    return testing::AssertionFailure()
           << verdict << "\n"
           << compare::evidence_table(result) << "  repeat with       seed " << seed << "\n";
  } catch (const std::exception& error) {
    return testing::AssertionFailure() << "could not check " << kernel << ": " << error.what() << "\n";
  }
}

template <class Kernel>
testing::AssertionResult program_has_limit(const std::string& name, const netsor::Program& program,
                                           const Kernel& kernel,
                                           const compare::ProgramCheckOptions& options = {},
                                           Inconclusive inconclusive = Inconclusive::fails) {
  return assertion(name, options.seed, inconclusive,
                   [&] { return compare::check(program, estimate(kernel, program.outputs()), options); });
}

}  // namespace assertions
}  // namespace nngpcheck

// As GoogleTest's own assertions: safe in an if without braces, and a message may be streamed in.
#define NNGPCHECK_ASSERTION_(result, failure)                          \
  switch (0)                                                           \
  case 0:                                                              \
  default:                                                             \
    if (const ::testing::AssertionResult nngpcheck_assertion = result) \
      ;                                                                \
    else                                                               \
      failure() << nngpcheck_assertion.failure_message()

#define EXPECT_NNGP(program, kernel, ...)                                                             \
  NNGPCHECK_ASSERTION_(::nngpcheck::assertions::program_has_limit(#kernel " for " #program, program,  \
                                                                  kernel __VA_OPT__(, ) __VA_ARGS__), \
                       ADD_FAILURE)
#define ASSERT_NNGP(program, kernel, ...)                                                             \
  NNGPCHECK_ASSERTION_(::nngpcheck::assertions::program_has_limit(#kernel " for " #program, program,  \
                                                                  kernel __VA_OPT__(, ) __VA_ARGS__), \
                       FAIL)
