// Rule 5: kernels from sampled paths, against references and against the other rules.
#include <gmock/gmock.h>

#include <set>

#include "nngpcheck/analytic/limit.hpp"
#include "nngpcheck/analytic/paths/sobol.hpp"
#include "nngpcheck/analytic/seed.hpp"
#include "nngpcheck/architectures/named/mlp.hpp"
#include "nngpcheck/architectures/named/recurrent.hpp"
#include "nngpcheck/netsor/builder.hpp"
#include "reference.hpp"
#include "z_scores.hpp"

namespace nngpcheck {
namespace {

using analytic::seed_of_part;
using Eigen::Index;
using Eigen::MatrixXd;
using netsor::Activation;
using netsor::Builder;
using netsor::BundleId;
using testing::largest_z;
using testing::quantile;
using testing::sentences;
using testing::vectors;

netsor::Program reference_program(const std::string& name) {
  if (name == "lstm") return architectures::lstm({{.bias_variance = 1}}, sentences());
  architectures::GruOptions options{{.bias_variance = 1}};
  if (name == "gru_tp1_erf") {
    options.activation = Activation::named("erf");
    options.gate_activation = Activation::named("erf_sigmoid");
  }
  if (name == "gru_torch_tanh") {
    options.convention = architectures::GruConvention::torch;
    options.hidden_bias_variance = 1;
  }
  return architectures::gru(options, sentences());
}

class Reference : public ::testing::TestWithParam<const char*> {};

TEST_P(Reference, IsWithinTheStandardErrors) {
  const auto entry = testing::sequence_case(GetParam());
  const MatrixXd expected = testing::to_matrix(entry.at("kernel"));
  const MatrixXd expected_error = testing::to_matrix(entry.at("stderr"));
  const analytic::Limit limit = analytic::limit(reference_program(GetParam()), {.points = 1 << 12});
  EXPECT_LT(largest_z(limit, expected, expected_error), quantile(136));
  // The same check rejects a kernel that is off by 2 %.
  EXPECT_GT(largest_z(limit, 1.02 * expected, expected_error), quantile(136));
}

INSTANTIATE_TEST_SUITE_P(Paths, Reference,
                         ::testing::Values("gru_tp1_erf", "gru_tp1_tanh", "gru_torch_tanh", "lstm"));

MatrixXd data(Index count) { return vectors(count).data; }

netsor::Program batch_norm_network(const char* activation) {
  Builder b;
  BundleId x = b.input(b.input_weight({"U", {}, 5, 1}), data(8));
  const std::vector<int> batch = {0, 0, 0, 0, 1, 1, 1, 1};
  x = b.map(Activation::named(activation), b.standardize(x, batch));
  x = b.map(Activation::named(activation),
            b.standardize(b.matmul(b.weight({"W", {}, {}, 1}), x), batch, 0.1));
  b.output(b.readout({"v", 1}), x);
  return std::move(b).build();
}

TEST(ForcedPaths, AgreeWithTheHigherRules) {
  std::vector<netsor::Program> programs;
  for (const char* activation : {"relu", "tanh", "erf", "gelu"}) {
    programs.push_back(architectures::mlp(
        {.depth = 3, .activation = Activation::named(activation), .bias_variance = 0.3}, vectors(4)));
  }
  programs.push_back(batch_norm_network("relu"));
  for (const netsor::Program& program : programs) {
    const analytic::Limit exact = analytic::limit(program);
    EXPECT_TRUE(exact.standard_error.isZero(0));
    const analytic::Limit forced = analytic::limit(program, {.points = 1 << 11, .force_paths = true});
    EXPECT_GT(forced.standard_error.maxCoeff(), 0);
    EXPECT_THAT(forced.method, ::testing::StartsWith("paths"));
    const Index n = exact.value.rows();
    const MatrixXd none = MatrixXd::Zero(n, n);
    EXPECT_LT(largest_z(forced, exact.value, none), quantile(n * (n + 1) / 2));
    EXPECT_GT(largest_z(forced, 1.05 * exact.value, none), quantile(n * (n + 1) / 2));
  }
}

TEST(Paths, MaximumOfTwoGaussiansHasItsKnownMean) {
  // E max(x, y) = √(Var(x - y)/2π); its square is an entry of the kernel of mean(max) times the ones column.
  Builder b;
  const BundleId x = b.input(b.input_weight({"U", {}, 5, 1}), data(2));
  const BundleId larger = b.max(b.select(x, {0}), b.select(x, {1}));
  b.output(b.readout({"v", 1}), b.mix(b.ones(), b.mean(larger)));
  const double variance = (data(2).col(0) - data(2).col(1)).squaredNorm() / 5;
  const analytic::Limit limit = analytic::limit(std::move(b).build(), {.points = 1 << 12});
  EXPECT_LT(largest_z(limit, MatrixXd::Constant(1, 1, variance / (2 * M_PI)), MatrixXd::Zero(1, 1)),
            quantile(1));
}

TEST(Paths, ActivationOfBatchNormIsSampledWhereNoRuleApplies) {
  // In batches {x, y} of two, standardized values are ±s with s = sign(x - y): E[s s'] = (2/π) asin ρ.
  Builder b;
  const BundleId x = b.input(b.input_weight({"U", {}, 5, 1}), data(4));
  b.output(b.readout({"v", 1}), b.map(Activation::named("tanh"), b.standardize(x, {0, 0, 1, 1})));
  const Eigen::VectorXd first = data(4).col(0) - data(4).col(1), second = data(4).col(2) - data(4).col(3);
  const double sign = 2 / M_PI * std::asin(first.normalized().dot(second.normalized()));
  MatrixXd expected(4, 4);
  expected << 1, -1, sign, -sign, -1, 1, -sign, sign, sign, -sign, 1, -1, -sign, sign, -1, 1;
  expected *= std::tanh(1) * std::tanh(1);
  const MatrixXd none = MatrixXd::Zero(4, 4);
  const analytic::Limit limit = analytic::limit(std::move(b).build(), {.points = 1 << 12});
  EXPECT_THAT(limit.method, ::testing::StartsWith("paths"));
  EXPECT_LT(largest_z(limit, expected, none), quantile(10));
  expected.topRightCorner(2, 2) *= 1.02;
  expected.bottomLeftCorner(2, 2) *= 1.02;
  EXPECT_GT(largest_z(limit, expected, none), quantile(10));
}

TEST(Paths, SameSeedGivesSameKernelForAnyNumberOfThreads) {
  const auto program = reference_program("gru_tp1_tanh");
  const MatrixXd one = analytic::limit(program, {.points = 1 << 10, .seed = 7, .threads = 1}).value;
  const MatrixXd two = analytic::limit(program, {.points = 1 << 10, .seed = 7, .threads = 2}).value;
  const MatrixXd other = analytic::limit(program, {.points = 1 << 10, .seed = 8, .threads = 2}).value;
  EXPECT_TRUE((one - two).isZero(0));
  EXPECT_FALSE((one - other).isZero(1e-9));
}

TEST(Seeds, OfRandomizationsSystemsAndKindsOfPathsDiffer) {
  std::set<std::uint64_t> seeds;
  std::size_t count = 0;
  for (std::uint64_t seed = 0; seed < 64; ++seed) {
    for (const std::uint64_t randomization : {0, 1, 2, 31, -1}) {
      for (std::uint64_t system = 0; system < 8; ++system) {
        for (std::uint64_t kind = 0; kind < 2; ++kind, ++count)
          seeds.insert(seed_of_part(seed_of_part(seed_of_part(seed, randomization), system), kind));
      }
    }
  }
  EXPECT_EQ(seeds.size(), count);
  EXPECT_NE(seed_of_part(0, 0), 0u);
}

/// Two networks of one law side by side, each sampled on paths of its own: columns 0 and 1, and 2 and 3.
netsor::Program two_systems() {
  Builder b;
  std::vector<netsor::Add::Term> sides;
  for (const int side : {0, 1}) {
    const BundleId g = b.input(b.input_weight({"U" + std::to_string(side), {}, 5, 1}), data(2));
    netsor::SparseMatrix place(2, 4);
    for (const int k : {0, 1}) place.insert(k, 2 * side + k) = 1;
    sides.push_back({1, b.mix(b.map(Activation::named("tanh"), g), place)});
  }
  b.output(b.readout({"v", 1}), b.add(sides));
  return std::move(b).build();
}

TEST(Seeds, OfNeighboursHaveNoPathsInCommon) {
  const auto program = two_systems();
  std::set<double> numbers;
  for (const std::uint64_t seed : {0, 1, 2, 3}) {
    const MatrixXd kernel = analytic::limit(program, {.points = 64, .seed = seed, .force_paths = true}).value;
    numbers.insert(kernel(0, 0));
    numbers.insert(kernel(2, 2));
  }
  EXPECT_EQ(numbers.size(), 8u);
}

TEST(Paths, ThatDoNotFitTheMemoryAreRefused) {
  // Hundreds of columns, each with an array of 2^26 numbers.
  EXPECT_THAT([] { analytic::limit(reference_program("gru_tp1_tanh"), {.points = 1 << 26}); },
              ::testing::ThrowsMessage<analytic::LimitError>(
                  ::testing::AllOf(::testing::HasSubstr("the paths of 2^26 points take about "),
                                   ::testing::HasSubstr(" are available; ask for fewer points"))));
}

TEST(Paths, ToleranceIsMetOrRefused) {
  const auto program = architectures::mlp({.depth = 2, .activation = Activation::named("relu")}, vectors(2));
  const analytic::Limit limit = analytic::limit(program, {.tolerance = 1e-4, .force_paths = true});
  EXPECT_LE((limit.standard_error.array() / limit.value.diagonal().maxCoeff()).maxCoeff(), 1e-4);
  Builder b;
  const BundleId x = b.input(b.input_weight({"U", {}, 5, 1}), data(2));
  b.output(b.readout({"v", 1}), b.max(b.select(x, {0}), b.select(x, {1})));
  const auto hard = std::move(b).build();
  EXPECT_THAT([&] { analytic::limit(hard, {.randomizations = 2, .tolerance = 1e-13}); },
              ::testing::ThrowsMessage<analytic::LimitError>(::testing::HasSubstr("above the tolerance")));
}

TEST(Paths, BoundsOfEntriesThatCancelAreThoseOfTheirProducts) {
  // Independent u and v of one law, |tanh| ≤ 1: E|tanh u tanh v| = E[|tanh u|]² > E[tanh² u]², and their
  // product's expectation is 0.
  Builder b;
  const BundleId g = b.input(b.input_weight({"U", {}, 2, 1}), MatrixXd::Identity(2, 2));
  b.output(b.readout({"v", 1}), b.map(Activation::named("tanh"), g));
  const analytic::Limit limit =
      analytic::limit(std::move(b).build(), {.points = 1 << 10, .force_paths = true});
  EXPECT_LT(std::abs(limit.value(0, 1)), 0.1 * limit.value(0, 0));
  EXPECT_GT(limit.error_bound(0, 1), limit.value(0, 0) * limit.error_bound(0, 0));
}

TEST(Plan, GatesOfAnLstmAreNotSampled) {
  const auto program = architectures::lstm({{.bias_variance = 1}}, sentences());
  const analytic::Limit limit = analytic::limit(program, {.randomizations = 2, .points = 16});
  int pairs_of_gates = 0, sampled = 0;
  for (const analytic::PlanStep& step : limit.plan) {
    const auto is_map_of_gaussian = [&](const std::string& name) {
      const auto& operation = program.nodes()[std::stoul(name.substr(1)) - 1].operation;
      const auto* map = std::get_if<netsor::Map>(&operation);
      return map && program.type(map->argument).gaussian;
    };
    const bool gates = is_map_of_gaussian(step.left) && is_map_of_gaussian(step.right);
    pairs_of_gates += gates;
    sampled += step.rule == analytic::Rule::paths;
    EXPECT_FALSE(gates && step.rule == analytic::Rule::paths) << step.left << " " << step.right;
  }
  EXPECT_GE(pairs_of_gates, 9 * 10 / 2);  // at least one gate at any two times of the longer sentence
  EXPECT_GT(sampled, 0);
}

TEST(Sobol, EveryIntervalOfANetHoldsOnePoint) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const analytic::ScrambledSobol points(40, 10, seed);
    for (const int coordinate : {0, 1, 17, 39}) {
      const Eigen::ArrayXd u = points.uniforms(coordinate, 0, 1024);
      std::vector<int> count(1024, 0);
      for (const double value : u) ++count[static_cast<std::size_t>(value * 1024)];
      EXPECT_THAT(count, ::testing::Each(1)) << "coordinate " << coordinate;
    }
    // The first two coordinates are a (0, 10, 2)-net: one point in every 32×32 cell.
    std::vector<int> cells(1024, 0);
    const Eigen::ArrayXd x = points.uniforms(0, 0, 1024), y = points.uniforms(1, 0, 1024);
    for (Index k = 0; k < 1024; ++k)
      ++cells[static_cast<std::size_t>(std::floor(x[k] * 32) * 32 + std::floor(y[k] * 32))];
    EXPECT_THAT(cells, ::testing::Each(1));
  }
}

TEST(Sobol, PartsOfASequenceAreTheSequence) {
  const analytic::ScrambledSobol points(3, 12, 5);
  const Eigen::ArrayXd all = points.normals(2, 0, 4096);
  EXPECT_TRUE((all.segment(1024, 512) - points.normals(2, 1024, 512)).isZero(0));
}

}  // namespace
}  // namespace nngpcheck
