// Output values of one network, for tests that may include LibTorch's headers.
#pragma once

#include "nngpcheck/empirical/interpreter/interpreter.hpp"

namespace nngpcheck::testing {

/// What the dense sampler computes for this network: the blocks below each other, one column per output.
inline Eigen::MatrixXd program_values(const netsor::Program& program, std::int64_t width, std::uint64_t seed,
                                      std::uint64_t network) {
  const empirical::Schedule plan =
      empirical::schedule(program, width, empirical::Products::dense, empirical::Precision::float64);
  empirical::Interpreter interpreter(program, plan, empirical::Precision::float64, at::kCPU, 1);
  interpreter.evaluate({width, seed, network, 1});
  const at::Tensor x = at::cat(interpreter.blocks(), 2).squeeze(1).contiguous();
  return Eigen::Map<const Eigen::MatrixXd>(x.data_ptr<double>(), x.size(1), x.size(0));
}

}  // namespace nngpcheck::testing
