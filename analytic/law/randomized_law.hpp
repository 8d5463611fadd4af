// One randomization of the finite-width law.
#pragma once

#include <Eigen/Core>
#include <optional>
#include <string>
#include <vector>

#include "nngpcheck/analytic/evaluation/evaluation.hpp"
#include "nngpcheck/analytic/law/coordinate_sample.hpp"

namespace nngpcheck::analytic {

/// T = (1 - J)⁻¹: how averages answer noise in each entry of all averages (columns). Where derivatives are by
/// formula it is the same in all randomizations.
struct Resolvent {
  Eigen::MatrixXd of_kernel;    // entries of the kernel (rows)
  Eigen::MatrixXd of_averages;  // entries of all averages (rows); 0×0 where they are too many
};

/// The program, planned: K = Σ_b weight_b E[X_bᵀX_b], and the averages.
struct LawProblem {
  struct Block {
    Demand moment;
    double weight;
  };
  const Structure& structure;
  const Plan& plan;
  const Averages& averages;
  std::vector<Block> blocks;
  std::optional<Resolvent> resolvent = {};  // if it is known, noise is not pushed

  /// Of entries of all averages (rows): of the kernel, (a, b) with a ≥ b column by column.
  Eigen::MatrixXd kernel_entries(const Eigen::MatrixXd& of_averages) const;

  /// The widths whose coordinates are independent of each other.
  std::vector<netsor::Width> widths() const;
};

/// What one randomization finds; entries as in `kernel_entries`.
struct RandomizedLaw {
  Eigen::VectorXd kernel;
  /// Influence functions of the kernel at the points ω of each width, over √(points · width ratio): their
  /// rows' outer products sum up to Σ. Reduced to p×p where that is less.
  Eigen::MatrixXd influence;
  Eigen::VectorXd bias;  // empty: not known
  std::string no_bias;
};

/// By pushing each entry, on so many threads, which do not change the numbers; nothing where derivatives are
/// along paths, or where so many pushes would take longer than those of each randomization's noise.
/// `base` has run. Throws as `respond` does.
std::optional<Resolvent> resolvent(const LawProblem& problem, const Evaluation& base, std::size_t threads,
                                   const Progress& progress);

/// `at` has run. With n coordinates per width r·n, to first order in 1/n:
///   IF_t(ω) = ψ_t(ω) - θ_t + Σ_s J_ts IF_s(ω),   Σ = Σ_widths Cov(IF)/r,
///   B_t = Σ_s J_ts B_s + E[Σ_s ∂_sψ_t(ω) IF_s(ω)]/r_t + ½ Σ_ss' ∂_s∂_s'Eψ_t Σ_ss'.
RandomizedLaw randomized_law(const LawProblem& problem, Evaluation& at, const PathPool::Axes& axes,
                             int log2_points, std::uint64_t seed, bool bias, const Progress& progress);

}  // namespace nngpcheck::analytic
