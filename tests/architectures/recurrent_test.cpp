// Recurrent layers.
#include "tests/architectures/layer_fixtures.hpp"

namespace nngpcheck::architectures {
namespace {

using namespace nngpcheck::testing;
using Eigen::Index;

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

}  // namespace
}  // namespace nngpcheck::architectures
