// Attention against its definition.
#include "tests/architectures/layer_fixtures.hpp"

namespace nngpcheck::architectures {
namespace {

using namespace nngpcheck::testing;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

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

}  // namespace
}  // namespace nngpcheck::architectures
