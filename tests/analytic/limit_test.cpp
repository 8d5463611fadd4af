// Kernels of whole programs, by rules that sample nothing.
#include "nngpcheck/analytic/limit.hpp"

#include <gmock/gmock.h>

#include <Eigen/Eigenvalues>
#include <atomic>
#include <memory>

#include "nngpcheck/architectures/named/mlp.hpp"
#include "nngpcheck/architectures/named/recurrent.hpp"
#include "nngpcheck/architectures/named/transformer.hpp"
#include "nngpcheck/netsor/builder.hpp"
#include "reference.hpp"

namespace nngpcheck {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using netsor::Activation;
using netsor::Builder;
using netsor::BundleId;
using testing::sentences;
using testing::sequence_case;
using testing::to_matrix;
using testing::vectors;

// |kernel - expected| within the stated bound, and the bound within `tolerance`.
void expect_kernel(const analytic::Limit& limit, const MatrixXd& expected, double tolerance) {
  ASSERT_EQ(limit.value.rows(), expected.rows());
  ASSERT_EQ(limit.value.cols(), expected.cols());
  const MatrixXd error = (limit.value - expected).cwiseAbs();
  // The reference itself is rounded to float64.
  const MatrixXd allowed = limit.error_bound + 4e-16 * expected.cwiseAbs();
  EXPECT_TRUE((error.array() <= allowed.array()).all()) << "largest error " << error.maxCoeff();
  EXPECT_LE(limit.error_bound.maxCoeff(), tolerance);
  EXPECT_TRUE(limit.standard_error.isZero(0));
}

architectures::SimpleRnnOptions rnn_options(const nlohmann::json& entry) {
  const nlohmann::json& given = entry.at("options");
  architectures::SimpleRnnOptions options;
  options.activation = Activation::named(given.at("activation").get<std::string>());
  options.weight_variance = given.at("weight_variance");
  options.input_variance = given.at("input_variance");
  options.bias_variance = given.at("bias_variance");
  return options;
}

TEST(SimpleRnn, ErfKernelsEqualTheReference) {
  for (const char* name : {"simple_rnn_erf_w1_u1_b0", "simple_rnn_erf_w2_u1.5_b0.25"}) {
    const auto entry = sequence_case(name);
    expect_kernel(analytic::limit(architectures::simple_rnn(rnn_options(entry), sentences())),
                  to_matrix(entry.at("kernel")), 1e-12);
  }
}

TEST(SimpleRnn, TanhKernelsEqualTheReference) {
  const auto entry = sequence_case("simple_rnn_tanh_b1");
  expect_kernel(analytic::limit(architectures::simple_rnn(rnn_options(entry), sentences())),
                to_matrix(entry.at("kernel")), 1e-9);
  architectures::SimpleRnnOptions averaged = rnn_options(entry);
  averaged.outputs = architectures::SequenceOutputs::average;
  expect_kernel(analytic::limit(architectures::simple_rnn(averaged, sentences())),
                to_matrix(sequence_case("simple_rnn_tanh_b1_avgpool").at("kernel")), 1e-9);
}

// Published code stops after the first sequence's length.
TEST(SimpleRnn, LongerSequencesAreNotTruncated) {
  const auto entry = sequence_case("simple_rnn_erf_w1_u1_b0");
  const auto options = rnn_options(entry);
  const inputs::Inputs both = sentences();
  ASSERT_EQ(both.lengths, (std::vector<Index>{7, 9}));
  inputs::Inputs second;
  second.data = both.data.rightCols(9);
  second.labels.assign(both.labels.end() - 9, both.labels.end());
  second.lengths = {9};
  const MatrixXd alone = analytic::limit(architectures::simple_rnn(options, second)).value;
  const MatrixXd reference = to_matrix(entry.at("kernel"));
  EXPECT_LT((alone - reference.bottomRightCorner(9, 9)).cwiseAbs().maxCoeff(), 1e-14);
  // The states after 7 tokens do depend on the recurrence: with W = 0 they would not.
  architectures::SimpleRnnOptions without = options;
  without.weight_variance = 0;
  const MatrixXd cut = analytic::limit(architectures::simple_rnn(without, second)).value;
  EXPECT_GT((cut - alone).cwiseAbs().maxCoeff(), 1e-3);
}

TEST(Tables, TransformerKernelEqualsTheReference) {
  const MatrixXd expected = to_matrix(sequence_case("transformer_tp1_depth2").at("kernel"));
  architectures::TransformerOptions options{
      .depth = 2, .embedding_variance = 2, .weight_variance = 3, .bias_variance = 0.1};
  expect_kernel(analytic::limit(architectures::transformer(options, sentences())), expected, 1e-11);
  options.depth = 1;
  EXPECT_GT((analytic::limit(architectures::transformer(options, sentences())).value - expected)
                .cwiseAbs()
                .maxCoeff(),
            1e-2);
}

TEST(BatchNorm, KernelsOfTwoBatchesEqualTheReference) {
  const auto reference = testing::read_json("batchnorm_kernels.json");
  inputs::Inputs inputs = vectors(8);
  inputs.batch = {0, 0, 0, 0, 1, 1, 1, 1};
  for (const int depth : {1, 2, 3}) {
    const MatrixXd expected = to_matrix(reference.at("kernel_by_depth").at(std::to_string(depth)));
    for (const double scale : {1.0, 1000.0, 1e-6}) {  // without epsilon the scale does not matter
      inputs.data = scale * to_matrix(reference.at("inputs")).transpose();
      const MatrixXd kernel = analytic::limit(architectures::batchnorm_mlp({{.depth = depth}}, inputs)).value;
      EXPECT_LT(((kernel - expected).array() / expected.array()).abs().maxCoeff(), 1e-8)
          << depth << " " << scale;
    }
  }
}

// Of x, x, y the batch norm is (1, 1, -2) sign(x - y)/√2, in every layer.
TEST(BatchNorm, InputsGivenTwiceAreEqualInEveryLayer) {
  inputs::Inputs inputs = vectors(3);
  inputs.data.col(1) = inputs.data.col(0);
  inputs.batch = {0, 0, 0};
  MatrixXd expected(3, 3);
  expected << 0.25, 0.25, 0, 0.25, 0.25, 0, 0, 0, 1;
  for (const int depth : {1, 2, 4}) {
    SCOPED_TRACE(depth);
    expect_kernel(analytic::limit(architectures::batchnorm_mlp({{.depth = depth}}, inputs)), expected, 1e-11);
  }
  inputs.data(0, 1) += 1e-7;  // nearly equal is not equal
  EXPECT_GT(analytic::limit(architectures::batchnorm_mlp({{.depth = 2}}, inputs)).error_bound.maxCoeff(),
            1e-8);
}

TEST(BatchNorm, AnInputGivenTwiceLeavesABoundThatIsUseful) {
  inputs::Inputs inputs = vectors(8);
  inputs.data.col(3) = inputs.data.col(0);
  inputs.data.col(5) = inputs.data.col(4);
  inputs.batch = {0, 0, 0, 0, 1, 1, 1, 1};
  const analytic::Limit limit = analytic::limit(architectures::batchnorm_mlp({{.depth = 3}}, inputs));
  EXPECT_LE(limit.error_bound.maxCoeff(), 1e-9);
  EXPECT_EQ(limit.value(0, 0), limit.value(3, 3));
  EXPECT_EQ(limit.value(0, 0), limit.value(0, 3));
  EXPECT_EQ(limit.value.col(4), limit.value.col(5));
}

TEST(Structure, SumOfABundleWithItselfHasFourTimesTheKernel) {
  Builder b;
  const BundleId x =
      b.map(Activation::named("relu"), b.input(b.input_weight({"U", {}, 5, 1}), vectors(4).data));
  const BundleId y = b.map(Activation::named("tanh"), b.matmul(b.weight({"W", {}, {}, 1}), x));
  b.output(b.readout({"v", 1}), b.add(y, y));
  Builder once;
  const BundleId x1 =
      once.map(Activation::named("relu"), once.input(once.input_weight({"U", {}, 5, 1}), vectors(4).data));
  once.output(once.readout({"v", 1}),
              once.map(Activation::named("tanh"), once.matmul(once.weight({"W", {}, {}, 1}), x1)));
  const MatrixXd twice = analytic::limit(std::move(b).build()).value;
  const MatrixXd single = analytic::limit(std::move(once).build()).value;
  EXPECT_LT((twice - 4 * single).cwiseAbs().maxCoeff(), 1e-15);
}

TEST(Structure, BranchAddedToItsPooledCopyKeepsTheCrossTerm) {
  const Index m = 4;
  netsor::SparseMatrix pool(m, m);
  for (Index j = 0; j < m; ++j) {
    for (Index i = 0; i < m; ++i) pool.insert(i, j) = 0.25;
  }
  const auto program = [&](bool pooled) {
    Builder b;
    const BundleId x =
        b.map(Activation::named("relu"), b.input(b.input_weight({"U", {}, 5, 1}), vectors(m).data));
    b.output(b.readout({"v", 1}), pooled ? b.add(x, b.mix(x, pool)) : x);
    return std::move(b).build();
  };
  const MatrixXd k = analytic::limit(program(false)).value;
  const MatrixXd sum = MatrixXd::Identity(m, m) + MatrixXd(pool);
  const MatrixXd kernel = analytic::limit(program(true)).value;
  EXPECT_LT((kernel - sum.transpose() * k * sum).cwiseAbs().maxCoeff(), 1e-15);
  const MatrixXd independent = k + MatrixXd(pool).transpose() * k * MatrixXd(pool);
  EXPECT_GT((kernel - independent).cwiseAbs().maxCoeff(), 0.1);
}

// No random object is in it, so nothing can be sampled.
TEST(Structure, FunctionOfConstantsAloneIsRefused) {
  Builder b;
  b.output(b.readout({"v", 1}), b.max(b.ones(), b.add({{2, b.ones()}})));
  try {
    analytic::limit(std::move(b).build());
    FAIL();
  } catch (const analytic::LimitError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("constants alone"));
  }
}

// E[g (relu(g) + g)] of g = 2 b, which is a combination of a source, and an atom itself.
TEST(Structure, GaussianCombinationMeetsACombinationThatIsNotGaussian) {
  const auto mean_of_product = [](double coefficient) {
    Builder b;
    netsor::SparseMatrix twice(1, 1);
    twice.insert(0, 0) = coefficient;
    const BundleId g = b.mix(b.column(b.bias({"b", {}, 1, 0})), std::move(twice));
    const BundleId sum = b.add(b.map(Activation::named("relu"), g), g);
    b.output(b.readout({"v", 1}), b.scale(b.ones(), b.gram(g, sum)));
    return std::sqrt(analytic::limit(std::move(b).build()).value(0, 0));
  };
  EXPECT_NEAR(mean_of_product(2), 6, 1e-14);
  EXPECT_NEAR(mean_of_product(1), 1.5, 1e-14);
}

TEST(Structure, WeightTiedAcrossLayersCorrelatesThem) {
  // W x + W P x, P swapping columns: with one W the two terms are correlated.
  const auto program = [](bool tied) {
    Builder b;
    const BundleId x =
        b.map(Activation::named("relu"), b.input(b.input_weight({"U", {}, 5, 1}), vectors(3).data));
    const auto w = b.weight({"W", {}, {}, 1});
    const BundleId first = b.matmul(w, x);
    const BundleId second = b.matmul(tied ? w : b.weight({"W2", {}, {}, 1}), b.select(x, {1, 2, 0}));
    b.output(b.readout({"v", 1}), b.map(Activation::named("erf"), b.add(first, second)));
    return std::move(b).build();
  };
  // E[erf u erf v] = (2/π) asin(2c/√((1 + 2a)(1 + 2b))) for variances a, b and covariance c (Williams 1997).
  const auto erf_kernel = [](const MatrixXd& c) {
    const Eigen::VectorXd scale = (1 + 2 * c.diagonal().array()).rsqrt();
    return MatrixXd((2 * (scale.asDiagonal() * c * scale.asDiagonal()).array()).asin() *
                    (2 / std::numbers::pi));
  };
  const MatrixXd k =
      analytic::limit(architectures::mlp({.depth = 1, .activation = Activation::named("relu")}, vectors(3)))
          .value;
  MatrixXd sum = MatrixXd::Identity(3, 3), permutation = MatrixXd::Zero(3, 3);
  permutation(1, 0) = permutation(2, 1) = permutation(0, 2) = 1;
  sum += permutation;
  const MatrixXd tied = erf_kernel(sum.transpose() * k * sum);
  const MatrixXd untied = erf_kernel(k + permutation.transpose() * k * permutation);
  EXPECT_LT((analytic::limit(program(true)).value - tied).cwiseAbs().maxCoeff(), 1e-14);
  EXPECT_LT((analytic::limit(program(false)).value - untied).cwiseAbs().maxCoeff(), 1e-14);
  EXPECT_GT((tied - untied).cwiseAbs().maxCoeff(), 1e-2);
}

TEST(Rectangle, EqualsTheBlockOfTheFullKernel) {
  architectures::MlpOptions options;
  options.depth = 3;
  options.bias_variance = 0.1;
  for (const char* activation : {"relu", "tanh"}) {
    options.activation = Activation::named(activation);
    const auto program = architectures::mlp(options, vectors(12));
    const analytic::Limit full = analytic::limit(program);
    const std::vector<Index> rows = {3, 0, 11}, columns = {1, 2, 3, 7, 8};
    const analytic::Limit block = analytic::limit(program, rows, columns);
    const MatrixXd expected = full.value(rows, columns);
    const MatrixXd allowed = full.error_bound(rows, columns) + block.error_bound;
    EXPECT_TRUE(((block.value - expected).array().abs() <= allowed.array()).all());
  }
  const auto sequences = architectures::simple_rnn({}, sentences());
  const MatrixXd full = analytic::limit(sequences).value;
  const std::vector<Index> rows = {2, 15}, columns = {0, 9};
  const MatrixXd block = analytic::limit(sequences, rows, columns).value;
  EXPECT_LT((block - full(rows, columns)).cwiseAbs().maxCoeff(), 1e-12);
}

TEST(Rectangle, CostsTheBlockAndNotTheSquareOfTheUnion) {
  const auto program = architectures::mlp({.depth = 2}, vectors(60, 70));
  std::vector<Index> rows = {0}, columns;
  for (Index j = 1; j < 60; ++j) columns.push_back(j);
  std::int64_t evaluations = 0;
  for (const auto& step : analytic::limit(program, rows, columns).plan) evaluations += step.evaluations;
  EXPECT_LE(evaluations, 2 * (59 + 60));
}

TEST(Output, BlocksAreWeightedByTheirWidths) {
  const auto program = [](bool first, bool second) {
    Builder b;
    const MatrixXd data = vectors(3).data;
    const BundleId x = b.map(Activation::named("relu"), b.input(b.input_weight({"U", {}, 5, 1}), data));
    const BundleId y =
        b.map(Activation::named("erf"), b.input(b.input_weight({"V", netsor::Width(3), 5, 1}), data));
    std::vector<BundleId> blocks;
    if (first) blocks.push_back(x);
    if (second) blocks.push_back(y);
    b.output(b.readout({"v", 2}), blocks);
    return std::move(b).build();
  };
  const MatrixXd x = analytic::limit(program(true, false)).value;
  const MatrixXd y = analytic::limit(program(false, true)).value;
  EXPECT_LT((analytic::limit(program(true, true)).value - (0.25 * x + 0.75 * y)).cwiseAbs().maxCoeff(),
            1e-15);
}

TEST(Kernels, AreSymmetricAndPositiveSemidefiniteForEveryActivation) {
  for (const std::string& listed : Activation::names()) {
    std::string name = listed;
    for (const auto& [placeholder, number] :
         {std::pair("_S", "_0.1"), {"_P", "_3"}, {"_T_V", "_0.5_2"}, {"_A", "_0.7"}}) {
      if (name.ends_with(placeholder)) name.replace(name.rfind(placeholder), std::string::npos, number);
    }
    architectures::MlpOptions options{
        .depth = 2, .activation = Activation::named(name), .bias_variance = 0.2};
    inputs::Inputs inputs = vectors(8);
    inputs.data.col(7) = inputs.data.col(3);  // a repeated input
    const analytic::Limit limit = analytic::limit(architectures::mlp(options, inputs));
    EXPECT_TRUE((limit.value - limit.value.transpose()).isZero(0)) << name;
    const double scale = limit.value.diagonal().maxCoeff();
    const double least = Eigen::SelfAdjointEigenSolver<MatrixXd>(limit.value).eigenvalues().minCoeff();
    EXPECT_GT(least, -8 * limit.error_bound.maxCoeff() - 1e-14 * scale) << name;
  }
}

TEST(Limit, NonzeroMeansEnter) {
  Builder b;
  const auto bias = b.bias({"b", {}, 0.0, 1.5});
  const BundleId x = b.add(b.input(b.input_weight({"U", {}, 5, 1}), vectors(2).data), b.column(bias));
  b.output(b.readout({"v", 1}), x);
  const MatrixXd data = vectors(2).data;
  const MatrixXd expected = (data.transpose() * data / 5).array() + 1.5 * 1.5;
  EXPECT_LT((analytic::limit(std::move(b).build()).value - expected).cwiseAbs().maxCoeff(), 1e-14);
}

TEST(Limit, RefusesWhatHasNoLimit) {
  Builder b;
  const BundleId x = b.input(b.input_weight({"U", {}, 5, 0.0}), vectors(2).data);
  b.output(b.readout({"v", 1}),
           b.scale(x, b.apply(netsor::Rsqrt{}, {b.apply(netsor::Diagonal{}, {b.gram(x, x)})})));
  const auto program = std::move(b).build();
  EXPECT_THAT([&] { analytic::limit(program); },
              ::testing::ThrowsMessage<analytic::LimitError>(::testing::HasSubstr("epsilon > 0")));
}

// The message of the error that a network's limit ends with.
std::string error_of(const architectures::Layers& layers, const inputs::Inputs& inputs) {
  try {
    analytic::limit(architectures::program(architectures::network(layers), inputs));
  } catch (const analytic::LimitError& error) {
    return error.what();
  }
  return "";
}

TEST(Limit, ErrorsNameTheLayerAndTheInput) {
  using namespace architectures;
  using ::testing::AllOf;
  using ::testing::HasSubstr;
  const auto activate = [](const Activation& phi) { return Layer{Activate{phi}}; };
  inputs::Inputs images = vectors(12);
  images.grid = {2, 3};
  images.data.col(7).setZero();  // position 0,1 of sample 1
  EXPECT_THAT(error_of({{Dense{}}, {LayerNorm{}}}, images),
              AllOf(HasSubstr("layer \"layer_norm1\""), HasSubstr(", input \"7\": "),
                    HasSubstr("use an epsilon > 0")));
  // Behind a layer that moves the sites, a column is called by sample and position; a window sees position
  // 0,1 alone.
  const Conv wide{.kernel = {1}, .stride = {1, 2}, .padding = "valid"};
  images.data.col(8).setZero();
  EXPECT_THAT(error_of({{wide}, {LayerNorm{}}}, images),
              AllOf(HasSubstr("layer \"layer_norm1\""), HasSubstr(", input \"1:0,1\": ")));
  inputs::Inputs large = vectors(3);
  large.data.col(1) *= 1e200;
  EXPECT_THAT(error_of({{Dense{}}, activate(Activation::named("relu"))}, large),
              AllOf(HasSubstr("layer \"dense1\""), HasSubstr("input \"1\""), HasSubstr("not finite")));
  large.data.col(1) *= 1e-100;
  const Activation cube = Activation::custom("cube", [](double x) { return x * x * x; });
  EXPECT_THAT(error_of({{Dense{}}, activate(Activation::named("square"))}, large), HasSubstr("input \"1\""));
  EXPECT_THAT(error_of({{Dense{}}, {Activate{cube}, "steep"}}, large),
              AllOf(HasSubstr("layer \"steep\""), HasSubstr("input \"1\"")));
  inputs::Inputs twice = vectors(6);
  twice.data.col(4) = twice.data.col(5) = twice.data.col(3);
  twice.batch = {0, 0, 0, 1, 1, 1};
  EXPECT_THAT(error_of({{Dense{}}, {BatchNorm{}}, activate(Activation::named("relu"))}, twice),
              AllOf(HasSubstr("layer \"batch_norm1\""), HasSubstr("input \"3\""), HasSubstr("epsilon > 0")));
  EXPECT_EQ(error_of({{Dense{}}, {BatchNorm{.epsilon = 0.1}}, activate(Activation::named("relu"))}, twice),
            "");
}

TEST(Limit, RefusesImpossibleOptions) {
  const auto program = architectures::mlp({}, vectors(2));
  const auto message = [&](const analytic::LimitOptions& options, const char* text) {
    EXPECT_THAT([&] { analytic::limit(program, options); },
                ::testing::ThrowsMessage<analytic::LimitError>(::testing::HasSubstr(text)));
  };
  message({.randomizations = 1}, "at least 2");
  message({.points = 1000}, "power of two");
  message({.tolerance = -1.0}, "positive");
  message({.points = 1024, .tolerance = 1e-3}, "not both");
}

/// Asks to stop when it is asked for the last of so many times.
Progress stopped_after(int questions) {
  return Progress({}, [left = std::make_shared<std::atomic<int>>(questions)] { return --*left <= 0; });
}

TEST(Limit, IsStoppedAtAnyStepAndInAnyRandomization) {
  const auto by_formula = architectures::mlp({.depth = 3}, vectors(3));
  const auto by_paths = architectures::lstm({}, sentences());
  for (const int questions : {1, 2, 5}) {
    EXPECT_THROW(analytic::limit(by_formula, {.progress = stopped_after(questions)}), Stopped);
  }
  for (const int questions : {1, 100, 1000}) {
    EXPECT_THROW(analytic::limit(by_paths, {.points = 256, .progress = stopped_after(questions)}), Stopped);
  }
  EXPECT_EQ(analytic::limit(by_formula, {.progress = stopped_after(1 << 30)}).value,
            analytic::limit(by_formula).value);
}

TEST(Limit, ReportsStepsAndRandomizations) {
  std::vector<std::string> reports;
  const Progress progress([&](auto, const std::string& what) { reports.push_back(what); }, {},
                          std::chrono::milliseconds(0));
  analytic::limit(architectures::lstm({}, sentences()),
                  {.randomizations = 2, .points = 4, .progress = progress});
  EXPECT_THAT(reports, ::testing::Contains(::testing::StartsWith("limit, step 1 of ")));
  EXPECT_THAT(reports, ::testing::Contains("limit, 2 of 2 randomizations of 2^2 points"));
}

TEST(Plan, NamesTheRuleOfEveryPair) {
  const auto program = architectures::mlp({.depth = 2}, vectors(3));
  const analytic::Limit limit = analytic::limit(program);
  const std::string plan = analytic::explain(program, limit);
  EXPECT_THAT(plan, ::testing::HasSubstr("relu(g1)"));
  EXPECT_THAT(plan, ::testing::HasSubstr("closed form"));
  EXPECT_EQ(limit.method, "closed form");
}

TEST(Plan, ListsKinksAndJumpsOfCustomActivations) {
  const auto plan = [](const netsor::Activation& activation) {
    const auto program = architectures::mlp({.activation = activation}, vectors(3));
    return analytic::explain(program, analytic::limit(program));
  };
  using netsor::Activation;
  EXPECT_THAT(plan(Activation::named("hardswish")),
              ::testing::HasSubstr("kinks and jumps of hardswish in [-10, 10]: -3, 3\n"));
  EXPECT_THAT(plan(Activation::from_expression("x*tanh(x)")),
              ::testing::HasSubstr("kinks and jumps of x*tanh(x) in [-10, 10]: none\n"));
  EXPECT_THAT(plan(Activation::from_expression("rint(2*x)")), ::testing::HasSubstr("-9.75, -9.25, "));
  EXPECT_THAT(plan(Activation::from_expression("rint(2*x)")), ::testing::HasSubstr(", … (40)\n"));
  EXPECT_THAT(plan(Activation::custom("mine", [](double x) { return x; })),
              ::testing::HasSubstr(
                  "mine in [-10, 10]: none known; there may be others, so its error bars are estimates"));
  EXPECT_THAT(plan(Activation::named("relu")), ::testing::Not(::testing::HasSubstr("kinks")));
}

}  // namespace
}  // namespace nngpcheck
