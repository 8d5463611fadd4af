// Random networks per second, by width: the demo's simple RNN on its two sentences. One iteration is the
// demo's share of that width.
#include <benchmark/benchmark.h>

#include <filesystem>

#include "nngpcheck/architectures/named/recurrent.hpp"
#include "nngpcheck/empirical/sampler.hpp"
#include "nngpcheck/inputs/read_inputs.hpp"

namespace nngpcheck {
namespace {

constexpr std::uint64_t networks = 100;

void simple_rnn(benchmark::State& state, empirical::Precision precision) {
  architectures::SimpleRnnOptions options;
  options.activation = netsor::Activation::named("erf");
  const auto inputs = inputs::read_inputs(std::filesystem::path(NNGPCHECK_DATA) / "sentences.csv");
  const empirical::Sampler sampler(architectures::simple_rnn(options, inputs),
                                   {.precision = precision, .products = empirical::Products::dense});
  sampler.sample(32, 1, 0, 1, [](std::uint64_t, const Eigen::MatrixXd&) {});  // LibTorch's start-up
  std::uint64_t first = 0;
  for (auto _ : state) {
    sampler.sample(state.range(0), 1, first, networks, [](std::uint64_t, const Eigen::MatrixXd& kernel) {
      benchmark::DoNotOptimize(kernel.data());
    });
    first += networks;
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(networks));
}

BENCHMARK_CAPTURE(simple_rnn, float64, empirical::Precision::float64)
    ->RangeMultiplier(2)
    ->Range(32, 4096)
    ->Iterations(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(simple_rnn, float32, empirical::Precision::float32)
    ->RangeMultiplier(2)
    ->Range(32, 4096)
    ->Iterations(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace nngpcheck
