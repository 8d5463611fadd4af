// Lists of layers.
#include "tests/architectures/layer_fixtures.hpp"

namespace nngpcheck::architectures {
namespace {

using namespace nngpcheck::testing;
using Eigen::MatrixXd;
using ::testing::ElementsAre;

TEST(Network, LayersOfOneNameShareTheirWeights) {
  const inputs::Inputs inputs = vectors(3);
  const Sample tied = sample({{Dense{}, "in"}, relu(), {Dense{}, "w"}, relu(), {Dense{}, "w"}}, inputs);
  EXPECT_EQ(tied.program.weights().size(), 1u);
  const MatrixXd& w = tied.weights.at("w.W");
  expect_equal(tied.values(), w * (w * (tied.weights.at("in.W") * inputs.data).cwiseMax(0)).cwiseMax(0));
}

TEST(Network, ResidualAddsAndConcatStacks) {
  const inputs::Inputs inputs = vectors(3);
  const Layer in{Dense{}, "in"}, f{Dense{}, "f"}, s{Dense{}, "s"};
  const Sample found = sample({in, relu(), {Residual{{f, relu()}, {}}}}, inputs);
  const MatrixXd x = (found.weights.at("in.W") * inputs.data).cwiseMax(0);
  expect_equal(found.values(), x + (found.weights.at("f.W") * x).cwiseMax(0));
  const Sample projected = sample({{Residual{{f}, {s}}}}, inputs);
  expect_equal(projected.values(), (projected.weights.at("f.W") + projected.weights.at("s.W")) * inputs.data);
  const Sample joined = sample({{Concat{{{f}, {s, relu()}}}}}, inputs);
  MatrixXd expected(2 * n, 3);
  expected << joined.weights.at("f.W") * inputs.data, (joined.weights.at("s.W") * inputs.data).cwiseMax(0);
  expect_equal(joined.values(), expected);
}

TEST(Network, NamesAreFilledInAndNeverClash) {
  const Network made =
      network({{Dense{}}, {Dense{}, "dense2"}, {Residual{{{Dense{}}, relu()}, {}}}, {Dense{}}});
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

}  // namespace
}  // namespace nngpcheck::architectures
