// The infinite-width limit of a program: its Gaussian-process kernel, with error bars.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nngpcheck/analytic/error.hpp"
#include "nngpcheck/kernels/kernel.hpp"
#include "nngpcheck/kernels/mosaic.hpp"
#include "nngpcheck/netsor/program.hpp"
#include "nngpcheck/support/part.hpp"
#include "nngpcheck/support/progress.hpp"

namespace nngpcheck::analytic {

/// How a pair of bundles' moment E[XᵀY] was computed; later rules are more expensive.
enum class Rule {
  linear,       // 1: a covariance, or sums of other moments
  product,      // 1: independent factors, each by its own rule
  closed_form,  // 2: E[φ(u)ψ(v)] by formula
  quadrature,   // 3: E[φ(u)ψ(v)] by a series or quadrature
  batch_norm,   // 4: Laplace integrals
  paths,        // 5: randomized quasi-Monte Carlo over limit paths
};

/// "linear", "closed form", …
std::string to_string(Rule rule);

/// Only programs that need rule 5 read any of these but `progress`.
struct LimitOptions {
  /// Independent randomizations R of the whole program; the standard error comes from their spread. ≥ 2;
  /// 16 or more make it trustworthy.
  int randomizations = 16;
  /// Points per randomization, a power of two.
  std::optional<std::int64_t> points = {};
  /// Instead of a number of points: the largest standard error wanted, relative to √(K_aa K_bb) (to the
  /// largest entry of a rectangular block). Throws LimitError, saying how far it got, if the largest budget
  /// does not reach it. With neither, 5e-5 is aimed at with up to 2^19 points, and what is reached is
  /// reported.
  std::optional<double> tolerance = {};
  std::uint64_t seed = 0;
  /// Use rule 5 wherever it applies, also where a better rule does: for tests of the rules against each
  /// other.
  bool force_paths = false;
  int threads = 0;  // 0: all
  Progress progress = {};
};

/// One line of the plan: the moments E[XᵀY] of one pair of bundles.
struct PlanStep {
  std::string left, right;  // as the printer names them
  Rule rule;
  std::int64_t evaluations = 0;  // entries × (points or terms)
  double bound = 0;              // largest deterministic error bound of an entry
  double standard_error = 0;     // largest standard error of an entry
};

/// K, with error bars of its size and the labels of the program's outputs; the method names the most
/// expensive rule used, and its points.
struct Limit : kernels::Kernel {
  std::vector<PlanStep> plan = {};  // in the order of evaluation
};

/// The kernel σ_v² Σ_b (n_b/Σn) E[X_bᵀX_b] of the program's output. Symmetric.
/// Throws LimitError if a rule is missing, the limit does not exist, or the options cannot be met, and
/// Stopped.
Limit limit(const netsor::Program& program, const LimitOptions& options = {});

/// The block of that kernel at these rows and columns (train × test), at the cost of that block and the
/// diagonal where the program's rules allow it.
Limit limit(const netsor::Program& program, const std::vector<Eigen::Index>& rows,
            const std::vector<Eigen::Index>& columns, const LimitOptions& options = {});

/// A part of one of these two kernels: every `count`-th of the tiles that it is computed in (none, where it
/// has fewer; a sampled kernel is one tile), at their cost. Put together (kernels/mosaic.hpp) the parts are
/// that kernel, to the last bit.
std::vector<kernels::KernelTile> limit_part(const netsor::Program& program, support::Part part,
                                            const LimitOptions& options = {});
std::vector<kernels::KernelTile> limit_part(const netsor::Program& program,
                                            const std::vector<Eigen::Index>& rows,
                                            const std::vector<Eigen::Index>& columns, support::Part part,
                                            const LimitOptions& options = {});

/// The plan as a table: pair, instruction, rule, evaluations, errors; then the kinks and jumps of activations
/// that are expressions or user's functions.
std::string explain(const netsor::Program& program, const Limit& limit);

}  // namespace nngpcheck::analytic
