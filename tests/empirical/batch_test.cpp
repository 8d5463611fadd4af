// Which networks are drawn together, and on how many threads, changes no bit.
#include <gtest/gtest.h>

#include <thread>

#include "nngpcheck/architectures/named/mlp.hpp"
#include "nngpcheck/empirical/interpreter/interpreter.hpp"
#include "nngpcheck/netsor/builder.hpp"
#include "tests/empirical/programs.hpp"

namespace nngpcheck {
namespace {

using empirical::Interpreter;
using empirical::Precision;
using empirical::Products;
using empirical::Sampler;
using empirical::SamplerOptions;

// Kernel and outputs of each network, side by side.
std::vector<Eigen::MatrixXd> in_batches(const netsor::Program& program, Precision precision,
                                        std::int64_t width, std::int64_t batch, std::int64_t total,
                                        Products products = Products::dense) {
  const empirical::Schedule plan = empirical::schedule(program, width, products, precision);
  Interpreter interpreter(program, plan, precision, at::kCPU, batch);
  std::vector<Eigen::MatrixXd> result;
  for (std::int64_t first = 0; first < total; first += batch) {
    const auto count = std::min(batch, total - first);
    interpreter.evaluate({width, 3, static_cast<std::uint64_t>(first), count});
    const std::vector<Eigen::MatrixXd> kernels = interpreter.kernels();
    const std::vector<Eigen::VectorXd> outputs = interpreter.outputs();
    for (std::size_t b = 0; b < kernels.size(); ++b) {
      result.emplace_back(kernels[b].rows(), kernels[b].cols() + 1);
      result.back() << kernels[b], outputs[b];
    }
  }
  return result;
}

TEST(EveryProgram, HasTheSameKernelsInAnyBatch) {
  at::set_num_threads(1);
  for (const testing::NamedProgram& named : testing::instruction_programs()) {
    const netsor::Program& program = named.program;
    SCOPED_TRACE(named.name);
    for (const Precision precision : {Precision::float64, Precision::float32}) {
      for (const std::int64_t width : {4, 12, 20, 60, 64, 132}) {
        const std::int64_t total = width < 100 ? 65 : 8;
        for (const Products products : {Products::dense, Products::exact, Products::automatic}) {
          const auto alone = in_batches(program, precision, width, 1, total, products);
          for (const std::int64_t batch : {3, 7, 64}) {
            EXPECT_EQ(in_batches(program, precision, width, batch, total, products), alone)
                << "width " << width << ", batch " << batch;
          }
        }
      }
    }
  }
}

TEST(EveryProgram, HasTheSameKernelsOnAnyNumberOfThreads) {
  for (const testing::NamedProgram& named : testing::instruction_programs()) {
    const netsor::Program& program = named.program;
    SCOPED_TRACE(named.name);
    const auto sampled = [&](int threads, std::size_t budget, std::uint64_t first, std::uint64_t count) {
      std::vector<Eigen::MatrixXd> result;
      Sampler(program, {.threads = threads, .memory_budget = budget})
          .sample(52, 3, first, count, [&](std::uint64_t, const Eigen::MatrixXd& k) { result.push_back(k); });
      return result;
    };
    const auto all = sampled(1, 1 << 30, 0, 40);
    EXPECT_EQ(sampled(2, 1 << 30, 0, 40), all);
    EXPECT_EQ(sampled(5, 1 << 30, 0, 40), all);
    EXPECT_EQ(sampled(2, 1 << 19, 0, 40), all) << "another memory budget";
    EXPECT_EQ(sampled(2, 1 << 30, 17, 9), std::vector(all.begin() + 17, all.begin() + 26))
        << "a part of them";
  }
}

// More than 32 columns, as they are multiplied at once, and a width that leaves networks at odd addresses.
TEST(Samplers, AreIndependentOfOthersInOtherThreads) {
  const Sampler sampler(architectures::mlp({.depth = 2}, testing::vectors(3, 40)),
                        {.products = Products::dense, .threads = 2});
  const auto sampled = [&] {
    std::vector<Eigen::MatrixXd> result;
    sampler.sample(33, 3, 0, 12, [&](std::uint64_t, const Eigen::MatrixXd& k) { result.push_back(k); });
    return result;
  };
  const auto alone = sampled();
  const auto torch_threads_of_a_new_thread = [] {
    int threads = 0;
    std::thread([&] { threads = at::get_num_threads(); }).join();
    return threads;
  };
  at::set_num_threads(3);
  for (int repetition = 0; repetition < 20; ++repetition) {
    std::vector<std::vector<Eigen::MatrixXd>> results(4);
    {
      std::vector<std::jthread> threads;
      for (auto& result : results) threads.emplace_back([&] { result = sampled(); });
    }
    for (const auto& result : results) EXPECT_EQ(result, alone);
    EXPECT_EQ(torch_threads_of_a_new_thread(), 3);
  }
  at::set_num_threads(1);
}

// Every activation, and numbers of columns on both sides of where products take the next ones.
TEST(Batches, DoNotMatterForAnyActivationOrNumberOfColumns) {
  at::set_num_threads(1);
  for (const std::string& name : netsor::Activation::names()) {
    if (name.back() >= 'A' && name.back() <= 'Z') continue;  // leaky_relu_S
    const netsor::Program program = architectures::mlp(
        {.depth = 2, .activation = netsor::Activation::named(name)}, testing::vectors(3, 3));
    for (const std::int64_t width : {5, 17, 33}) {
      EXPECT_EQ(in_batches(program, Precision::float64, width, 7, 9),
                in_batches(program, Precision::float64, width, 1, 9))
          << name;
    }
  }
  for (const Eigen::Index columns : {1, 2, 3, 4, 5, 8, 31, 32, 33, 34, 65}) {
    const netsor::Program program = architectures::mlp({.depth = 2}, testing::vectors(3, columns));
    for (const std::int64_t width : {1, 2, 3, 7, 31, 65, 130}) {
      EXPECT_EQ(in_batches(program, Precision::float64, width, 7, 9),
                in_batches(program, Precision::float64, width, 1, 9))
          << columns << " columns at width " << width;
    }
  }
}

TEST(Batches, HoldDifferentNetworks) {
  const netsor::Program program = architectures::mlp({.depth = 2}, testing::vectors(3, 2));
  const auto kernels = in_batches(program, Precision::float64, 8, 4, 4);
  for (std::size_t k = 1; k < kernels.size(); ++k) EXPECT_NE(kernels[k], kernels[0]);
}

}  // namespace
}  // namespace nngpcheck
