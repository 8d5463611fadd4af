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
  const Sample pooled = sample({{Dense{}, "d"}, relu(), {pool}, {Conv{.kernel = {1}}, "c"}}, ring);
  Sample convolved = sample({{Dense{}, "d"}, relu(), {GraphConv{}, "c"}}, graph(7, cycle(7)));
  convolved.weights["c.W"] = pooled.weights.at("c.W[0]");
  expect_equal(pooled.values(), convolved.values());
}

}  // namespace
}  // namespace nngpcheck::architectures
