// Nanoseconds per entry of dual_block: the moments of one layer over m inputs, lower triangle, arguments with
// bounds.
#include <benchmark/benchmark.h>

#include <Eigen/Core>
#include <random>
#include <string>

#include "nngpcheck/analytic/gaussian/dual.hpp"

namespace {

using namespace nngpcheck;

/// Kernel of m random inputs of dimension 30 with a common part: correlations around `correlation`, variances
/// around 1, all of them distinct.
Eigen::MatrixXd input_kernel(Eigen::Index m, double correlation) {
  constexpr int dimension = 30;
  std::mt19937_64 engine(1);
  std::normal_distribution<double> normal;
  Eigen::MatrixXd inputs(dimension, m);
  for (double& x : inputs.reshaped())
    x = std::sqrt(1 - correlation) * normal(engine) + std::sqrt(correlation);
  return inputs.transpose() * inputs / dimension;
}

void dual_block(benchmark::State& state, const std::string& name) {
  const auto phi = netsor::Activation::named(name);
  const Eigen::Index m = state.range(0);
  const Eigen::MatrixXd kernel = input_kernel(m, 0.01 * static_cast<double>(state.range(1)));
  const Eigen::VectorXd zero = Eigen::VectorXd::Zero(m);
  const analytic::Marginals marginals{{zero, zero}, {kernel.diagonal(), 1e-15 * kernel.diagonal()}};
  const analytic::UncertainMatrix covariance{kernel, 1e-15 * kernel.cwiseAbs()};
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        analytic::dual_block(phi, phi, marginals, marginals, covariance, analytic::Symmetry::symmetric));
  }
  const double entries = 0.5 * static_cast<double>(m * (m + 1));
  state.counters["per_entry"] = benchmark::Counter(
      entries, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

/// {inputs, correlation in per cent}
void layers(benchmark::internal::Benchmark* benchmark) {
  benchmark->Args({500, 30})
      ->Args({500, 90})
      ->Args({2000, 30})
      ->Args({2000, 90})
      ->Unit(benchmark::kMillisecond);
}

BENCHMARK_CAPTURE(dual_block, relu, "relu")->Apply(layers);
BENCHMARK_CAPTURE(dual_block, erf, "erf")->Apply(layers);
BENCHMARK_CAPTURE(dual_block, gelu, "gelu")->Apply(layers);
BENCHMARK_CAPTURE(dual_block, tanh, "tanh")->Apply(layers);
BENCHMARK_CAPTURE(dual_block, sigmoid, "sigmoid")->Apply(layers);
BENCHMARK_CAPTURE(dual_block, silu, "silu")->Apply(layers);
BENCHMARK_CAPTURE(dual_block, softplus, "softplus")->Apply(layers);
BENCHMARK_CAPTURE(dual_block, elu, "elu")->Apply(layers);
BENCHMARK_CAPTURE(dual_block, hardtanh, "hardtanh")->Apply(layers);

}  // namespace
