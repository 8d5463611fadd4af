// How expectations and averages answer noise in the averages, to first order.
#pragma once

#include "nngpcheck/analytic/law/averages.hpp"
#include "nngpcheck/analytic/paths/paths.hpp"

namespace nngpcheck::analytic {

/// A batch of directions: the changes of expectations, E ψ(·; θ), and those of the averages θ themselves.
struct Response {
  Changes expected, empirical;
  Eigen::MatrixXd averages;  // entries of all averages (rows): of θ, or of E ψ where θ is given
};

/// What the columns of `entries` are. noise: δθ_t = ξ_t + Σ_s J_ts δθ_s, ξ given. given: δθ_t themselves, and
/// the response is Σ_s J_ts δθ_s.
enum class Perturbation { noise, given };

/// J, applied by the pushes of the plan's steps at the place where `workplace` stands. Throws LimitError
/// where a step has no derivative.
Response respond(Workplace& workplace, const Plan& plan, const Averages& averages,
                 const Eigen::MatrixXd& entries, Perturbation perturbation);

/// E ψ_t, all entries of all averages, where the averages that it depends on are θ + shift (entries of all).
/// `at` has the values at θ.
Eigen::VectorXd expectations(const Values& at, const Plan& plan, const PathPool::Axes& axes, int log2_points,
                             std::uint64_t seed, const Averages& averages, const Eigen::VectorXd& shift,
                             const Progress& progress);

}  // namespace nngpcheck::analytic
