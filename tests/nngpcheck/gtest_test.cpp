// EXPECT_NNGP on programs. Each check of a right kernel fails with probability at most 1e-6.
#include "nngpcheck/gtest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>

#include "nngpcheck/analytic/limit.hpp"
#include "nngpcheck/architectures/named/mlp.hpp"

namespace nngpcheck {
namespace {

using testing::AllOf;
using testing::HasSubstr;

netsor::Program make_program() {
  const Eigen::MatrixXd data{{1, 0.5, -1}, {0, 1, 0.3}};
  return architectures::mlp({.depth = 2, .bias_variance = 0.1}, {data, {"cat", "dog", "owl"}});
}

// EXPECT_FATAL_FAILURE sees no local variables.
const netsor::Program program = make_program();
const analytic::Limit limit = analytic::limit(program);
const Eigen::MatrixXd right = limit.value;
const Eigen::MatrixXd wrong = 1.1 * right;

compare::ProgramCheckOptions options(std::uint64_t seed = 0) {
  compare::ProgramCheckOptions result;
  result.check.resolution = 0.02;
  result.seed = seed;
  return result;
}

/// Cannot decide: too few networks for such a tolerance.
compare::ProgramCheckOptions hopeless() {
  compare::ProgramCheckOptions result;
  result.check.resolution = 1e-6;
  result.check.rounds = 1;
  return result;
}

template <class Kernel>
std::string message(const Kernel& kernel, const compare::ProgramCheckOptions& how = options()) {
  return assertions::program_has_limit("K", program, kernel, how).message();
}

TEST(ExpectNngp, PassesForTheLimit) {
  EXPECT_NNGP(program, right);
  EXPECT_NNGP(program, limit, {.seed = 1});
  ASSERT_NNGP(program, 1.0 * right, options());
}

TEST(ExpectNngp, FailsForAnotherKernel) {
  EXPECT_NONFATAL_FAILURE(EXPECT_NNGP(program, wrong, options()), "disagree  wrong for program: p < 1e-9");
  EXPECT_NONFATAL_FAILURE(EXPECT_NNGP(program, wrong, options()) << "and more", "and more");
  EXPECT_FATAL_FAILURE(ASSERT_NNGP(program, wrong, options()), "disagree");
}

TEST(ExpectNngp, ShowsTheEvidence) {
  const std::string text = message(wrong, options(7));
  for (const char* line :
       {"\n  reason            ", "\n  worst entry       (", "\n  given             0.",
        "\n  estimated         0.", " ± ", " % of √(K_aa K_bb)",
        "\n  networks          64 ladders of widths ", "; round 1, numbers 64 to 127",
        "\n  detectable error  ", "\n  fluctuations      fall as width^-0.",
        "\n  squared error     falls as width^-", "\n  repeat with       seed 7\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  // Both labels belong to the program's inputs.
  EXPECT_THAT(text, testing::ContainsRegex("worst entry       \\((cat|dog|owl), (cat|dog|owl)\\)"));
}

TEST(ExpectNngp, FailsWhereNothingIsDecidedUnlessAllowed) {
  EXPECT_NONFATAL_FAILURE(EXPECT_NNGP(program, right, hopeless()),
                          "inconclusive right for program: undecided");
  EXPECT_THAT(message(right, hopeless()), HasSubstr("\n  reason            undecided after 1 rounds"));
  testing::internal::CaptureStdout();
  EXPECT_NNGP(program, right, hopeless(), Inconclusive::passes);
  EXPECT_THAT(testing::internal::GetCapturedStdout(), HasSubstr("inconclusive right for program: undecided"));
  EXPECT_NONFATAL_FAILURE(EXPECT_NNGP(program, wrong, options(), Inconclusive::passes), "disagree");
}

TEST(ExpectNngp, FailsWhereItCannotCheck) {
  const std::string start = "could not check K: ";
  EXPECT_EQ(message(Eigen::MatrixXd(Eigen::MatrixXd::Ones(2, 2))),
            start + "the kernel is 2×2: for 3 inputs it must be 3×3\n");
  EXPECT_THAT(message(Eigen::MatrixXd(3, 2)), HasSubstr("the kernel is 3×2"));
  Eigen::MatrixXd kernel = right;
  kernel(0, 1) = NAN;
  EXPECT_THAT(message(kernel), AllOf(HasSubstr(start), HasSubstr("entry (cat, dog) is not finite")));
  EXPECT_THAT(message(kernels::Kernel{right, {}, {}, 0, {"a"}}), HasSubstr("1 labels"));
  compare::ProgramCheckOptions few = options();
  few.check.widths = {64, 128};
  EXPECT_THAT(message(right, few), HasSubstr("at least 4 of them"));
}

TEST(ExpectNngp, IsOneStatement) {
  const bool check = true;
  if (check)
    EXPECT_NNGP(program, right, options());
  else
    EXPECT_NNGP(program, wrong, options());
}

}  // namespace
}  // namespace nngpcheck
