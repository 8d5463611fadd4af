// Textbook identities between kernels of architectures.
#include <gmock/gmock.h>

#include <algorithm>
#include <ctime>

#include "nngpcheck/analytic/error.hpp"
#include "nngpcheck/analytic/limit.hpp"
#include "nngpcheck/architectures/named/cnn.hpp"
#include "nngpcheck/architectures/named/gcn.hpp"
#include "nngpcheck/architectures/named/mlp.hpp"
#include "nngpcheck/architectures/named/transformer.hpp"
#include "nngpcheck/netsor/builder.hpp"
#include "nngpcheck/netsor/passes/layers.hpp"
#include "reference.hpp"

namespace nngpcheck {
namespace {

using namespace architectures;
using Eigen::Index;
using Eigen::MatrixXd;
using testing::sentences;
using testing::vectors;

constexpr double rounding = 1e-12;

MatrixXd kernel(const Layers& layers, const inputs::Inputs& inputs) {
  return analytic::limit(program(network(layers), inputs)).value;
}

MatrixXd kernel(const netsor::Program& program) { return analytic::limit(program).value; }

inputs::Inputs images(Index samples, const std::vector<Index>& grid) {
  Index positions = 1;
  for (const Index size : grid) positions *= size;
  inputs::Inputs result = vectors(samples * positions);
  result.grid = grid;
  return result;
}

inputs::Inputs path_graph(Index nodes) {
  inputs::Inputs result = vectors(nodes);
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

std::vector<std::string> names(const std::vector<netsor::LayerProgram>& layers) {
  std::vector<std::string> result;
  for (const netsor::LayerProgram& layer : layers) result.push_back(layer.layer);
  return result;
}

const Layer relu{Activate{netsor::Activation::named("relu")}};

TEST(Architectures, ReluNetworksAreHomogeneous) {
  const auto check = [](const auto& options, const auto& make, inputs::Inputs inputs) {
    const MatrixXd before = kernel(make(options, inputs));
    inputs.data *= 3;
    expect_equal(kernel(make(options, inputs)), 9 * before);
    auto biased = options;
    biased.bias_variance = 1;
    EXPECT_GT((kernel(make(biased, inputs)) - 9 * before).cwiseAbs().maxCoeff(), 1e-3);
  };
  check(
      MlpOptions{.depth = 3}, [](const auto& o, const inputs::Inputs& i) { return mlp(o, i); }, vectors(4));
  check(
      CnnOptions{}, [](const auto& o, const inputs::Inputs& i) { return cnn(o, i); }, images(2, {3, 3}));
  check(
      ResnetOptions{}, [](const auto& o, const inputs::Inputs& i) { return resnet(o, i); },
      images(2, {3, 3}));
  check(
      GcnOptions{}, [](const auto& o, const inputs::Inputs& i) { return gcn(o, i); }, path_graph(4));
}

TEST(Architectures, PermutingNodesPermutesTheKernel) {
  const std::vector<Index> order = {2, 0, 3, 1};
  const inputs::Inputs inputs = path_graph(4);
  inputs::Inputs permuted = inputs;
  permuted.data = inputs.data(Eigen::all, order);
  for (inputs::Edge& edge : *permuted.graph) {
    edge.source = std::find(order.begin(), order.end(), edge.source) - order.begin();
    edge.target = std::find(order.begin(), order.end(), edge.target) - order.begin();
  }
  const MatrixXd expected = kernel(gcn(GcnOptions{}, inputs))(order, order);
  expect_equal(kernel(gcn(GcnOptions{}, permuted)), expected);
  permuted.graph = inputs.graph;  // not relabelled
  EXPECT_GT((kernel(gcn(GcnOptions{}, permuted)) - expected).cwiseAbs().maxCoeff(), 1e-3);
}

TEST(Architectures, CircularConvolutionsDoNotSeeShifts) {
  const inputs::Inputs inputs = images(2, {5});
  inputs::Inputs shifted = inputs;
  shifted.data.leftCols(5) = inputs.data(Eigen::all, std::vector<Index>{2, 3, 4, 0, 1});
  CnnOptions options{.padding = "circular"};
  expect_equal(kernel(cnn(options, shifted)), kernel(cnn(options, inputs)));
  options.padding = "zero";
  EXPECT_GT((kernel(cnn(options, shifted)) - kernel(cnn(options, inputs))).cwiseAbs().maxCoeff(), 1e-4);
}

TEST(Architectures, ConvolutionOverTheWholeGridIsDenseOnTheFlattenedData) {
  const inputs::Inputs inputs = images(3, {2, 3});
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
  inputs::Inputs inputs = sentences();
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
  tied.push_back({SelfAttention{.weights = AttentionWeights::tied}});
  // Scores are the second moments of the tokens, and stay: AᵀGA, A the softmax over each sentence.
  const MatrixXd g = kernel(start, inputs);
  MatrixXd a = MatrixXd::Zero(16, 16);
  for (const auto& [first, length] : {std::pair{0, 7}, {7, 9}})
    a.block(first, first, length, length) = g.block(first, first, length, length).array().exp();
  const Eigen::RowVectorXd sums = a.colwise().sum();
  a = (a * sums.cwiseInverse().asDiagonal()).eval();
  expect_equal(kernel(tied, inputs), a.transpose() * g * a);
}

// K(s, t) of a flattened grid is the mean over its positions p of K(s p, t p).
TEST(Architectures, FlatteningAveragesEqualPositions) {
  for (const bool gaussian : {true, false}) {
    Layers layers{{Conv{}}, relu, {Conv{.width = netsor::Width(1, 2), .bias_variance = 0.3}}};
    if (!gaussian) layers.push_back(relu);
    const inputs::Inputs inputs = images(3, {4, 3});
    const MatrixXd all = kernel(layers, inputs);
    layers.push_back({Flatten{}});
    MatrixXd expected = MatrixXd::Zero(3, 3);
    for (Index s = 0; s < 3; ++s) {
      for (Index t = 0; t < 3; ++t) expected(s, t) = all.block(12 * s, 12 * t, 12, 12).trace() / 12;
    }
    expect_equal(kernel(layers, inputs), expected);
  }
}

// Only equal positions count: that costs no more than the average of all pairs. Without that, time would grow
// with the number of positions; CPU time, since machines are shared.
TEST(Architectures, FlatteningIsNoDearerThanPooling) {
  const inputs::Inputs inputs = images(2, {20, 20});
  const auto evaluations = [&](const Layers& tail) {
    Layers layers{{Conv{}}, relu, {Conv{}}, relu};
    layers.insert(layers.end(), tail.begin(), tail.end());
    std::int64_t result = 0;
    for (const auto& step : analytic::limit(program(network(layers), inputs)).plan)
      result += step.evaluations;
    return result;
  };
  EXPECT_EQ(evaluations({{Flatten{}}}), 2 * 400 * 3);
  EXPECT_GT(evaluations({{GlobalAveragePool{}}}), 2 * 800 * 400);
  const auto seconds = [&](const Layers& tail) {
    Layers layers{{Conv{}}, relu, {Conv{}}, relu};
    layers.insert(layers.end(), tail.begin(), tail.end());
    const std::clock_t start = std::clock();
    kernel(layers, inputs);
    return static_cast<double>(std::clock() - start);
  };
  EXPECT_LT(seconds({{Flatten{}}}), 3 * seconds({{GlobalAveragePool{}}}));
}

// As PyTorch Geometric (add_remaining_self_loops) has it; A + 2I gives other numbers. Rounded to seven
// digits.
TEST(Architectures, SelfLoopsAreAddedToNodesWithoutOne) {
  inputs::Inputs inputs;
  inputs.data = MatrixXd{{1, 0, 1, 2}, {0, 1, 1, -1}};
  inputs.labels = {"0", "1", "2", "3"};
  inputs.graph = {{0, 1}, {1, 0}, {1, 2}, {2, 1}};
  const auto expect_values = [&] {
    const MatrixXd k = kernel({{GraphConv{.weight_variance = 2}}, relu}, inputs);
    EXPECT_NEAR(k(0, 0), 0.2083333, 5e-8);
    EXPECT_NEAR(k(0, 1), 0.3555044, 5e-8);
    EXPECT_NEAR(k(1, 1), 0.6083050, 5e-8);
  };
  expect_values();
  inputs.graph->push_back({1, 1});
  expect_values();
  for (const Index node : {0, 2, 3}) inputs.graph->push_back({node, node});
  expect_values();
}

// Two images of 6×6 with few nonzero pixels, a convolution of stride 2 padded by TensorFlow's rule,
// flattened: rounded to seven digits.
TEST(Architectures, SamePaddingIsTensorFlows) {
  inputs::Inputs inputs = images(2, {6, 6});
  inputs.data = MatrixXd::Zero(1, 72);
  for (const auto& [column, pixel] : {std::pair{14, 0.5},
                                      {15, 1.0},
                                      {20, 1.0},
                                      {21, 0.3},
                                      {36 + 8, 1.0},
                                      {36 + 14, 1.0},
                                      {36 + 20, 1.0},
                                      {36 + 26, 1.0}})
    inputs.data(0, column) = pixel;
  const MatrixXd k =
      kernel({{Conv{.stride = {2}, .padding = "SAME", .weight_variance = 2}}, relu, {Flatten{}}}, inputs);
  EXPECT_NEAR(k(0, 1), 0.0568925, 5e-8);
  EXPECT_NEAR(k(1, 1), 0.1481481, 5e-8);
}

TEST(Architectures, TooManyPositionsAreRefusedBeforeAnythingIsAllocated) {
  inputs::Inputs inputs;
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

// A layer that is read out has the kernel of the network that ends with it, and not that of the next one.
TEST(Architectures, EveryLayerIsReadOut) {
  const Layer shortcut{Residual{{Layer{Conv{.kernel = {2, 2}}}, relu}, {}}};
  const Layers layers = {Layer{Conv{.kernel = {2, 2}, .weight_variance = 2, .bias_variance = 0.1}}, relu,
                         shortcut, Layer{GlobalAveragePool{}}, Layer{Dense{.bias_variance = 0.5}}};
  const inputs::Inputs inputs = images(2, {2, 3});
  const Network whole = network(layers);
  const std::vector<netsor::LayerProgram> read = netsor::layer_programs(program(whole, inputs));
  EXPECT_THAT(names(read), ::testing::ElementsAre("conv1", "activation1", "conv2", "activation2", "residual1",
                                                  "global_avg_pool1", "dense1"));
  MatrixXd before;
  for (std::size_t k = 1; k <= layers.size(); ++k) {
    const Network first{{whole.layers.begin(), whole.layers.begin() + static_cast<std::ptrdiff_t>(k)}};
    const netsor::Program expected = program(first, inputs);
    const auto found = std::find_if(read.begin(), read.end(), [&](const netsor::LayerProgram& layer) {
      return layer.layer == first.layers.back().name;
    });
    ASSERT_NE(found, read.end());
    EXPECT_EQ(found->program.output().labels, expected.output().labels);
    const MatrixXd value = kernel(found->program);
    expect_equal(value, kernel(expected));
    EXPECT_FALSE(value.rows() == before.rows() && value.isApprox(before, 1e-3));
    before = value;
  }
}

TEST(Architectures, ProgramsThatNameNoLayersHaveNone) {
  netsor::Builder builder;
  const auto x = builder.input(builder.input_weight({"W", netsor::Width(1), 1, 1}), MatrixXd::Ones(1, 2));
  builder.output(builder.readout({"v", 1}), x);
  EXPECT_THAT(netsor::layer_programs(std::move(builder).build()), ::testing::IsEmpty());
}

}  // namespace
}  // namespace nngpcheck
