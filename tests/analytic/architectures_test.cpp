// Textbook identities between kernels of architectures.
#include <gmock/gmock.h>

#include "analytic/error.hpp"
#include "analytic/limit.hpp"
#include "architectures/cnn.hpp"
#include "architectures/gcn.hpp"
#include "architectures/mlp.hpp"
#include "architectures/transformer.hpp"
#include "reference.hpp"

namespace nngpcheck {
namespace {

using namespace architectures;
using Eigen::Index;
using Eigen::MatrixXd;
using testing::sentences;
using testing::vectors;

constexpr double rounding = 1e-12;

MatrixXd kernel(const Layers& layers, const Inputs& inputs) {
  return analytic::limit(program(network(layers), inputs)).kernel;
}

MatrixXd kernel(const netsor::Program& program) { return analytic::limit(program).kernel; }

Inputs images(Index samples, const std::vector<Index>& grid) {
  Index positions = 1;
  for (const Index size : grid) positions *= size;
  Inputs result = vectors(samples * positions);
  result.grid = grid;
  return result;
}

Inputs path_graph(Index nodes) {
  Inputs result = vectors(nodes);
  result.graph.emplace();
  for (Index k = 0; k + 1 < nodes; ++k) {
    result.graph->push_back({k, k + 1});
    result.graph->push_back({k + 1, k});
  }
  return result;
}

void expect_equal(const MatrixXd& found, const MatrixXd& expected) {
  ASSERT_EQ(found.rows(), expected.rows());
  EXPECT_LT((found - expected).cwiseAbs().maxCoeff(), rounding * expected.cwiseAbs().maxCoeff());
}

const Layer relu{Activate{netsor::Activation::named("relu")}};

TEST(Architectures, ReluNetworksAreHomogeneous) {
  const auto check = [](const auto& options, const auto& make, Inputs inputs) {
    const MatrixXd before = kernel(make(options, inputs));
    inputs.data *= 3;
    expect_equal(kernel(make(options, inputs)), 9 * before);
    auto biased = options;
    biased.bias_variance = 1;
    EXPECT_GT((kernel(make(biased, inputs)) - 9 * before).cwiseAbs().maxCoeff(), 1e-3);
  };
  check(
      MlpOptions{.depth = 3}, [](const auto& o, const Inputs& i) { return mlp(o, i); }, vectors(4));
  check(
      CnnOptions{}, [](const auto& o, const Inputs& i) { return cnn(o, i); }, images(2, {3, 3}));
  check(
      ResnetOptions{}, [](const auto& o, const Inputs& i) { return resnet(o, i); }, images(2, {3, 3}));
  check(
      GcnOptions{}, [](const auto& o, const Inputs& i) { return gcn(o, i); }, path_graph(4));
}

TEST(Architectures, PermutingNodesPermutesTheKernel) {
  const std::vector<Index> order = {2, 0, 3, 1};
  const Inputs inputs = path_graph(4);
  Inputs permuted = inputs;
  permuted.data = inputs.data(Eigen::all, order);
  for (Edge& edge : *permuted.graph) {
    edge.source = std::find(order.begin(), order.end(), edge.source) - order.begin();
    edge.target = std::find(order.begin(), order.end(), edge.target) - order.begin();
  }
  const MatrixXd expected = kernel(gcn(GcnOptions{}, inputs))(order, order);
  expect_equal(kernel(gcn(GcnOptions{}, permuted)), expected);
  permuted.graph = inputs.graph;  // not relabelled
  EXPECT_GT((kernel(gcn(GcnOptions{}, permuted)) - expected).cwiseAbs().maxCoeff(), 1e-3);
}

TEST(Architectures, CircularConvolutionsDoNotSeeShifts) {
  const Inputs inputs = images(2, {5});
  Inputs shifted = inputs;
  shifted.data.leftCols(5) = inputs.data(Eigen::all, std::vector<Index>{2, 3, 4, 0, 1});
  CnnOptions options{.padding = "circular"};
  expect_equal(kernel(cnn(options, shifted)), kernel(cnn(options, inputs)));
  options.padding = "zero";
  EXPECT_GT((kernel(cnn(options, shifted)) - kernel(cnn(options, inputs))).cwiseAbs().maxCoeff(), 1e-4);
}

TEST(Architectures, ConvolutionOverTheWholeGridIsDenseOnTheFlattenedData) {
  const Inputs inputs = images(3, {2, 3});
  const Conv whole{.kernel = {2, 3}, .padding = "valid"};
  expect_equal(kernel({{whole}, relu}, inputs), kernel({{Flatten{}}, {Dense{}}, relu}, inputs));
  expect_equal(kernel({{Conv{}}, relu, {whole}, relu}, inputs),
               kernel({{Conv{}}, relu, {Flatten{}}, {Dense{}}, relu}, inputs));
}

TEST(Architectures, LayerNormAfterADenseLayerHasUnitDiagonal) {
  const MatrixXd normed =
      kernel({{Dense{.weight_variance = 7, .bias_variance = 2}}, {LayerNorm{}}}, vectors(4));
  expect_equal(normed.diagonal(), MatrixXd::Ones(4, 1));
  const MatrixXd plain = kernel({{Dense{.weight_variance = 7, .bias_variance = 2}}}, vectors(4));
  EXPECT_NEAR(normed(0, 1), plain(0, 1) / std::sqrt(plain(0, 0) * plain(1, 1)), rounding);
  EXPECT_NEAR(kernel({{Dense{}}, {LayerNorm{.gain_variance = 0.5}}}, vectors(2))(0, 0), 1.5, rounding);
}

TEST(Architectures, AttentionWithSeparateWeightsAverages) {
  Inputs inputs = sentences();
  const Layers start{{Dense{}}, relu};
  for (const int heads : {1, 2}) {
    Layers attended = start;
    attended.push_back({SelfAttention{.heads = heads}});
    Layers averaged = start;
    averaged.push_back({GlobalAveragePool{}});
    const MatrixXd tokens = kernel(attended, inputs), sentence = kernel(averaged, inputs);
    for (Index i = 0; i < 16; ++i) {
      for (Index j = 0; j < 16; ++j)
        EXPECT_NEAR(tokens(i, j), sentence(i < 7 ? 0 : 1, j < 7 ? 0 : 1), rounding);
    }
  }
  Layers tied = start;
  tied.push_back({SelfAttention{.weights = "tied"}});
  const MatrixXd tokens = kernel(tied, inputs);
  EXPECT_GT(std::abs(tokens(0, 0) - tokens(1, 1)), 1e-3);
}

TEST(Architectures, TooManyPositionsAreRefusedBeforeAnythingIsAllocated) {
  Inputs inputs;
  inputs.data = MatrixXd::Random(1, 400000);
  inputs.grid = {400000};
  inputs.labels.resize(400000);
  for (std::size_t j = 0; j < inputs.labels.size(); ++j) inputs.labels[j] = std::to_string(j);
  try {
    kernel(cnn(CnnOptions{}, inputs));
    ADD_FAILURE() << "not refused";
  } catch (const analytic::LimitError& error) {
    EXPECT_THAT(error.what(), ::testing::AllOf(::testing::HasSubstr("400000 × 400000 numbers"),
                                               ::testing::HasSubstr("GB"), ::testing::HasSubstr("fewer")));
  }
}

// The residual branch shares nothing with the skip, so kernels add; with a tied copy of the skip they do not.
TEST(Architectures, ResidualKernelsAddWhereBranchesAreIndependent) {
  const Layers start{{Dense{}, "in"}, relu};
  Layers residual = start, branch = start, twice = start;
  branch.push_back({Dense{}});
  residual.push_back({Residual{{{Dense{}}}, {}}});
  twice.push_back({Residual{{{Dense{}, "w"}}, {{Dense{}, "w"}}}});
  expect_equal(kernel(residual, vectors(3)), kernel(start, vectors(3)) + kernel(branch, vectors(3)));
  expect_equal(kernel(twice, vectors(3)), 4 * kernel(branch, vectors(3)));
}

}  // namespace
}  // namespace nngpcheck
