// Graph convolutions against their definitions.
#include "tests/architectures/layer_fixtures.hpp"

namespace nngpcheck::architectures {
namespace {

using namespace nngpcheck::testing;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

TEST(GraphConv, NormalizationsEqualTheirDefinitions) {
  const std::vector<inputs::Edge> edges = {
      {0, 1, 2}, {1, 2, 0.5}, {2, 0, 1}, {0, 2, 3}};  // directed; node 3 is alone
  const inputs::Inputs inputs = graph(4, edges);
  for (const bool loops : {false, true}) {
    MatrixXd a = MatrixXd::Zero(4, 4);
    for (const inputs::Edge& edge : edges) a(edge.source, edge.target) += edge.weight;
    if (loops) a += MatrixXd::Identity(4, 4);
    const VectorXd out = a.rowwise().sum(), in = a.colwise().sum();
    for (const Normalization normalization : {Normalization::gcn, Normalization::row, Normalization::sum}) {
      MatrixXd expected = a;
      for (Index i = 0; i < 4; ++i) {
        for (Index j = 0; j < 4; ++j) {
          if (a(i, j) == 0) continue;
          if (normalization == Normalization::gcn) expected(i, j) /= std::sqrt(out[i] * in[j]);
          if (normalization == Normalization::row) expected(i, j) /= in[j];
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
  const Sample found = sample({{GraphConv{.normalization = Normalization::sum}, "g"}}, inputs);
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
  const Sample pooled = sample({{Dense{}, "d"}, relu(), {pool}, {Conv{.kernel = {1}}, "c"}}, ring);
  Sample convolved = sample({{Dense{}, "d"}, relu(), {GraphConv{}, "c"}}, graph(7, cycle(7)));
  convolved.weights["c.W"] = pooled.weights.at("c.W[0]");
  expect_equal(pooled.values(), convolved.values());
}

TEST(GraphConv, SelfWeightActsOnTheNode) {
  const inputs::Inputs inputs = graph(4, {{0, 1}, {1, 0}, {2, 0, 3}});
  MatrixXd mean = MatrixXd::Zero(4, 4);
  mean(0, 1) = 1;
  mean(1, 0) = 0.25;
  mean(2, 0) = 0.75;
  const Sample found = sample(
      {{GraphConv{.normalization = Normalization::row, .self_loops = false, .self_weight_variance = 2}, "g"}},
      inputs);
  expect_equal(found.values(),
               found.weights.at("g.W") * inputs.data * mean + found.weights.at("g.S") * inputs.data);
  EXPECT_GT((found.values() - found.weights.at("g.W") * inputs.data * mean).cwiseAbs().maxCoeff(), 1e-3);
}

TEST(GraphConv, WeightsMayBeNegativeAndDegreesNot) {
  const inputs::Inputs inputs = graph(3, {{0, 1, -2}, {1, 2, 3}, {0, 2, -1}});
  MatrixXd a = MatrixXd::Zero(3, 3);
  a(0, 1) = -2;
  a(1, 2) = 3;
  a(0, 2) = -1;
  const GraphConv sum{.normalization = Normalization::sum, .self_loops = false};
  const Sample found = sample({{sum, "g"}}, inputs);
  expect_equal(found.values(), found.weights.at("g.W") * inputs.data * a);
  for (const Normalization normalization : {Normalization::row, Normalization::gcn}) {
    const GraphConv divided{.normalization = normalization, .self_loops = false};
    expect_refused([&] { sample({{divided}}, inputs); }, "normalization",
                   {word(normalization), "degrees", "take \"sum\""});
  }
  // Node 1 alone has a negative sum, and with a loop of weight 3 has not.
  const GraphConv loops{.normalization = Normalization::row, .self_loop_weight = 3};
  EXPECT_NO_THROW(sample({{loops}}, inputs));
  const inputs::Inputs cancelled = graph(2, {{0, 1, 1}, {1, 1, -1}});
  expect_refused(
      [&] { sample({{GraphConv{.normalization = Normalization::row, .self_loops = false}}}, cancelled); },
      "normalization", {"node 1 has 0"});
}

// Several graphs are what each of them is alone, and a readout is of each.
TEST(Graphs, AreSamplesOfTheirOwn) {
  inputs::Inputs both = graph(5, {{0, 1}, {1, 0}, {1, 2}, {2, 1}, {3, 4}, {4, 3}});
  both.graph_sizes = {3, 2};
  inputs::Inputs second = graph(2, {{0, 1}, {1, 0}});
  second.data = both.data.rightCols(2);
  const Layers sum = {{GraphConv{}}, relu(), {GlobalSumPool{}}};
  const Sample together = sample(sum, both);
  EXPECT_EQ(together.program.output().labels, (std::vector<std::string>{"0", "1"}));
  expect_equal(together.values().col(1), sample(sum, second).values());
  const Layers attention = {
      {Dense{}}, {SelfAttention{.weights = AttentionWeights::none}}, {GlobalAveragePool{}}};
  expect_equal(sample(attention, both).values().col(1), sample(attention, second).values());
  inputs::Inputs one = both;
  one.graph_sizes.clear();
  EXPECT_EQ(sample(sum, one).program.outputs(), 1);
}

TEST(Graphs, ThatDoNotFitAreRefused) {
  const auto refused = [](std::vector<Index> sizes, std::initializer_list<const char*> parts) {
    inputs::Inputs inputs = graph(5, {{0, 1}, {1, 0}, {3, 4}});
    inputs.graph_sizes = std::move(sizes);
    expect_refused([&] { sample({{GraphConv{}}}, inputs); }, "", parts);
  };
  refused({3, 1}, {"4 nodes", "5 columns"});
  refused({3, 2'000'000'000'000}, {"nodes but the inputs 5 columns"});
  refused({5, 0}, {"a graph is empty"});
  refused({4, 1}, {"from node 3 to 4", "from graph 0 to graph 1"});
  inputs::Inputs none = vectors(5);
  none.graph_sizes = {3, 2};
  expect_refused([&] { sample({{Dense{}}}, none); }, "", {"graph_sizes and no graph"});
}

// The edges of three nodes, of which one has weight 0, and what each of them sees with itself.
const std::vector<inputs::Edge> three_edges = {{0, 1}, {2, 1, 0.5}, {1, 2}, {0, 2, 0}};
const std::vector<std::vector<Index>> three_sources = {{0}, {0, 1, 2}, {1, 2}};

// Σ_s softmax_s(score(head, s, t)) h_s of heads of size 2, whose coordinates are blocks.
template <class Score>
MatrixXd attended(const MatrixXd (&h)[2], const Score& score) {
  MatrixXd result(n, 3);
  for (Index head = 0; head < n / 2; ++head) {
    for (Index target = 0; target < 3; ++target) {
      double total = 0;
      Eigen::Vector2d sum = Eigen::Vector2d::Zero();
      for (const Index source : three_sources[static_cast<std::size_t>(target)]) {
        const double weight = std::exp(score(head, source, target));
        total += weight;
        sum += weight * Eigen::Vector2d(h[0](head, source), h[1](head, source));
      }
      for (Index i = 0; i < 2; ++i) result(i * n / 2 + head, target) = sum[i] / total;
    }
  }
  return result;
}

double leaky_relu(double x) { return std::max(x, 0.2 * x); }

TEST(GraphAttention, EqualsItsDefinition) {
  const inputs::Inputs inputs = graph(3, three_edges);
  const Sample found = sample({{GraphAttention{.head_size = 2, .bias_variance = 0.5}, "g"}}, inputs);
  const auto& w = found.weights;
  const MatrixXd h[2] = {w.at("g.W0") * inputs.data, w.at("g.W1") * inputs.data};
  MatrixXd expected = attended(h, [&](Index head, Index source, Index target) {
    double score = 0;
    for (int i = 0; i < 2; ++i) {
      score += w.at("g.a" + std::to_string(i))(head, 0) * h[i](head, source) +
               w.at("g.a'" + std::to_string(i))(head, 0) * h[i](head, target);
    }
    return leaky_relu(score);
  });
  expected.topRows(n / 2).colwise() += w.at("g.b0").col(0);
  expected.bottomRows(n / 2).colwise() += w.at("g.b1").col(0);
  expect_equal(found.values(), expected);
  expect_refused([&] { sample({{GraphAttention{.self_loops = false}}}, inputs); }, "self_loops",
                 {"node 0 has no incoming edge"});
  expect_refused([&] { sample({{GraphAttention{}}}, vectors(2)); }, "", {"needs a graph"});
}

// Brody et al. 2022, equation 7: a·φ(W [h_i ‖ h_j]), W in two halves.
TEST(GraphAttention, OfTheSecondVersionEqualsItsDefinition) {
  const inputs::Inputs inputs = graph(3, three_edges);
  const GraphAttention layer{.head_size = 2, .scores = GraphScores::gatv2, .attention_variance = 2};
  const Sample found = sample({{layer, "g"}}, inputs);
  const auto values = [&](const char* letter, int i) -> MatrixXd {
    return found.weights.at(letter + std::to_string(i)) * inputs.data;
  };
  const MatrixXd h[2] = {values("g.W", 0), values("g.W", 1)}, g[2] = {values("g.V", 0), values("g.V", 1)};
  const MatrixXd expected = attended(h, [&](Index head, Index source, Index target) {
    double score = 0;
    for (int i = 0; i < 2; ++i) {
      score += found.weights.at("g.a" + std::to_string(i))(head, 0) *
               leaky_relu(h[i](head, source) + g[i](head, target));
    }
    return score;
  });
  expect_equal(found.values(), expected);
  EXPECT_FALSE(found.weights.contains("g.a'0"));
}

}  // namespace
}  // namespace nngpcheck::architectures
