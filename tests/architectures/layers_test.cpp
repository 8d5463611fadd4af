// Layers against their definitions and against each other, at a small finite width.
#include <Eigen/Dense>

#include "nngpcheck/architectures/network.hpp"
#include "nngpcheck/netsor/printer.hpp"
#include "tests/architectures/fixtures.hpp"
#include "tests/netsor/interpreter.hpp"

namespace nngpcheck::architectures {
namespace {

using namespace nngpcheck::testing;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using ::testing::ElementsAre;

constexpr std::int64_t n = 6;
constexpr double rounding = 1e-12;

inputs::Inputs grids(int samples, const std::vector<Index>& grid) {
  Index positions = 1;
  for (const Index size : grid) positions *= size;
  inputs::Inputs result = vectors(samples * static_cast<int>(positions));
  result.grid = grid;
  return result;
}

inputs::Inputs graph(int nodes, const std::vector<inputs::Edge>& edges) {
  inputs::Inputs result = vectors(nodes);
  result.graph = edges;
  return result;
}

std::vector<inputs::Edge> cycle(Index nodes) {
  std::vector<inputs::Edge> result;
  for (Index k = 0; k < nodes; ++k) {
    result.push_back({k, (k + 1) % nodes});
    result.push_back({(k + 1) % nodes, k});
  }
  return result;
}

struct Sample {
  netsor::Program program;
  Weights weights;
  MatrixXd values() const { return outputs(program, weights, n); }
};

Sample sample(const Layers& layers, const inputs::Inputs& inputs) {
  netsor::Program made = program(network(layers), inputs);
  Weights weights = draw(made, n);
  return {std::move(made), std::move(weights)};
}

void expect_equal(const MatrixXd& found, const MatrixXd& expected) {
  ASSERT_EQ(found.rows(), expected.rows());
  ASSERT_EQ(found.cols(), expected.cols());
  EXPECT_LT((found - expected).cwiseAbs().maxCoeff(), rounding) << found << "\n\n" << expected;
}

const Layer relu{Activate{netsor::Activation::named("relu")}};

// ---- Convolution and pooling ----

const std::vector<Padding> paddings = {"valid", "zero", "circular", "SAME", {0}, {1}, {3}};

// The size of given padding, else -1.
Index size_of(const Padding& padding) { return padding.sizes().empty() ? -1 : padding.sizes().front(); }

Index outputs_of(Index length, Index kernel, Index stride, Index dilation, const Padding& padding) {
  const Index size = padding == "valid" ? 0 : size_of(padding);
  if (size < 0)
    return static_cast<Index>(std::ceil(static_cast<double>(length) / static_cast<double>(stride)));
  return (length + 2 * size - dilation * (kernel - 1) - 1) / stride + 1;
}

// Where output o of one axis reads at offset k, straight from the definition; -1 outside.
Index reads(Index length, Index o, Index k, Index kernel, Index stride, Index dilation,
            const Padding& padding) {
  Index left = padding == "valid" ? 0 : dilation * (kernel - 1) / 2;
  if (padding ==
      "same") {  // the last window ends as little beyond the end as the first begins before it, or one more
    const Index last =
        (outputs_of(length, kernel, stride, dilation, padding) - 1) * stride + dilation * (kernel - 1);
    left = last < length ? 0 : (last - (length - 1)) / 2;
  }
  if (size_of(padding) >= 0) left = size_of(padding);
  const Index at = o * stride + k * dilation - left;
  if (padding == "circular") return ((at % length) + length) % length;
  return at >= 0 && at < length ? at : -1;
}

TEST(Conv, OneAxisEqualsItsDefinition) {
  const inputs::Inputs inputs = sentences({5, 7});
  for (const Padding& padding : paddings) {
    for (const auto& [kernel, stride, dilation] :
         {std::tuple{3, 1, 1}, {2, 1, 1}, {3, 2, 1}, {2, 3, 2}, {4, 2, 1}, {1, 2, 1}}) {
      Conv conv{.kernel = {kernel},
                .stride = {stride},
                .dilation = {dilation},
                .padding = padding,
                .bias_variance = 1};
      const Sample found = sample({{conv, "c"}}, inputs);
      std::vector<VectorXd> expected;
      Index first = 0;
      for (const Index length : inputs.lengths) {
        for (Index o = 0; o < outputs_of(length, kernel, stride, dilation, padding); ++o) {
          VectorXd sum = found.weights.at("c.b").col(0);
          for (Index k = 0; k < kernel; ++k) {
            const Index at = reads(length, o, k, kernel, stride, dilation, padding);
            if (at >= 0)
              sum += found.weights.at("c.W[" + std::to_string(k) + "]") * inputs.data.col(first + at);
          }
          expected.push_back(sum);
        }
        first += length;
      }
      SCOPED_TRACE(padding.text() + " " + std::to_string(kernel) + " " + std::to_string(stride));
      const MatrixXd values = found.values();
      ASSERT_EQ(values.cols(), std::ssize(expected));
      for (Index j = 0; j < values.cols(); ++j)
        expect_equal(values.col(j), expected[static_cast<std::size_t>(j)]);
    }
  }
}

TEST(Conv, PaddingMayDifferBetweenAxes) {
  const inputs::Inputs inputs = grids(2, {3, 4});
  const Conv given{.kernel = {3, 5}, .padding = {1, 2}}, zero{.kernel = {3, 5}};
  Sample found = sample({{given, "c"}}, inputs);
  expect_equal(found.values(), sample({{zero, "c"}}, inputs).values());  // that keeps the size, too
  const Conv shorter{.kernel = {3, 5}, .padding = {1, 1}};
  EXPECT_EQ(sample({{shorter, "c"}}, inputs).program.outputs(), 2 * 3 * 2);
}

TEST(Conv, SameIsZeroAtStrideOneOnly) {
  const inputs::Inputs inputs = grids(2, {4, 6});
  const auto values = [&](const Padding& padding, std::int64_t stride) {
    return sample({{Conv{.kernel = {4, 3}, .stride = {stride}, .padding = padding}, "c"}}, inputs).values();
  };
  expect_equal(values("same", 1), values("zero", 1));
  EXPECT_GT((values("same", 2) - values("zero", 2)).cwiseAbs().maxCoeff(), 1e-3);
}

TEST(Conv, TwoAxesEqualTheDefinition) {
  const inputs::Inputs inputs = grids(2, {3, 4});
  const Conv conv{.kernel = {2, 3}, .stride = {1, 2}, .dilation = {2, 1}, .padding = "zero"};
  const Sample found = sample({{Dense{}, "d"}, relu, {conv, "c"}}, inputs);
  const MatrixXd hidden = (found.weights.at("d.W") * inputs.data).cwiseMax(0);
  MatrixXd expected = MatrixXd::Zero(n, 2 * 3 * 2);
  for (Index s = 0; s < 2; ++s) {
    for (Index i = 0; i < 3; ++i) {
      for (Index j = 0; j < 2; ++j) {
        for (Index a = 0; a < 2; ++a) {
          for (Index b = 0; b < 3; ++b) {
            const Index row = reads(3, i, a, 2, 1, 2, "zero"), column = reads(4, j, b, 3, 2, 1, "zero");
            if (row < 0 || column < 0) continue;
            const std::string name = "c.W[" + std::to_string(a) + "," + std::to_string(b) + "]";
            expected.col(s * 6 + i * 2 + j) += found.weights.at(name) * hidden.col(s * 12 + row * 4 + column);
          }
        }
      }
    }
  }
  expect_equal(found.values(), expected);
  EXPECT_EQ(found.program.output().labels[7], "1:0,1");
}

TEST(Conv, KernelOfOneIsADenseLayer) {
  const inputs::Inputs inputs = grids(2, {2, 2, 3});
  const Sample conv =
      sample({{Dense{}, "d"}, relu, {Conv{.kernel = {1}, .bias_variance = 0.5}, "c"}}, inputs);
  Sample dense = sample({{Dense{}, "d"}, relu, {Dense{.bias_variance = 0.5}, "c"}}, inputs);
  dense.weights["c.W"] = conv.weights.at("c.W[0,0,0]");
  expect_equal(conv.values(), dense.values());
}

TEST(Pool, EqualsItsDefinition) {
  const inputs::Inputs inputs = sentences({5, 4});
  const MatrixXd hidden = sample({{Dense{}, "d"}}, inputs).values();
  for (const auto kind : {Pool::Kind::average, Pool::Kind::sum, Pool::Kind::maximum}) {
    for (const Padding& padding :
         {Padding("valid"), Padding("zero"), Padding("circular"), Padding("same"), Padding{1}}) {
      const Pool pool{.kind = kind, .kernel = {3}, .stride = {2}, .padding = padding};
      const MatrixXd values = sample({{Dense{}, "d"}, {pool}}, inputs).values();
      Index column = 0, first = 0;
      for (const Index length : inputs.lengths) {
        for (Index o = 0; o < outputs_of(length, 3, 2, 1, padding); ++o, ++column) {
          VectorXd sum = VectorXd::Zero(n), largest = VectorXd::Constant(n, -1e300);
          for (Index k = 0; k < 3; ++k) {
            const Index at = reads(length, o, k, 3, 2, 1, padding);
            if (at < 0) continue;
            sum += hidden.col(first + at);
            largest = largest.cwiseMax(hidden.col(first + at));
          }
          expect_equal(values.col(column), kind == Pool::Kind::average ? (sum / 3).eval()
                                           : kind == Pool::Kind::sum   ? sum
                                                                       : largest);
        }
        first += length;
      }
      EXPECT_EQ(column, values.cols());
    }
  }
}

TEST(Pool, TheStrideIsTheKernelUnlessGiven) {
  EXPECT_EQ(sample({{Dense{}}, {Pool{}}}, sentences({6})).values().cols(), 3);
}

TEST(Flatten, SitesBecomeBlocksOfOneWeight) {
  const inputs::Inputs inputs = grids(2, {2, 2});
  const Sample found = sample({{Dense{}, "d"}, relu, {Flatten{}}, {Dense{}, "f"}}, inputs);
  const MatrixXd hidden = (found.weights.at("d.W") * inputs.data).cwiseMax(0);
  MatrixXd expected = MatrixXd::Zero(n, 2);
  for (Index s = 0; s < 2; ++s) {
    for (Index p = 0; p < 4; ++p) {
      expected.col(s) += found.weights.at("f.W@" + std::to_string(p)) * hidden.col(4 * s + p);
    }
  }
  expect_equal(found.values(), expected);
  EXPECT_EQ(found.program.weights().front().variance, 0.25);  // a quarter of the fan-in each
  EXPECT_THAT(found.program.output().labels, ElementsAre("0", "1"));
}

TEST(Flatten, BlocksOfAnyWidthHaveASum) {
  const Layers layers = {{Conv{.width = netsor::Width(1, 2)}}, relu, {Flatten{}}};
  const std::string text = netsor::print(program(network(layers), grids(1, {8, 8})));
  EXPECT_THAT(text, ::testing::HasSubstr("] / √(32n), v"));
}

TEST(Flatten, DataAreChannelMajor) {
  const inputs::Inputs inputs = grids(2, {2});
  const Sample found = sample({{Flatten{}}, {Dense{}, "f"}}, inputs);
  MatrixXd data(6, 2);  // 3 channels, 2 positions
  for (Index s = 0; s < 2; ++s) {
    for (Index c = 0; c < 3; ++c) {
      for (Index p = 0; p < 2; ++p) data(2 * c + p, s) = inputs.data(c, 2 * s + p);
    }
  }
  expect_equal(found.values(), found.weights.at("f.W") * data);
}

// ---- Graphs ----

TEST(GraphConv, NormalizationsEqualTheirDefinitions) {
  const std::vector<inputs::Edge> edges = {
      {0, 1, 2}, {1, 2, 0.5}, {2, 0, 1}, {0, 2, 3}};  // directed; node 3 is alone
  const inputs::Inputs inputs = graph(4, edges);
  for (const bool loops : {false, true}) {
    MatrixXd a = MatrixXd::Zero(4, 4);
    for (const inputs::Edge& edge : edges) a(edge.source, edge.target) += edge.weight;
    if (loops) a += MatrixXd::Identity(4, 4);
    const VectorXd out = a.rowwise().sum(), in = a.colwise().sum();
    for (const char* normalization : {"gcn", "row", "sum"}) {
      MatrixXd expected = a;
      for (Index i = 0; i < 4; ++i) {
        for (Index j = 0; j < 4; ++j) {
          if (a(i, j) == 0) continue;
          if (normalization == std::string("gcn")) expected(i, j) /= std::sqrt(out[i] * in[j]);
          if (normalization == std::string("row")) expected(i, j) /= in[j];
        }
      }
      const Sample found =
          sample({{GraphConv{.normalization = normalization, .self_loops = loops}, "g"}}, inputs);
      expect_equal(found.values(), found.weights.at("g.W") * inputs.data * expected);
    }
  }
}

TEST(GraphConv, SelfLoopsAreAddedWhereThereAreNone) {
  const std::vector<inputs::Edge> edges = {{0, 1}, {1, 0}, {1, 1, 0.25}, {2, 2, 0}};
  MatrixXd a = MatrixXd::Zero(3, 3);
  a(0, 1) = a(1, 0) = a(0, 0) = 1;  // node 0 gets one, 1 and 2 keep theirs
  a(1, 1) = 0.25;
  const inputs::Inputs inputs = graph(3, edges);
  const Sample found = sample({{GraphConv{.normalization = "sum"}, "g"}}, inputs);
  expect_equal(found.values(), found.weights.at("g.W") * inputs.data * a);
  inputs::Inputs explicit_loops = inputs;
  explicit_loops.graph->push_back({0, 0});
  expect_equal(sample({{GraphConv{}, "g"}}, inputs).values(),
               sample({{GraphConv{.self_loops = false}, "g"}}, explicit_loops).values());
}

TEST(GraphConv, OnACycleIsCircularPoolingAndADenseLayer) {
  inputs::Inputs ring = vectors(7);
  ring.grid = {7};
  const Pool pool{.kernel = {3}, .stride = {1}, .padding = "circular"};
  const Sample pooled = sample({{Dense{}, "d"}, relu, {pool}, {Conv{.kernel = {1}}, "c"}}, ring);
  Sample convolved = sample({{Dense{}, "d"}, relu, {GraphConv{}, "c"}}, graph(7, cycle(7)));
  convolved.weights["c.W"] = pooled.weights.at("c.W[0]");
  expect_equal(pooled.values(), convolved.values());
}

// ---- Norms and attention ----

TEST(LayerNorm, HasMeanZeroAndVarianceOneOverAllBlocks) {
  const Layers branches{{Concat{{{{Dense{}}}, {{Dense{.width = netsor::Width(2)}}, relu}}}}, {LayerNorm{}}};
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

TEST(SelfAttention, UniformScoresAverage) {
  const inputs::Inputs inputs = sentences({3, 2});
  const SelfAttention uniform{.weights = "none", .temperature = 1e300};
  const MatrixXd values = sample({{Dense{}, "d"}, {uniform}}, inputs).values();
  const MatrixXd average = sample({{Dense{}, "d"}, {GlobalAveragePool{}}}, inputs).values();
  for (Index j = 0; j < 5; ++j) expect_equal(values.col(j), average.col(j < 3 ? 0 : 1));
}

TEST(SelfAttention, EqualsItsDefinition) {
  const inputs::Inputs inputs = sentences({3, 2});
  const MatrixXd x = sample({{Dense{}, "d"}}, inputs).values();
  const auto attend = [](const MatrixXd& k, const MatrixXd& q, const MatrixXd& v, bool causal,
                         double temperature) {
    MatrixXd result(v.rows(), v.cols());
    for (Index column = 0; column < 5; ++column) {
      const Index first = column < 3 ? 0 : 3, end = causal ? column + 1 : (column < 3 ? 3 : 5);
      VectorXd sum = VectorXd::Zero(v.rows());
      double total = 0;
      for (Index key = first; key < end; ++key) {
        const double weight =
            std::exp(k.col(key).dot(q.col(column)) / static_cast<double>(k.rows()) / temperature);
        sum += weight * v.col(key);
        total += weight;
      }
      result.col(column) = sum / total;
    }
    return result;
  };
  for (const bool causal : {false, true}) {
    const std::string mask = causal ? "causal" : "full";
    const SelfAttention none{.weights = "none", .mask = mask, .temperature = 0.7};
    expect_equal(sample({{Dense{}, "d"}, {none}}, inputs).values(), attend(x, x, x, causal, 0.7));
    for (const bool tied : {false, true}) {
      const SelfAttention two{
          .weights = tied ? "tied" : "separate", .heads = 2, .mask = mask, .weight_variance = 2};
      const Sample found = sample({{Dense{}, "d"}, {two, "a"}}, inputs);
      const auto& w = found.weights;
      MatrixXd expected = MatrixXd::Zero(n, 5);
      for (const std::string head : {"0", "1"}) {
        const MatrixXd k = w.at("a.K" + head) * x, v = w.at("a.V" + head) * x;
        const MatrixXd q = tied ? k : MatrixXd(w.at("a.Q" + head) * x);
        expected += w.at("a.O@" + head) * attend(k, q, v, causal, 1);
      }
      expect_equal(found.values(), expected);
    }
  }
}

// ---- Recurrence ----

TEST(Recurrent, BackwardRunIsTheForwardRunOnReversedSequences) {
  const inputs::Inputs inputs = sentences({4, 2, 3});
  inputs::Inputs reversed = inputs;
  std::vector<Index> order;
  Index first = 0;
  for (const Index length : inputs.lengths) {
    for (Index t = length; t-- > 0;) order.push_back(first + t);
    first += length;
  }
  reversed.data = inputs.data(Eigen::all, order);
  for (const Layer::Kind& kind :
       std::vector<Layer::Kind>{SimpleRnn{.bias_variance = 1, .bidirectional = true},
                                Gru{.bidirectional = true}, Lstm{.bidirectional = true}}) {
    const Sample both = sample({{kind, "r"}}, inputs);
    Sample mirrored = sample({{kind, "r"}}, reversed);
    for (auto& [name, matrix] : mirrored.weights) {
      if (!name.starts_with("r.reverse")) matrix = both.weights.at("r.reverse" + name.substr(1));
    }
    expect_equal(both.values().bottomRows(n), mirrored.values().topRows(n)(Eigen::all, order));
    EXPECT_GT((both.values().bottomRows(n) - both.values().topRows(n)).cwiseAbs().maxCoeff(), 1e-3);
  }
}

// ---- Composition ----

TEST(Network, LayersOfOneNameShareTheirWeights) {
  const inputs::Inputs inputs = vectors(3);
  const Sample tied = sample({{Dense{}, "in"}, relu, {Dense{}, "w"}, relu, {Dense{}, "w"}}, inputs);
  EXPECT_EQ(tied.program.weights().size(), 1u);
  const MatrixXd& w = tied.weights.at("w.W");
  expect_equal(tied.values(), w * (w * (tied.weights.at("in.W") * inputs.data).cwiseMax(0)).cwiseMax(0));
}

TEST(Network, ResidualAddsAndConcatStacks) {
  const inputs::Inputs inputs = vectors(3);
  const Layer in{Dense{}, "in"}, f{Dense{}, "f"}, s{Dense{}, "s"};
  const Sample found = sample({in, relu, {Residual{{f, relu}, {}}}}, inputs);
  const MatrixXd x = (found.weights.at("in.W") * inputs.data).cwiseMax(0);
  expect_equal(found.values(), x + (found.weights.at("f.W") * x).cwiseMax(0));
  const Sample projected = sample({{Residual{{f}, {s}}}}, inputs);
  expect_equal(projected.values(), (projected.weights.at("f.W") + projected.weights.at("s.W")) * inputs.data);
  const Sample joined = sample({{Concat{{{f}, {s, relu}}}}}, inputs);
  MatrixXd expected(2 * n, 3);
  expected << joined.weights.at("f.W") * inputs.data, (joined.weights.at("s.W") * inputs.data).cwiseMax(0);
  expect_equal(joined.values(), expected);
}

TEST(Network, NamesAreFilledInAndNeverClash) {
  const Network made =
      network({{Dense{}}, {Dense{}, "dense2"}, {Residual{{{Dense{}}, relu}, {}}}, {Dense{}}});
  EXPECT_EQ(made.layers[0].name, "dense1");
  EXPECT_EQ(std::get<Residual>(made.layers[2].kind).layers[0].name, "dense3");
  EXPECT_EQ(std::get<Residual>(made.layers[2].kind).layers[1].name, "activation1");
  EXPECT_EQ(made.layers[3].name, "dense4");
}

TEST(Network, LabelsFollowTheSites) {
  const auto labels = [](const Layers& layers, const inputs::Inputs& inputs) {
    return sample(layers, inputs).program.output().labels;
  };
  inputs::Inputs inputs = sentences({2, 1});
  inputs.labels = {"0:0 the", "0:1 cat", "1:0 sat"};
  EXPECT_THAT(labels({{Dense{}}}, inputs), ElementsAre("0:0 the", "0:1 cat", "1:0 sat"));
  EXPECT_THAT(labels({{Dense{}}, {Last{}}}, inputs), ElementsAre("0", "1"));
  EXPECT_THAT(labels({{Conv{.kernel = {3}, .stride = {2}}}}, inputs), ElementsAre("0:0", "1:0"));
  EXPECT_THAT(labels({{GraphConv{}}, {GlobalAveragePool{}}}, graph(3, cycle(3))), ElementsAre("0"));
}

// ---- What does not fit ----

TEST(Network, SaysWhatDoesNotFit) {
  const auto refused = [](const Layers& layers, const inputs::Inputs& inputs,
                          std::initializer_list<const char*> parts, const std::string& key = "") {
    expect_refused([&] { program(network(layers), inputs); }, key, parts);
  };
  refused({}, vectors(2), {"no layer draws weights"});
  refused({relu}, vectors(2), {"layer \"activation1\"", "before any weight", "dense"});
  refused({{Conv{}}}, vectors(2), {"layer \"conv1\"", "needs grids or sequences"});
  refused({{Conv{.kernel = {5}, .padding = "valid"}}}, sentences({6, 3}),
          {"spans 5 positions but sample 1 has 3", "smaller kernel"}, "kernel");
  refused({{Conv{.kernel = {1000}}}}, grids(1, {2, 3}), {"1e+06 positions", "smaller kernel"}, "kernel");
  refused({{Conv{.stride = {1, 2}}}}, sentences({6}), {"stride has 2 entries on a grid of 1 axes"}, "stride");
  refused({{Dense{}}, {Pool{.kind = Pool::Kind::maximum, .kernel = {2}, .dilation = {9}, .padding = "zero"}}},
          sentences({2}), {"wholly beyond"}, "kernel");
  inputs::Inputs last_alone = vectors(3);
  last_alone.batch = {0, 0, 1};
  refused({{Dense{}}, {BatchNorm{}}}, last_alone,
          {"layer \"batch_norm1\"", "input \"2\" is alone in batch 1", "batch_size", "epsilon > 0"});
  refused({{GraphConv{}}}, vectors(2), {"needs a graph", "edges.csv"});
  refused({{GraphConv{}}, {GlobalAveragePool{}}, {GraphConv{}}}, graph(3, cycle(3)),
          {"layer \"graph_conv2\"", "nodes"});
  refused({{Dense{}}, {Flatten{}}}, sentences({2, 3}), {"samples 0 and 1 have 2 and 3 sites"});
  refused({{Dense{}}, {BatchNorm{}}}, vectors(1), {"layer \"batch_norm1\"", "epsilon"});
  // The nodes of a graph have no order.
  refused({{GraphConv{}}, {Conv{}}}, graph(3, cycle(3)), {"needs grids or sequences", "a graph"});
  refused({{GraphConv{}}, {Gru{}}}, graph(3, cycle(3)), {"reads sequences"});
  refused({{GraphConv{}}, {SelfAttention{.mask = "causal"}}}, graph(3, cycle(3)), {"needs sequences"},
          "mask");
  refused({{Lstm{}}}, grids(1, {2, 2}), {"layer \"lstm1\"", "reads sequences"});
  refused({{Gru{.hidden_bias_variance = 1}}}, sentences({2}), {"torch"}, "hidden_bias_variance");
  refused({{Dense{}}, {SelfAttention{.scaling = "1/sqrt(n)"}}}, sentences({2}),
          {"no deterministic limit", "1/n"}, "scaling");
  refused({{Dense{}}, {SelfAttention{.weights = "none", .heads = 2}}}, sentences({2}), {"heads = 2"},
          "heads");
  refused({{Dense{}}, {SelfAttention{.mask = "causal"}}}, grids(1, {2, 2}), {"needs sequences"}, "mask");
  refused({{Dense{}}, {Residual{{{Conv{.stride = {2}}}}, {}}}}, sentences({4}),
          {"layer \"residual1\"", "other sites"});
  refused({{Residual{{{Dense{}}}, {}}}}, vectors(2), {"layer \"residual1\"", "before any weight"});
  refused({{Concat{}}}, vectors(2), {"branches is empty"});
  refused({{Dense{}, "w"}, {Dense{.width = netsor::Width(2)}, "w"}, {Dense{.width = netsor::Width(3)}, "w"}},
          vectors(2), {"layer \"w\"", "\"w.W\"", "another shape or variance"});
  refused({{Dense{.groups = 2}}}, vectors(2), {"groups = 2 does not divide blocks = 1"}, "groups");
  refused({{Dense{.blocks = 2, .groups = 2}}}, vectors(2), {"does not divide the 3 dimensions of the data"},
          "groups");
  refused({{Dense{}}, {GroupNorm{.groups = 2}}}, vectors(2), {"the 1 blocks of the input", "`blocks`"},
          "groups");
  refused({{DepthwiseConv{}}}, sentences({3}), {"before any weight"});
  refused({{LocalConv{}}}, sentences({3, 4}), {"different shapes"});
  refused({{TransposedConv{.kernel = {1}, .padding = {2}}}}, sentences({2}),
          {"nothing is left of the 2 positions"});
  refused({{Pad{.before = {2}, .mode = "reflect"}}, {Dense{}}}, sentences({2}), {"less than the 2 positions"},
          "before");
  refused({{Crop{.before = {2}}}, {Dense{}}}, sentences({3, 2}), {"nothing is left", "sample 1"});
  refused({{Upsample{.factor = {10000}}}, {Dense{}}}, sentences({200}), {"more than 1e6 positions"},
          "factor");
  refused({{Conv{}}, {PixelShuffle{}}}, sentences({3}), {"2 blocks become one, and there are 1"}, "factor");
  // Before 10⁸ of anything are made.
  refused({{Conv{}}, {PixelShuffle{.factor = {10000}}}}, grids(1, {2, 2}), {"100000000 blocks become one"},
          "factor");
  refused({{Conv{}}, {InstanceNorm{}}}, sentences({3, 1}), {"sample 1 has one site"});
  refused({{Dense{}}, {BatchNorm{.mode = "evaluation", .running_variance = 0}}}, vectors(2), {"divides by 0"},
          "running_variance");
  refused({{Dense{}}, {Dropout{.rate = 1}}}, vectors(2), {"rate = 1: must be below 1"}, "rate");
  refused({{Dropout{}}, {Dense{}}}, vectors(2), {"the kernel would stay random"});
  refused({{Product{}}}, vectors(2), {"branches is empty"});
  refused({{Dense{}}, {SelfAttention{.scaling = "1/sqrt(d)"}}}, sentences({2}), {"head_size = 4"}, "scaling");
  refused({{Dense{}}, {SelfAttention{.head_size = 2}}}, sentences({2}), {"fixes it"}, "scaling");
  refused({{Dense{}}, {SelfAttention{.heads = 2, .scaling = "1/d", .head_size = 2}}}, sentences({2}),
          {"leave out heads"}, "head_size");
  refused({{Dense{}}, {SelfAttention{.heads = 3, .key_value_heads = 2}}}, sentences({2}),
          {"does not divide heads"}, "key_value_heads");
  refused({{Dense{}}, {SelfAttention{.window = 2}}}, grids(1, {2, 2}), {"needs sequences"}, "window");
  refused({{Dense{}}, {CrossAttention{}}}, sentences({2}), {"before any weight"});
  refused({{Dense{.weight_variance = -1}}}, vectors(2), {"weight_variance = -1"}, "weight_variance");
}

}  // namespace
}  // namespace nngpcheck::architectures
