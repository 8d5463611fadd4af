// Every mistake of the catalogue: where it applies, what it makes of the kernel, and where it does not apply.
#include "nngpcheck/compare/power/mutants.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "nngpcheck/compare/program_check.hpp"
#include "nngpcheck/netsor/printer.hpp"
#include "nngpcheck/netsor/reader.hpp"
#include "tests/netsor/same_program.hpp"

namespace nngpcheck::compare {
namespace {

using namespace architectures;
using Eigen::MatrixXd;
using netsor::Activation;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

inputs::Inputs vectors(Eigen::Index count) {
  inputs::Inputs result;
  result.data.resize(2, count);
  for (Eigen::Index j = 0; j < count; ++j) {
    const auto x = static_cast<double>(j);
    result.data.col(j) << std::cos(x), 1 + 0.5 * std::sin(2 * x);
    result.labels.push_back(std::to_string(j));
  }
  return result;
}

inputs::Inputs sequences(const std::vector<Eigen::Index>& lengths) {
  Eigen::Index total = 0;
  for (const Eigen::Index length : lengths) total += length;
  inputs::Inputs result = vectors(total);
  result.lengths = lengths;
  return result;
}

std::vector<std::string> names(const std::vector<WrongNetwork>& networks) {
  std::vector<std::string> result;
  for (const WrongNetwork& one : networks) result.push_back(one.name);
  return result;
}

/// The mistakes in a network's program, layers and inputs.
struct Mistakes {
  Mistakes(Layers layers, const inputs::Inputs& inputs) {
    const Network right_network = network(std::move(layers));
    const netsor::Program right_program = program(right_network, inputs);
    right = analytic::limit(right_program).value;
    all = wrong_programs(right_program);
    for (WrongNetwork& one : wrong_networks(right_network, inputs)) all.push_back(std::move(one));
    for (const WrongNetwork& one : all) expect_round_trip(one.program);
  }

  /// Mutants, too, can be written and read.
  static void expect_round_trip(const netsor::Program& mutant) {
    const std::string text = netsor::write_text(mutant);
    EXPECT_EQ(testing::difference(mutant, netsor::read_text(text, "mutant")), "") << text;
  }

  MatrixXd kernel(const std::string& name) const {
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.name == name; });
    if (found == all.end()) {
      ADD_FAILURE() << "no mutant \"" << name << "\"";
      return right;
    }
    EXPECT_THAT(found->change, Not(IsEmpty())) << name;
    return analytic::limit(found->program).value;
  }

  void expect(const std::string& name, const MatrixXd& expected) const {
    const MatrixXd found = kernel(name);
    EXPECT_LT((found - expected).cwiseAbs().maxCoeff(), 1e-9) << name << "\n" << found;
  }
  void expect_wrong(const std::string& name) const {
    EXPECT_GT((kernel(name) - right).cwiseAbs().maxCoeff(), 1e-3) << name;
  }

  MatrixXd right;
  std::vector<WrongNetwork> all;
};

const Layer relu{Activate{Activation::named("relu")}};

TEST(Mutants, OfAPerceptron) {
  const inputs::Inputs inputs = vectors(3);
  const Mistakes mistakes({{Dense{{}, 2, 0.5}}, relu}, inputs);
  EXPECT_THAT(names(mistakes.all), UnorderedElementsAre("input variance + 2 %", "bias variance + 2 %",
                                                        "bias missing", "relu without its ½"));
  mistakes.expect("relu without its ½", 2 * mistakes.right);
  mistakes.expect("bias missing", Mistakes({{Dense{{}, 2, 0}}, relu}, inputs).right);
  mistakes.expect("input variance + 2 %", Mistakes({{Dense{{}, 2.04, 0.5}}, relu}, inputs).right);
  mistakes.expect("bias variance + 2 %", Mistakes({{Dense{{}, 2, 0.51}}, relu}, inputs).right);
  EXPECT_THAT(names(Mistakes({{Dense{}}, relu, {Dense{}}}, inputs).all),
              ElementsAre("weight variance + 2 %", "input variance + 2 %", "relu without its ½"));
}

TEST(Mutants, OfActivations) {
  const inputs::Inputs inputs = vectors(3);
  const Mistakes erf({{Dense{}}, {Activate{Activation::named("erf")}}}, inputs);
  erf.expect("erf of x/√2", Mistakes({{Dense{{}, 0.5}}, {Activate{Activation::named("erf")}}}, inputs).right);
  const Mistakes gelu({{Dense{}}, {Activate{Activation::named("gelu")}}}, inputs);
  const double off = (gelu.kernel("gelu by its tanh formula") - gelu.right).cwiseAbs().maxCoeff();
  EXPECT_GT(off, 1e-6);
  EXPECT_LT(off, 1e-2);
}

// s_t = W s_{t−1} + U x_t, so that K is a sum over the tokens seen, without any interaction.
TEST(Mutants, OfALinearRnn) {
  const inputs::Inputs inputs = sequences({1, 2});
  const Mistakes mistakes({{SimpleRnn{Activation::named("identity"), 0.5}}}, inputs);
  const MatrixXd tokens = inputs.data.transpose() * inputs.data / 2;
  MatrixXd right = tokens;
  right(2, 2) += 0.5 * tokens(1, 1);
  EXPECT_LT((mistakes.right - right).cwiseAbs().maxCoeff(), 1e-12);
  mistakes.expect("sequences truncated", tokens);  // starts are one token apart
  MatrixXd carried = tokens;
  carried(1, 1) += 0.5 * tokens(0, 0);
  carried(2, 2) += 0.5 * carried(1, 1);
  carried(1, 2) += 0.5 * tokens(0, 1);
  carried(2, 1) = carried(1, 2);
  mistakes.expect("state carried over between sequences", carried);
}

// The published reference kernel: K ← V(shift(K) + Gram), as often as sequences are apart.
TEST(Mutants, OfThePublishedRnnKernel) {
  const inputs::Inputs inputs = sequences({2, 4});
  const MatrixXd tokens = inputs.data.transpose() * inputs.data / 2;
  MatrixXd kernel = MatrixXd::Zero(6, 6);
  for (int iteration = 0; iteration < 2; ++iteration) {
    MatrixXd sums = MatrixXd::Zero(6, 6);
    sums.bottomRightCorner(5, 5) = kernel.topLeftCorner(5, 5);
    for (const Eigen::Index start : {0, 2}) {
      sums.row(start).setZero();
      sums.col(start).setZero();
    }
    sums += tokens;
    for (Eigen::Index i = 0; i < 6; ++i) {
      for (Eigen::Index j = 0; j < 6; ++j) {
        const double norm = std::sqrt((1 + 2 * sums(i, i)) * (1 + 2 * sums(j, j)));
        kernel(i, j) = 2 / std::numbers::pi * std::asin(2 * sums(i, j) / norm);
      }
    }
  }
  const Mistakes mistakes({{SimpleRnn{Activation::named("erf")}}}, inputs);
  mistakes.expect("sequences truncated", kernel);
  mistakes.expect_wrong("sequences truncated");
}

TEST(Mutants, OfTimeSteps) {
  const Mistakes mistakes({{SimpleRnn{Activation::named("erf")}}}, sequences({3, 3}));
  mistakes.expect_wrong("weights untied");
  EXPECT_THAT(names(mistakes.all), Not(Contains("sequences truncated")));  // equally long
  EXPECT_THAT(names(Mistakes({{Dense{}}, relu}, sequences({3, 2})).all), Not(Contains("weights untied")));
}

TEST(Mutants, OfGates) {
  Gru gru;
  gru.activation = Activation::named("erf");
  gru.gate_activation = Activation::named("erf_sigmoid");
  const inputs::Inputs inputs = sequences({2, 1});
  const Mistakes of_gru({{gru}}, inputs);
  of_gru.expect_wrong("reset and update gate share weights");
  of_gru.expect_wrong("reset gate always open");
  EXPECT_THAT(names(of_gru.all), Contains("the other GRU convention"));  // almost the same kernel
  EXPECT_THAT(names(of_gru.all), Not(Contains("forget gate always open")));
  EXPECT_THAT(names(of_gru.all), Not(Contains("skip missing")));  // 1 - z
  const Mistakes of_lstm({{Lstm{}}}, inputs);
  of_lstm.expect_wrong("input, forget and output gate share weights");
  of_lstm.expect_wrong("forget gate always open");
  EXPECT_THAT(names(of_lstm.all), Not(Contains("reset gate always open")));
}

TEST(Mutants, OfAttention) {
  SelfAttention causal;
  causal.weights = AttentionWeights::none;
  causal.mask = Mask::causal;
  SelfAttention full = causal;
  full.mask = Mask::full;
  const inputs::Inputs inputs = sequences({3, 2});
  const Mistakes mistakes({{Dense{}}, relu, {causal}}, inputs);
  mistakes.expect("causal mask missing", Mistakes({{Dense{}}, relu, {full}}, inputs).right);
  mistakes.expect_wrong("softmax over the wrong axis");
  mistakes.expect_wrong("attention across samples");
  EXPECT_THAT(names(Mistakes({{Dense{}}, relu, {full}}, inputs).all), Not(Contains("causal mask missing")));
  EXPECT_THAT(names(Mistakes({{Dense{}}, relu, {full}}, sequences({3})).all),
              Not(Contains("attention across samples")));
}

TEST(Mutants, OfBatchNorm) {
  inputs::Inputs inputs = vectors(10);
  inputs.batch = {0, 0, 0, 0, 0, 1, 1, 1, 1, 1};
  const Mistakes mistakes({{Dense{}}, {BatchNorm{}}, relu}, inputs);
  mistakes.expect("unbiased variance in batch norm", 0.8 * mistakes.right);
  mistakes.expect_wrong("batches merged");
  EXPECT_THAT(names(Mistakes({{Dense{}}, {BatchNorm{}}, relu}, vectors(5)).all),
              Not(Contains("batches merged")));
}

TEST(Mutants, OfLayerNorm) {
  const inputs::Inputs inputs = vectors(3);
  const Mistakes mistakes({{Dense{}}, relu, {LayerNorm{}}}, inputs);
  EXPECT_LT((mistakes.right.diagonal().array() - 1).abs().maxCoeff(), 1e-9);
  mistakes.expect_wrong("layer norm missing");
  mistakes.expect_wrong("mean of layer norm not subtracted");
}

TEST(Mutants, OfSkips) {
  const inputs::Inputs inputs = vectors(3);
  const Mistakes mistakes({{Dense{}}, relu, {Residual{{relu, {Dense{}}}, {}}}}, inputs);
  mistakes.expect("skip missing", Mistakes({{Dense{}}, relu, relu, {Dense{}}}, inputs).right);
  mistakes.expect("skip taken one layer too early",
                  Mistakes({{Dense{}}, {Residual{{relu, relu, {Dense{}}}, {}}}}, inputs).right);
  mistakes.expect_wrong("skip taken one layer too early");
  // A branch that ends in a weight of its own has no cross terms.
  EXPECT_THAT(names(mistakes.all), Not(Contains("cross terms of a residual dropped")));
  const Mistakes crossed({{Dense{}}, {Residual{{relu}, {}}}}, inputs);
  crossed.expect_wrong("cross terms of a residual dropped");
  crossed.expect("cross terms of all residuals dropped",
                 Mistakes({{Dense{}}}, inputs).right + Mistakes({{Dense{}}, relu}, inputs).right);
  EXPECT_THAT(names(mistakes.all), Not(Contains("cross terms of all residuals dropped")));
  SelfAttention attention;
  attention.weights = AttentionWeights::none;
  Mistakes({{Dense{}}, {Residual{{{attention}}, {}}}}, sequences({3, 2}))
      .expect_wrong("cross terms of a residual dropped");
  const Mistakes late({{Dense{}}, {Residual{{relu, {Dense{}}}, {}}}}, inputs);
  late.expect("skip taken one layer too late",
              Mistakes({{Dense{}}, relu, {Residual{{{Dense{}}}, {}}}}, inputs).right);
}

TEST(Mutants, OfGridsAndGraphs) {
  inputs::Inputs grid = vectors(8);
  grid.grid = {4};
  Conv conv;
  conv.padding = "zero";
  Mistakes({{conv}, relu}, grid).expect_wrong("wrong padding");
  inputs::Inputs graph = vectors(3);
  graph.graph = {{0, 1}, {1, 0}, {1, 2}, {2, 1}};
  const Mistakes undirected({{GraphConv{}}, relu}, graph);
  undirected.expect_wrong("self loops missing");
  EXPECT_THAT(names(undirected.all), Not(Contains("edges reversed")));
  graph.graph->pop_back();
  const GraphConv mean{.normalization = Normalization::row, .self_loops = false, .self_weight_variance = 1};
  const Mistakes directed({{mean}, relu}, graph);
  directed.expect_wrong("edges reversed");
  directed.expect_wrong("weight of the node itself missing");
  Mistakes({{Dense{}}, {GraphAttention{.head_size = 2, .attention_variance = 9}}}, graph)
      .expect_wrong("edges attended to alike");
  for (const GraphScores scores : {GraphScores::gat, GraphScores::gatv2}) {
    Mistakes({{Dense{}}, {GraphAttention{.head_size = 2, .scores = scores, .attention_variance = 9}}}, graph)
        .expect_wrong("scores of the other GAT");
  }
  Mistakes({{GraphConv{.normalization = Normalization::sum, .self_loop_weight = 1.5}}, relu}, graph)
      .expect_wrong("loops of weight 1");
}

TEST(Mutants, OfSeveralInputs) {
  inputs::Inputs questions = sequences({2, 1, 1});
  const inputs::Inputs texts = sequences({1, 2, 3});
  questions.others.push_back({"text", texts});
  CrossAttention attention;
  attention.memory = {{Input{"text"}}, {Dense{}}};
  attention.value_variance = 2;
  const Mistakes mistakes({{Dense{}}, {attention}}, questions);
  mistakes.expect_wrong("other inputs of another sample");
  mistakes.expect_wrong("variances of queries and values exchanged");
  EXPECT_THAT(names(Mistakes({{Dense{}}, relu}, questions.named("text")).all),
              Not(Contains("other inputs of another sample")));
  CrossAttention other;
  other.memory = {{Dense{}}};
  Mistakes({{Dense{}}, relu, {other}}, texts).expect_wrong("cross attention to itself");
}

TEST(Mutants, OfConvolutionsAndNorms) {
  inputs::Inputs grid = vectors(8);
  grid.grid = {4};
  const Layer conv{Conv{.kernel = {2}, .bias_variance = 0.3}}, mean{GlobalAveragePool{}};
  const auto expect_wrong = [&](const std::string& name, const Layer& layer, const Layer& before) {
    Mistakes({conv, before, layer, relu, mean}, grid).expect_wrong(name);
  };
  const Layer tanh{Activate{Activation::named("tanh")}};
  expect_wrong("depthwise as full convolution", {DepthwiseConv{.kernel = {2}}}, relu);
  expect_wrong("weights shared over positions", {LocalConv{.kernel = {2}}}, tanh);
  expect_wrong("average counts other positions", {Pool{.kernel = {3}, .stride = {1}, .padding = "zero"}},
               tanh);
  expect_wrong("interpolation by another rule", {Upsample{}}, tanh);
  expect_wrong("padding with zeros", {Pad{.mode = PadMode::reflect}}, tanh);
  expect_wrong("RMS norm subtracts the mean", {RmsNorm{}}, relu);
  expect_wrong("layer norm over other sites", {LayerNorm{.over = NormOver::sample}}, relu);
  const Layer identity{Activate{Activation::named("identity")}};
  expect_wrong("instance norm over the batch", {InstanceNorm{.epsilon = 0.1}}, identity);
  expect_wrong("batch norm as in training", {BatchNorm{.mode = NetworkMode::evaluation}}, identity);
  expect_wrong("dropout without rescaling", {Dropout{}}, tanh);
  expect_wrong("dropout left out", {Dropout{}}, tanh);
  expect_wrong("dropout masks shared otherwise", {Dropout{}}, tanh);
  expect_wrong("factor missing", {Rescale{2}}, tanh);
  // Groups that differ: two of one law, normalized together or not.
  const Layers halves{{Dense{.bias_variance = 0.3}}}, large{{Dense{.weight_variance = 4}}, relu};
  Mistakes({{Concat{{halves, large}}}, {GroupNorm{.groups = 2}}, relu, mean}, grid)
      .expect_wrong("group norm with one group");
  Mistakes({{Concat{{halves, large}}}, {Conv{.kernel = {1}, .blocks = 2, .groups = 2}}, tanh, mean}, grid)
      .expect_wrong("groups missing");
}

TEST(Mutants, OfGatedUnits) {
  const inputs::Inputs inputs = vectors(3);
  const Mistakes gated({{Glu{.activation = Activation::named("relu"), .bias_variance = 0.5}}}, inputs);
  for (const char* name : {"gate without its bias", "gate missing", "gate of the wrong half"})
    gated.expect_wrong(name);
  const Layers dense{{Dense{}}};
  Mistakes({{Product{{dense, dense}}}}, inputs).expect_wrong("product as sum");
}

TEST(Mutants, OfStatesAndScores) {
  const inputs::Inputs inputs = sequences({2, 1});
  const Activation identity = Activation::named("identity");
  Lstm lstm;
  lstm.forget_bias = 1;
  lstm.initial_variance = 1;
  const Mistakes states({{lstm}}, inputs);
  states.expect_wrong("forget bias missing");
  states.expect_wrong("initial state 0");
  const Layers first = {{Crop{.after = {1}}}, {Dense{}}, {Last{}}};
  Mistakes({{Crop{.before = {1}}}, {SimpleRnn{.initial = first}}}, sequences({2, 2}))
      .expect_wrong("initial state 0");
  EXPECT_THAT(names(Mistakes({{SimpleRnn{}}}, inputs).all), Not(Contains("initial state 0")));
  const Mistakes normed({{SimpleRnn{.weight_variance = 4, .layer_norm = true}}}, inputs);
  normed.expect_wrong("layer norm inside cells missing");
  SelfAttention attention{.weights = AttentionWeights::none, .window = 1, .distance_slope = 0.5};
  Mistakes({{Dense{}}, {attention}}, inputs).expect_wrong("window missing");
  attention.window = 0;
  Mistakes({{Dense{}}, {attention}}, inputs).expect_wrong("distances missing");
  const Mistakes heads(
      {{Dense{}},
       {SelfAttention{.mask = Mask::causal, .scaling = Scaling::d, .weight_variance = 4, .head_size = 4}}},
      inputs);
  heads.expect_wrong("scores scaled otherwise");
  heads.expect_wrong("causal mask missing in heads");
  SelfAttention tables{.weights = AttentionWeights::none,
                       .visible = {{1, 1}, {0, 1}},
                       .score_bias = {{0, 1}, {0, 0}},
                       .relative_bias = {1, 0, -1}};
  const Mistakes given({{Dense{}}, {tables}}, inputs);
  for (const char* name :
       {"queries and keys exchanged in the mask", "table of scores missing", "relative positions mirrored"})
    given.expect_wrong(name);
  tables.visible = {{1, 1}, {1, 1}};
  EXPECT_THAT(names(Mistakes({{Dense{}}, {tables}}, inputs).all),
              Not(Contains("queries and keys exchanged in the mask")));
  const Mistakes positions({{Dense{}},
                            {SelfAttention{.scaling = Scaling::d,
                                           .weight_variance = 4,
                                           .head_size = 2,
                                           .value_variance = 1,
                                           .relative_bias_variance = 2,
                                           .rotary_base = 2}}},
                           inputs);
  for (const char* name : {"relative positions of heads missing", "rotary positions missing",
                           "variances of queries and values exchanged"})
    positions.expect_wrong(name);
  Mistakes({{Dense{}}, {LinearAttention{}}}, inputs).expect_wrong("linear attention normalized otherwise");
}

TEST(Mutants, OfNumbers) {
  kernels::Kernel right{MatrixXd{{4, 1, 0}, {1, 1, 0.5}, {0, 0.5, 9}}};
  const std::vector<Mutant> wrong = wrong_kernels(right);
  ASSERT_EQ(wrong.size(), 4u);
  EXPECT_NEAR(distance(wrong[0].kernel, right), 0.01 / 1.01, 1e-15);
  EXPECT_NEAR(distance(wrong[1].kernel, right), 0.01 / 0.99, 1e-15);
  EXPECT_NEAR(distance(wrong[2].kernel, right), 0.02, 1e-15);
  EXPECT_NEAR(wrong[2].kernel.value(2, 0), 0.12, 1e-15);
  EXPECT_EQ(wrong[3].kernel.value, (MatrixXd{{9, 0.5, 0}, {0.5, 1, 1}, {0, 1, 4}}));
  EXPECT_EQ(distance(right, right), 0);
}

TEST(Mutants, ThatMakeNoDifferenceAreLeftOut) {
  const inputs::Inputs inputs = vectors(3);
  const Network right = network({{Dense{{}, 2, 0}}, relu, {LayerNorm{}}});
  const netsor::Program right_program = program(right, inputs);
  const Catalogue catalogue = mutants(right, inputs, analytic::limit(right_program));
  ASSERT_EQ(catalogue.left_out.size(), 3u);
  EXPECT_EQ(catalogue.left_out[0].name, "input variance + 2 %");
  EXPECT_EQ(catalogue.left_out[1].name, "relu without its ½");
  EXPECT_EQ(catalogue.left_out[2].name, "layer norm over other sites");
  for (const Mutant& mutant : catalogue.mutants) EXPECT_NE(mutant.name, "input variance + 2 %");
}

}  // namespace
}  // namespace nngpcheck::compare
