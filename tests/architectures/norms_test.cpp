// Norms against their definitions.
#include "tests/architectures/layer_fixtures.hpp"

namespace nngpcheck::architectures {
namespace {

using namespace nngpcheck::testing;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

TEST(LayerNorm, HasMeanZeroAndVarianceOneOverAllBlocks) {
  const Layers branches{{Concat{{{{Dense{}}}, {{Dense{.width = netsor::Width(2)}}, relu()}}}}, {LayerNorm{}}};
  const MatrixXd values = sample(branches, vectors(3)).values();
  ASSERT_EQ(values.rows(), 3 * n);
  expect_equal(values.colwise().mean(), MatrixXd::Zero(1, 3));
  expect_equal(values.array().square().colwise().mean(), MatrixXd::Ones(1, 3));
}

TEST(LayerNorm, AffinePartMultipliesAndAdds) {
  const inputs::Inputs inputs = vectors(3);
  const Sample found =
      sample({{Dense{}, "d"}, {LayerNorm{.gain_variance = 0.3, .bias_variance = 2}, "l"}}, inputs);
  const MatrixXd plain = sample({{Dense{}, "d"}, {LayerNorm{}, "l"}}, inputs).values();
  expect_equal(found.values(),
               (plain.array().colwise() * found.weights.at("l.gain").col(0).array()).matrix().colwise() +
                   found.weights.at("l.b").col(0));
  EXPECT_EQ(found.program.biases().front().mean, 1);
}

TEST(BatchNorm, StandardizesWithinBatchesOverAllSites) {
  inputs::Inputs inputs = grids(4, {2});
  inputs.batch = {5, 5, 2, 2};
  const MatrixXd values = sample({{Dense{}}, {BatchNorm{}}}, inputs).values();
  for (const Index first : {0, 4}) {
    const MatrixXd batch = values.middleCols(first, 4);
    expect_equal(batch.rowwise().mean(), VectorXd::Zero(n));
    expect_equal(batch.array().square().rowwise().mean(), VectorXd::Ones(n));
  }
}

}  // namespace
}  // namespace nngpcheck::architectures
