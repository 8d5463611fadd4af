// Programs against their torch::nn twins with the same weights: every kind of layer, every option.
#include "nngpcheck/empirical/torch/twin.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/empirical/programs.hpp"
#include "tests/empirical/values.hpp"

namespace nngpcheck {
namespace {

using namespace architectures;
using empirical::Parameters;
using empirical::twin;
using netsor::Activation;
using netsor::Width;
using testing::sequences;
using testing::vectors;

constexpr std::int64_t width = 16;
constexpr std::uint64_t seed = 5;
constexpr std::uint64_t number = 3;
constexpr double tolerance = 1e-10;
constexpr double visible = 1e-3;

struct Case {
  std::string name;
  Layers layers;
  inputs::Inputs inputs;
};

Eigen::MatrixXd program_values(const netsor::Program& program) {
  return testing::program_values(program, width, seed, number);
}

Parameters drawn(const netsor::Program& program) {
  return empirical::draw_parameters(program, width, seed, number);
}

// Relative to numbers of order 1.
double difference(const Eigen::MatrixXd& left, const Eigen::MatrixXd& right) {
  if (left.rows() != right.rows() || left.cols() != right.cols()) return HUGE_VAL;
  const double largest = (left - right).cwiseAbs().maxCoeff() / std::max(1.0, right.cwiseAbs().maxCoeff());
  return std::isnan(largest) ? HUGE_VAL : largest;
}

void expect_equal(const std::vector<Case>& cases) {
  for (const Case& given : cases) {
    SCOPED_TRACE(given.name);
    try {
      const Network made = network(given.layers);
      const netsor::Program built = program(made, given.inputs);
      EXPECT_LT(difference(twin(made, given.inputs, drawn(built)), program_values(built)), tolerance);
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  }
}

Layer dense(Width of = {}) { return {Dense{.width = of, .weight_variance = 1.3, .bias_variance = 0.3}}; }
Layer activate(const char* name) { return {Activate{Activation::named(name)}}; }

// Some layers on the data itself, on one block, and on two blocks of different widths.
std::vector<Case> raw_and_hidden(const std::string& name, const Layers& layers,
                                 const inputs::Inputs& inputs) {
  const Layer two_blocks{Concat{{{dense(), activate("tanh")}, {dense(Width(1, 2)), activate("erf")}}}};
  std::vector<Case> result = {{name + ", raw", layers, inputs},
                              {name + ", one block", {dense(), activate("tanh")}, inputs},
                              {name + ", two blocks", {two_blocks}, inputs}};
  for (std::size_t k = 1; k < 3; ++k) {
    result[k].layers.insert(result[k].layers.end(), layers.begin(), layers.end());
  }
  return result;
}

std::vector<Case> hidden(const std::string& name, const Layers& layers, const inputs::Inputs& inputs) {
  std::vector<Case> result = raw_and_hidden(name, layers, inputs);
  result.erase(result.begin());
  return result;
}

inputs::Inputs grids(std::vector<Eigen::Index> grid, Eigen::Index samples) {
  Eigen::Index count = samples;
  for (const Eigen::Index size : grid) count *= size;
  inputs::Inputs result = vectors(3, count);
  result.grid = std::move(grid);
  return result;
}

inputs::Inputs graph(Eigen::Index nodes, std::vector<inputs::Edge> edges) {
  inputs::Inputs result = vectors(3, nodes);
  result.graph = std::move(edges);
  return result;
}

// Weighted, with a node without edges, one without incoming and one without outgoing ones.
const inputs::Inputs directed =
    graph(6, {{0, 1, 1}, {0, 2, 0.5}, {1, 2, 2}, {2, 1, 0.25}, {2, 3, 1.5}, {1, 4, 0.75}, {4, 0, 0}});
const inputs::Inputs undirected = graph(4, {{0, 1}, {1, 0}, {1, 2}, {2, 1}, {2, 3}, {3, 2}, {0, 2}, {2, 0}});
const inputs::Inputs looped = graph(3, {{0, 1}, {1, 0}, {1, 1, 0.5}, {2, 2}});
const inputs::Inputs ragged = sequences(3, {3, 5, 1});

TEST(Twin, Activations) {
  std::vector<Activation> activations = {Activation::named("leaky_relu_0.2"),
                                         Activation::named("power_3"),
                                         Activation::named("rectified_power_3"),
                                         Activation::named("celu_2"),
                                         Activation::named("threshold_0.5_2"),
                                         Activation::custom("cubic", [](double x) { return x * x * x - x; })};
  for (const std::string& name : Activation::names()) {
    if (name.back() < 'A' || name.back() > 'Z') activations.push_back(Activation::named(name));
  }
  for (const Activation& activation : activations) {
    expect_equal(raw_and_hidden(activation.name(), {dense(), {Activate{activation}}}, vectors(3, 5)));
  }
}

TEST(Twin, Dense) {
  expect_equal(raw_and_hidden("no bias", {{Dense{}}, activate("relu"), {Dense{}}}, vectors(3, 5)));
  expect_equal(raw_and_hidden("widths", {dense(Width(4)), activate("relu"), dense(Width(1, 2))}, ragged));
  const Dense tied{.bias_variance = 0.2};
  const Layers shared = {{tied, "a"}, activate("erf"), {tied, "b"}, activate("erf"), {tied, "b"}};
  expect_equal(hidden("weights shared", shared, vectors(3, 5)));
  Layers deep;
  for (int layer = 0; layer < 12; ++layer) deep.insert(deep.end(), {dense(), activate("relu")});
  expect_equal({{"deep", deep, vectors(3, 5)}});
}

TEST(Twin, Windows) {
  struct Shape {
    std::string name;
    std::vector<std::int64_t> kernel, stride, dilation;
    inputs::Inputs inputs;
  };
  const std::vector<Shape> shapes = {{"sequences", {3}, {1}, {1}, sequences(3, {4, 7, 3})},
                                     {"sequences, even kernel", {4}, {2}, {1}, sequences(3, {4, 7, 5})},
                                     {"sequences, dilation", {2}, {1}, {2}, sequences(3, {4, 7, 3})},
                                     {"one axis, stride 3", {3}, {3}, {1}, grids({7}, 2)},
                                     {"two axes", {3}, {1}, {1}, grids({3, 4}, 2)},
                                     {"two axes, lists", {2, 3}, {2, 1}, {1}, grids({5, 4}, 2)},
                                     {"two axes, dilations", {2, 3}, {1, 2}, {3, 1}, grids({6, 4}, 2)},
                                     {"three axes", {2, 1, 3}, {1, 1, 2}, {1}, grids({3, 2, 4}, 2)},
                                     {"three axes, dilation", {2}, {1}, {2, 1, 1}, grids({3, 2, 3}, 1)}};
  const std::vector<Padding> paddings = {"zero", "circular", "valid", "same", {1}};
  for (const auto& [name, kernel, stride, dilation, inputs] : shapes) {
    for (const Padding& padding : paddings) {
      const std::string full = name + ", " + padding.text();
      const Conv conv{
          .kernel = kernel, .stride = stride, .dilation = dilation, .padding = padding, .bias_variance = 0.3};
      expect_equal(raw_and_hidden(full + ", conv", {{conv}}, inputs));
      const Layer average{Pool{Pool::Kind::average, kernel, stride, dilation, padding}};
      const Layer sum{Pool{Pool::Kind::sum, kernel, stride, dilation, padding}};
      expect_equal(raw_and_hidden(full + ", average", {average, dense()}, inputs));
      expect_equal(raw_and_hidden(full + ", sum", {sum, dense()}, inputs));
      if (padding == Padding{1} && *std::min_element(kernel.begin(), kernel.end()) == 1)
        continue;  // windows outside
      expect_equal(hidden(full + ", maximum",
                          {{Pool{Pool::Kind::maximum, kernel, stride, dilation, padding}}}, inputs));
    }
  }
}

TEST(Twin, Grids) {
  const Conv wide{.kernel = {3}, .width = Width(2), .weight_variance = 1.4, .bias_variance = 0.2};
  const inputs::Inputs images = grids({4, 6}, 3);
  Layers lenet;  // pools of kernel 2 and, by default, stride 2
  for (const Pool::Kind kind : {Pool::Kind::average, Pool::Kind::maximum}) {
    lenet.insert(lenet.end(), {{wide}, activate("relu"), {Pool{kind}}});
  }
  lenet.insert(lenet.end(), {{Flatten{}}, dense(), activate("relu")});
  expect_equal({{"lenet", lenet, images}});
  expect_equal(raw_and_hidden("flatten", {{Flatten{}}, dense(), activate("tanh")}, images));
  expect_equal(hidden("flatten at the end", {{Flatten{}}}, images));
  expect_equal(raw_and_hidden("flatten sequences", {{Flatten{}}, dense()}, sequences(3, {4, 4})));
  expect_equal(raw_and_hidden("average of all", {{GlobalAveragePool{}}, dense()}, images));
  expect_equal(raw_and_hidden("average of tokens", {{GlobalAveragePool{}}, dense()}, ragged));
  expect_equal(raw_and_hidden("last token", {{Last{}}, dense()}, ragged));
  expect_equal(raw_and_hidden("last position", {{Last{}}, dense()}, images));
}

TEST(Twin, Graphs) {
  const std::vector<std::pair<std::string, inputs::Inputs>> graphs = {
      {"directed", directed}, {"undirected", undirected}, {"with self-loops", looped}};
  for (const auto& [name, inputs] : graphs) {
    for (const Normalization normalization : {Normalization::gcn, Normalization::row, Normalization::sum}) {
      for (const bool self_loops : {true, false}) {
        const Layer conv{GraphConv{normalization, self_loops, Width(2), 1.2, 0.3}};
        const std::string full = name + ", " + word(normalization) + (self_loops ? ", self-loops" : "");
        expect_equal(raw_and_hidden(full, {conv, activate("relu"), conv}, inputs));
      }
    }
    expect_equal(raw_and_hidden(name + ", pooled", {{GraphConv{}}, {GlobalAveragePool{}}, dense()}, inputs));
  }
}

TEST(Twin, ResidualAndConcat) {
  const Layers branch = {dense(), activate("relu"), dense()};
  expect_equal(raw_and_hidden("residual", {dense(), {Residual{branch, {}}}, activate("tanh")}, ragged));
  expect_equal(raw_and_hidden("shortcut", {{Residual{branch, {dense()}}}, {Residual{branch, {}}}}, ragged));
  const Layer wide{Concat{{{dense(Width(2)), activate("relu")}, {dense(Width(1, 2))}}}};
  expect_equal(raw_and_hidden("blocks", {wide, {Residual{{activate("erf")}, {}}}, dense()}, ragged));
  expect_equal(hidden("identity branch", {{Concat{{{}, {dense(), activate("relu")}}}}, dense()}, ragged));
  Conv halved{.kernel = {3}, .stride = {2}};
  expect_equal(raw_and_hidden("resnet", {{Residual{{{halved}, activate("relu"), dense()}, {{halved}}}}},
                              grids({4, 5}, 2)));
}

TEST(Twin, Norms) {
  const LayerNorm affine{.epsilon = 1e-3, .gain_variance = 0.5, .bias_variance = 0.3};
  expect_equal(hidden("layer norm", {{LayerNorm{}}, dense()}, ragged));
  expect_equal(hidden("layer norm, affine", {{affine}, dense()}, ragged));
  expect_equal(hidden("layer norm, gain", {{LayerNorm{.gain_variance = 0.5}}}, ragged));
  expect_equal(hidden("layer norm, bias", {{LayerNorm{.epsilon = 0.5, .bias_variance = 0.5}}}, ragged));
  inputs::Inputs batches = ragged;
  batches.batch = {1, 0, 1};
  for (const double epsilon : {0.0, 0.01}) {
    const Layer norm{BatchNorm{epsilon}};
    for (const inputs::Inputs& inputs : {ragged, batches, vectors(3, 5), grids({2, 3}, 2), directed}) {
      expect_equal(hidden("batch norm", {norm, activate("relu"), dense()}, inputs));
    }
  }
  batches = grids({2, 3}, 5);
  batches.batch = {2, 2, 0, 0, 2};
  expect_equal(hidden("after pooling", {{GlobalAveragePool{}}, {BatchNorm{0.1}}}, batches));
  const Conv conv{.kernel = {2}, .padding = "valid"};
  expect_equal(hidden("after a convolution", {{conv}, {BatchNorm{}}}, batches));
}

TEST(Twin, Attention) {
  for (const Mask mask : {Mask::full, Mask::causal}) {
    for (const double temperature : {1.0, 0.2}) {
      const std::string name = std::string(word(mask)) + ", temperature " + std::to_string(temperature);
      SelfAttention layer{.weights = AttentionWeights::none, .mask = mask, .temperature = temperature};
      expect_equal(hidden("none, " + name, {{layer}, dense(), activate("relu")}, ragged));
      layer.weight_variance = 1.5;
      for (const AttentionWeights weights : {AttentionWeights::separate, AttentionWeights::tied}) {
        for (const int heads : {1, 2, 4}) {
          layer.weights = weights;
          layer.heads = heads;
          const std::string full =
              std::string(word(weights)) + ", " + std::to_string(heads) + " heads, " + name;
          expect_equal(hidden(full, {{layer}, activate("relu"), {layer}}, ragged));
        }
      }
    }
  }
  expect_equal(hidden("wide", {dense(Width(2)), {SelfAttention{.heads = 2}}}, ragged));
  expect_equal(hidden("images", {{SelfAttention{.weights = AttentionWeights::tied}}}, grids({2, 3}, 2)));
  const Layers attend = {{LayerNorm{.epsilon = 1e-5}}, {SelfAttention{.heads = 2, .mask = Mask::causal}}};
  const Layers feed = {{LayerNorm{}}, dense(Width(4)), activate("gelu"), dense()};
  const Layers transformer = {dense(), {Residual{attend, {}}}, {Residual{feed, {}}}, {LayerNorm{}}};
  expect_equal({{"transformer", transformer, ragged}});
}

// A recurrent layer by itself, in both directions, on sequences of several orders of length.
template <class Recurrent>
void expect_equal_recurrent(const std::string& name, Recurrent layer) {
  layer.weight_variance = 1.3;
  layer.input_variance = 0.8;
  for (const bool bidirectional : {false, true}) {
    layer.bidirectional = bidirectional;
    expect_equal(raw_and_hidden(name + (bidirectional ? ", bidirectional" : ""), {{layer}}, ragged));
  }
  expect_equal({{name + ", stacked", {{layer}, {layer}, {Last{}}}, sequences(3, {1, 2, 6})}});
  layer.bias_variance = 0.3;
  expect_equal(raw_and_hidden(name + ", bias", {{layer}, {GlobalAveragePool{}}}, ragged));
  expect_equal({{name + ", grid", {{layer}}, grids({4}, 2)}});
}

TEST(Twin, SimpleRnns) {
  for (const char* activation : {"tanh", "relu", "erf", "identity"}) {
    expect_equal_recurrent(activation, SimpleRnn{.activation = Activation::named(activation)});
  }
}

TEST(Twin, GatedRecurrence) {
  for (const char* activation : {"tanh", "erf"}) {
    for (const char* gate_activation : {"sigmoid", "erf_sigmoid"}) {
      for (const double hidden_bias : {0.0, 0.5}) {
        const std::string name = std::string(activation) + ", " + gate_activation;
        Gru gru;
        gru.activation = Activation::named(activation);
        gru.gate_activation = Activation::named(gate_activation);
        if (hidden_bias == 0) expect_equal_recurrent("gru, tp1, " + name, gru);
        gru.convention = GruConvention::torch;
        gru.hidden_bias_variance = hidden_bias;
        expect_equal_recurrent("gru, torch, " + name, gru);
        Lstm lstm;
        lstm.activation = gru.activation;
        lstm.gate_activation = gru.gate_activation;
        lstm.hidden_bias_variance = hidden_bias;
        expect_equal_recurrent("lstm, " + name, lstm);
      }
    }
  }
}

// A layer, and one that differs from it although it takes the same parameters.
using WrongOption = std::tuple<std::string, Layer::Kind, Layer::Kind>;

std::vector<WrongOption> wrong_options() {
  std::vector<WrongOption> result;
  const auto add = [&](const std::string& name, auto layer, const auto& change) {
    auto wrong = layer;
    change(wrong);
    result.push_back({name, layer, wrong});
  };
  const Conv conv{.bias_variance = 0.3};
  add("bias", conv, [](Conv& c) { c.bias_variance = 0; });
  add("activation", Activate{}, [](Activate& a) { a.activation = Activation::named("erf"); });
  add("padding", conv, [](Conv& c) { c.padding = "circular"; });
  add("dilation", conv, [](Conv& c) { c.dilation = {2}; });
  add("pooling", Pool{}, [](Pool& p) { p.kind = Pool::Kind::maximum; });
  add("normalization", GraphConv{}, [](GraphConv& g) { g.normalization = Normalization::row; });
  add("self-loops", GraphConv{}, [](GraphConv& g) { g.self_loops = false; });
  add("epsilon", LayerNorm{}, [](LayerNorm& n) { n.epsilon = 0.1; });
  add("epsilon of batches", BatchNorm{}, [](BatchNorm& n) { n.epsilon = 0.1; });
  add("mask", SelfAttention{}, [](SelfAttention& a) { a.mask = Mask::causal; });
  add("temperature", SelfAttention{}, [](SelfAttention& a) { a.temperature = 0.2; });
  add("tied", SelfAttention{}, [](SelfAttention& a) { a.weights = AttentionWeights::tied; });
  add("convention", Gru{}, [](Gru& g) { g.convention = GruConvention::torch; });
  add("gates", Lstm{}, [](Lstm& l) { l.gate_activation = Activation::named("erf_sigmoid"); });
  return result;
}

TEST(WrongTwin, OptionsDiffer) {
  for (const auto& [name, right, wrong] : wrong_options()) {
    SCOPED_TRACE(name);
    const auto with = [](const Layer::Kind& kind) {
      return network({dense(), activate("tanh"), {kind, "layer"}, dense()});
    };
    const inputs::Inputs inputs = std::holds_alternative<GraphConv>(right) ? directed : sequences(3, {6, 4});
    const netsor::Program built = program(with(right), inputs);
    const Eigen::MatrixXd values = program_values(built);
    EXPECT_LT(difference(twin(with(right), inputs, drawn(built)), values), tolerance);
    EXPECT_GT(difference(twin(with(wrong), inputs, drawn(built)), values), visible);
  }
}

TEST(WrongTwin, ParametersDiffer) {
  using Change = std::function<void(Parameters&)>;
  const auto swap = [](const char* a, const char* b) -> Change {
    return [=](Parameters& p) { std::swap(p.at(a), p.at(b)); };
  };
  const Layers start = {{Dense{}, "a"}, activate("tanh")};
  const std::vector<std::tuple<std::string, Layer::Kind, inputs::Inputs, Change>> cases = {
      {"transposed", Dense{}, ragged, [](Parameters& p) { p.at("l.W").transposeInPlace(); }},
      {"tied", Residual{{{Dense{}, "r"}, {Dense{}, "l"}}, {}}, ragged,
       [](Parameters& p) { p.at("l.W") = p.at("r.W"); }},
      {"offsets reversed", Conv{}, ragged, swap("l.W[0]", "l.W[2]")},
      {"axes swapped", Conv{}, grids({3, 3}, 2), swap("l.W[0,1]", "l.W[1,0]")},
      {"keys and values", SelfAttention{}, ragged, swap("l.K0", "l.V0")},
      {"heads", SelfAttention{.heads = 2}, ragged, swap("l.O@0", "l.O@1")},
      {"gain and bias", LayerNorm{0, 0.5, 0.5}, ragged, swap("l.gain", "l.b")},
      {"state and input", SimpleRnn{}, ragged, swap("l.W", "l.U")},
      {"directions", SimpleRnn{.bidirectional = true}, ragged, swap("l.U", "l.reverse.U")},
      {"gates of gru", Gru{}, ragged, swap("l.W_z", "l.W_r")},
      {"gates of lstm", Lstm{}, ragged, swap("l.U_i", "l.U_o")}};
  for (const auto& [name, kind, inputs, change] : cases) {
    SCOPED_TRACE(name);
    Layers layers = start;
    layers.push_back({kind, "l"});
    const netsor::Program built = program(network(layers), inputs);
    Parameters parameters = drawn(built);
    change(parameters);
    EXPECT_GT(difference(twin(network(layers), inputs, parameters), program_values(built)), visible);
  }
}

TEST(WrongTwin, InputsDiffer) {
  const auto differs = [](const Layers& layers, const inputs::Inputs& inputs, const auto& change) {
    const netsor::Program built = program(network(layers), inputs);
    inputs::Inputs changed = inputs;
    change(changed);
    return difference(twin(network(layers), changed, drawn(built)), program_values(built)) > visible;
  };
  const Layers rnn = {{SimpleRnn{}}, {BatchNorm{}}};
  inputs::Inputs inputs = sequences(3, {3, 4, 2});
  inputs.batch = {0, 0, 1};
  EXPECT_FALSE(differs(rnn, inputs, [](inputs::Inputs&) {}));
  EXPECT_TRUE(differs(rnn, inputs, [](inputs::Inputs& i) { i.data.col(3).swap(i.data.col(4)); }))
      << "tokens swapped";
  EXPECT_TRUE(differs(rnn, inputs, [](inputs::Inputs& i) { i.lengths = {4, 3, 2}; })) << "a token elsewhere";
  EXPECT_TRUE(differs(rnn, inputs, [](inputs::Inputs& i) { i.batch = {0, 1, 1}; })) << "a sequence elsewhere";
  const auto reverse = [](inputs::Inputs& i) {
    for (inputs::Edge& edge : *i.graph) std::swap(edge.source, edge.target);
  };
  EXPECT_TRUE(differs({{GraphConv{}}}, directed, reverse)) << "edges reversed";
}

TEST(WrongTwin, SaysWhichParameterIsMissing) {
  const inputs::Inputs inputs = vectors(3, 5);
  const Parameters parameters = drawn(program(network({{Dense{}}}), inputs));
  try {
    twin(network({{Dense{}}, {Dense{}}}), inputs, parameters);
    ADD_FAILURE() << "not rejected";
  } catch (const empirical::SamplerError& error) {
    EXPECT_NE(std::string(error.what()).find("no parameter \"dense2.W\""), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace nngpcheck
