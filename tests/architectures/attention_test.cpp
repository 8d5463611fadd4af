// Attention against its definition.
#include <map>

#include "tests/architectures/layer_fixtures.hpp"

namespace nngpcheck::architectures {
namespace {

using namespace nngpcheck::testing;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

TEST(SelfAttention, UniformScoresAverage) {
  const inputs::Inputs inputs = sentences({3, 2});
  const SelfAttention uniform{.weights = AttentionWeights::none, .temperature = 1e300};
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
    const Mask mask = causal ? Mask::causal : Mask::full;
    const SelfAttention none{.weights = AttentionWeights::none, .mask = mask, .temperature = 0.7};
    expect_equal(sample({{Dense{}, "d"}, {none}}, inputs).values(), attend(x, x, x, causal, 0.7));
    for (const bool tied : {false, true}) {
      const SelfAttention two{.weights = tied ? AttentionWeights::tied : AttentionWeights::separate,
                              .heads = 2,
                              .mask = mask,
                              .weight_variance = 2};
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

// Of a layer on tokens of these lengths.
MatrixXd attended(const SelfAttention& layer, const std::vector<Index>& lengths) {
  return sample({{Dense{}, "d"}, {layer, "a"}}, sentences(lengths)).values();
}

TEST(SelfAttention, TablesAreMasksAndDistances) {
  const std::vector<Index> lengths = {3, 2};
  const SelfAttention causal{.weights = AttentionWeights::tied, .mask = Mask::causal};
  const SelfAttention lower{.weights = AttentionWeights::tied, .visible = {{1, 0, 0}, {1, 1, 0}, {1, 1, 1}}};
  SelfAttention upper = lower;
  upper.visible = {{1, 1, 1}, {0, 1, 1}, {0, 0, 1}};
  expect_equal(attended(lower, lengths), attended(causal, lengths));
  EXPECT_GT((attended(upper, lengths) - attended(causal, lengths)).cwiseAbs().maxCoeff(), 1e-3);
  for (const int size : {0, 2}) {
    const Scaling scaling = size == 0 ? Scaling::n : Scaling::d;
    const SelfAttention slope{.scaling = scaling, .head_size = size, .distance_slope = 0.5};
    const SelfAttention table{
        .scaling = scaling, .head_size = size, .score_bias = {{0, -0.5, -1}, {-0.5, 0, -0.5}, {-1, -0.5, 0}}};
    const SelfAttention list{.scaling = scaling, .head_size = size, .relative_bias = {-1, -0.5, 0, -0.5, -1}};
    const SelfAttention clipped{.scaling = scaling, .head_size = size, .relative_bias = {-0.5, 0, -0.5}};
    expect_equal(attended(table, lengths), attended(slope, lengths));
    expect_equal(attended(list, lengths), attended(slope, lengths));
    EXPECT_GT((attended(clipped, lengths) - attended(slope, lengths)).cwiseAbs().maxCoeff(), 1e-4);
    expect_equal(attended(clipped, {2, 2}), attended(slope, {2, 2}));  // nothing is farther away than that
  }
}

// PyTorch's order: position 1 of relative_bias = {a, b, c} is difference 0, position 2 a key behind the
// query.
TEST(SelfAttention, RelativeBiasCountsFromTheQuery) {
  const SelfAttention ahead{.weights = AttentionWeights::none, .relative_bias = {0, 0, 60}};
  const MatrixXd x = sample({{Dense{}, "d"}}, sentences({2})).values();
  const MatrixXd found = attended(ahead, {2});
  expect_equal(found.col(0), x.col(1));
  EXPECT_GT((found.col(1) - x.col(1)).cwiseAbs().maxCoeff(), 1e-3);
}

TEST(SelfAttention, ProjectionsHaveVariancesOfTheirOwn) {
  const SelfAttention layer{.weight_variance = 2,
                            .bias_variance = 0.5,
                            .query_variance = 3,
                            .value_variance = 0,
                            .key_bias_variance = 0,
                            .output_bias_variance = 4};
  const netsor::Program made = program(network({{Dense{}, "d"}, {layer, "a"}}), sentences({2}));
  std::map<std::string, double> variances;
  for (const auto& weight : made.weights()) variances[weight.name] = weight.variance;
  for (const auto& bias : made.biases()) variances[bias.name] = bias.variance;
  EXPECT_EQ(
      variances,
      (std::map<std::string, double>{
          {"a.Q0", 3}, {"a.K0", 2}, {"a.V0", 0}, {"a.O", 2}, {"a.bQ0", 0.5}, {"a.bV0", 0.5}, {"a.bO", 4}}));
}

// Two heads share keys and values; each has numbers of its own for every difference, and positions turn
// coordinates.
TEST(SelfAttention, HeadsOfAFixedSizeEqualTheirDefinition) {
  const SelfAttention layer{.scaling = Scaling::sqrt_d,
                            .head_size = 2,
                            .queries_per_key = 2,
                            .relative_bias_variance = 1,
                            .rotary_base = 10};
  const Layers layers = {{Dense{.width = netsor::Width(2)}, "d"}, {layer, "a"}};
  const inputs::Inputs inputs = sentences({3});
  const std::int64_t width = 8;  // two groups of keys
  const netsor::Program made = program(network(layers), inputs);
  const Weights w = draw(made, width);
  const MatrixXd x = w.at("d.W") * inputs.data;
  const auto of = [&](const char* letter, int number) {
    return MatrixXd(w.at("a." + (letter + std::to_string(number))) * x);
  };
  MatrixXd expected = MatrixXd::Zero(width, 3);
  for (int head = 0; head < 2; ++head) {
    const MatrixXd q[2] = {of("Q", 2 * head), of("Q", 2 * head + 1)}, k[2] = {of("K", 0), of("K", 1)};
    for (Index group = 0; group < 2; ++group) {
      for (Index query = 0; query < 3; ++query) {
        VectorXd weights(3);
        for (Index key = 0; key < 3; ++key) {
          const auto angle = static_cast<double>(key - query);
          const double q0 = q[0](group, query), q1 = q[1](group, query), k0 = k[0](group, key),
                       k1 = k[1](group, key);
          const double product =
              std::cos(angle) * (q0 * k0 + q1 * k1) + std::sin(angle) * (q1 * k0 - q0 * k1);
          const std::string bias = "a.R[" + std::to_string(key - query) + "]#" + std::to_string(head);
          weights[key] = std::exp(product / std::sqrt(2.0) + w.at(bias)(group, 0));
        }
        weights /= weights.sum();
        for (int i = 0; i < 2; ++i) {
          const double value = of("V", i).row(group).dot(weights);
          expected.col(query) += value * w.at("a.O@" + std::to_string(2 * head + i)).col(group);
        }
      }
    }
  }
  expect_equal(outputs(made, w, width), expected);
}

}  // namespace
}  // namespace nngpcheck::architectures
