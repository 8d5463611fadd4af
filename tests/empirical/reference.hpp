// What the sampler must compute: the plain interpreter of tests/netsor on matrices drawn from the normal
// streams.
#pragma once

#include <Eigen/Core>
#include <cstdint>

#include "nngpcheck/netsor/program.hpp"

namespace nngpcheck::testing {

struct Network {
  std::int64_t width;
  std::uint64_t seed;
  std::uint64_t index;
};

/// The output blocks on top of each other, Σ n_b × m.
Eigen::MatrixXd reference_outputs(const netsor::Program& program, const Network& network);

/// (σ_v²/Σ n_b) Σ_b X_bᵀX_b.
Eigen::MatrixXd reference_kernel(const netsor::Program& program, const Network& network);

/// The largest difference, relative to the largest entry of the reference.
double relative_difference(const Eigen::MatrixXd& value, const Eigen::MatrixXd& reference);

}  // namespace nngpcheck::testing
