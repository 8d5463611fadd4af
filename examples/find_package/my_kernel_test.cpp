// Right kernels pass, wrong ones fail. A right kernel fails with probability at most 1e-6; the seeds are
// fixed, so that what passes once passes always.
#include "my_kernel.hpp"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include "my_network.hpp"
#include "nngpcheck/architectures/named/mlp.hpp"
#include "nngpcheck/gtest.hpp"
#include "nngpcheck/module.hpp"

namespace {

// Three inputs of dimension 4, one per column.
const Eigen::MatrixXd inputs{{1, 0.5, -1}, {0, 1, 0.3}, {-1, 0.2, 0.4}, {2, 1, 0.1}};

MyNetwork my_network(std::int64_t width) { return MyNetwork(inputs.rows(), width); }

// No entry may be off by more than 5 % of √(K_aa K_bb). Half that takes four times as many networks.
const nngpcheck::ModuleCheckOptions options{.check = {.resolution = 0.05}};

TEST(MyKernel, IsTheLimitOfMyNetwork) {
  EXPECT_NNGP_MODULE(my_network, inputs, relu_kernel(inputs, 2, 2, 0.1), options);
}

TEST(MyKernel, IsNotThatWithoutBiases) {
  EXPECT_NONFATAL_FAILURE(EXPECT_NNGP_MODULE(my_network, inputs, relu_kernel(inputs, 2, 2, 0), options),
                          "disagree");
}

// The same network from this library's layers: no matrices are drawn, so that 1 % takes a second.
TEST(MyKernel, IsTheLimitOfAProgram) {
  using namespace nngpcheck;
  const architectures::MlpOptions mlp{
      .depth = 2, .weight_variance = 2, .input_variance = 2, .bias_variance = 0.1};
  const netsor::Program program = architectures::mlp(mlp, {inputs, {"cat", "dog", "owl"}});
  EXPECT_NNGP(program, relu_kernel(inputs, 2, 2, 0.1));
  EXPECT_NONFATAL_FAILURE(EXPECT_NNGP(program, relu_kernel(inputs, 2, 2, 0)), "disagree");
}

}  // namespace
