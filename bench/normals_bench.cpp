// Standard normal numbers per second on one core: each instruction set's, and LibTorch's normal_.
#include <benchmark/benchmark.h>
#include <torch/torch.h>

#include <string>
#include <vector>

#include "nngpcheck/empirical/random/normals.hpp"

namespace nngpcheck::empirical {
namespace {

constexpr std::size_t count = 1 << 16;

template <class T>
void keyed(benchmark::State& state, const Simd& path) {
  const NormalStream stream(1, 4096, 0, "W");
  std::vector<T> values(count);
  std::uint64_t first = 0;
  for (auto _ : state) {
    stream.fill(first, std::span(values), 0, 1, path);
    benchmark::DoNotOptimize(values.data());
    benchmark::ClobberMemory();
    first += count;
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
}

void libtorch(benchmark::State& state, at::ScalarType type) {
  torch::set_num_threads(1);
  at::Tensor values = torch::empty({static_cast<std::int64_t>(count)}, type);
  for (auto _ : state) benchmark::DoNotOptimize(values.normal_().data_ptr());
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
}

const int registered = [] {
  for (const Simd* const* path = simd_available(); *path; ++path) {
    const std::string name = (*path)->name;
    benchmark::RegisterBenchmark(("normals/float64/" + name).c_str(), keyed<double>, **path);
    benchmark::RegisterBenchmark(("normals/float32/" + name).c_str(), keyed<float>, **path);
  }
  benchmark::RegisterBenchmark("normals/float64/LibTorch", libtorch, at::kDouble);
  benchmark::RegisterBenchmark("normals/float32/LibTorch", libtorch, at::kFloat);
  return 0;
}();

}  // namespace
}  // namespace nngpcheck::empirical
