// The finite-width law of four networks against what data/generate_finite_width.py finds by other means.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "nngpcheck/analytic/law.hpp"
#include "nngpcheck/architectures/named/mlp.hpp"
#include "nngpcheck/architectures/named/recurrent.hpp"
#include "nngpcheck/architectures/named/transformer.hpp"
#include "nngpcheck/netsor/passes/rewrite.hpp"
#include "reference.hpp"
#include "z_scores.hpp"

namespace nngpcheck {
namespace {

using analytic::FiniteWidthLaw;
using analytic::Measured;
using Eigen::Index;
using Eigen::MatrixXd;
using netsor::Activation;
using nlohmann::json;

constexpr int randomizations = 16;  // of the reference, too
constexpr int networks = 4;

inputs::Inputs vectors(const json& rows) {
  inputs::Inputs result;
  result.data = testing::to_matrix(rows).transpose();
  for (Index j = 0; j < result.data.cols(); ++j) result.labels.push_back(std::to_string(j));
  return result;
}

netsor::Program untied(const netsor::Program& program) {
  std::vector<netsor::WeightId> weights;
  for (std::size_t k = 0; k < program.weights().size(); ++k) weights.push_back(program.weight(k));
  return netsor::untie(program, weights);
}

/// A network of the table, and another one that differs in one respect.
struct Pair {
  const char* name;
  netsor::Program right, wrong;
};

std::vector<Pair> pairs(const json& reference) {
  using namespace architectures;
  const inputs::Inputs six = vectors(reference["mlp"]["inputs"]);
  const inputs::Inputs batch = vectors(reference["batchnorm_mlp"]["inputs"]);
  const inputs::Inputs sentences = testing::sentences();
  const auto relu = [](int depth) {
    return MlpOptions{.depth = depth, .weight_variance = 2, .input_variance = 2};
  };
  const auto normed = [](int depth) {
    BatchNormMlpOptions options;
    options.depth = depth;
    return options;
  };
  SimpleRnnOptions rnn;
  rnn.activation = Activation::named("erf");
  const auto transformer_of = [&](int depth) {
    const TransformerOptions options{
        .depth = depth, .embedding_variance = 2, .weight_variance = 3, .bias_variance = 0.1};
    return transformer(options, sentences);
  };
  const netsor::Program rnn_program = simple_rnn(rnn, sentences);
  return {{"mlp", mlp(relu(3), six), mlp(relu(4), six)},
          {"batchnorm_mlp", batchnorm_mlp(normed(2), batch), batchnorm_mlp(normed(1), batch)},
          {"simple_rnn", rnn_program, untied(rnn_program)},
          {"transformer", transformer_of(2), transformer_of(1)}};
}

/// The mean over the reference's seeds, and its standard error.
Measured over_seeds(const std::vector<double>& values) {
  const Eigen::Map<const Eigen::ArrayXd> all(values.data(), std::ssize(values));
  const auto count = static_cast<double>(all.size());
  return {all.mean(), std::sqrt((all - all.mean()).square().sum() / (count * (count - 1)))};
}

/// Entries (a, b), a ≥ b, column by column.
MatrixXd symmetric(const std::vector<double>& entries, Index m) {
  MatrixXd result(m, m);
  for (Index b = 0, k = 0; b < m; ++b) {
    for (Index a = b; a < m; ++a, ++k) result(a, b) = result(b, a) = entries[static_cast<std::size_t>(k)];
  }
  return result;
}

double z(const Measured& found, const Measured& expected) {
  return (found.value - expected.value) / std::hypot(found.standard_error, expected.standard_error);
}

/// Of each seed's matrix, its product with this one of norm 1.
std::vector<double> along(const json& seeds, const MatrixXd& direction) {
  std::vector<double> result;
  for (const json& entries : seeds)
    result.push_back(
        symmetric(entries.get<std::vector<double>>(), direction.rows()).cwiseProduct(direction).sum());
  return result;
}

void print(const char* name, const char* what, const Measured& found, const Measured& reference) {
  std::printf("%-14s %s %.4f ± %.4f, reference %.4f ± %.4f\n", name, what, found.value, found.standard_error,
              reference.value, reference.standard_error);
  std::fflush(stdout);
}

// Of three numbers of each network, with false alarms of 10⁻⁶ over all: the combined error has at least as
// many degrees of freedom as one of the two.
const double allowed = testing::quantile(3 * networks, randomizations);

void expect_found(const Pair& pair, bool with_bias) {
  const json row = testing::read_json("finite_width.json").at(pair.name);
  const FiniteWidthLaw law =
      analytic::finite_width_law(pair.right, {.randomizations = randomizations, .bias = with_bias});
  const double norm = law.kernel.norm();
  const Measured c = over_seeds(row["relative_c"].get<std::vector<double>>());
  const Measured kernel = over_seeds(along(row["kernel"], law.kernel / norm));
  EXPECT_LT(std::abs(kernel.value - norm), allowed * kernel.standard_error + 1e-6 * norm) << pair.name;
  EXPECT_LT(std::abs(z(law.relative_c(), c)), allowed) << pair.name;
  print(pair.name, "C", law.relative_c(), c);
  if (with_bias) {
    const Measured bias = over_seeds(along(row["relative_bias"], law.bias / law.bias.norm()));
    EXPECT_LT(std::abs(z(law.relative_bias(), bias)), allowed) << pair.name;
    print(pair.name, "B", law.relative_bias(), bias);
  }
  const FiniteWidthLaw other =
      analytic::finite_width_law(pair.wrong, {.randomizations = randomizations, .bias = false});
  EXPECT_GT(std::abs(z(other.relative_c(), c)), allowed) << pair.name << ", another one";
  print(pair.name, "another C", other.relative_c(), c);
}

// Where it takes minutes, B is left out.
TEST(LawReference, IsWhatFiniteDifferencesFind) {
  for (const Pair& pair : pairs(testing::read_json("finite_width.json"))) {
    const std::string name = pair.name;
    expect_found(pair, name != "transformer");
  }
}

}  // namespace
}  // namespace nngpcheck
