// Models of PyTorch users: what their archives are found to be, and the kernels of those that have one.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "nngpcheck/analytic/limit.hpp"
#include "nngpcheck/import/import.hpp"
#include "nngpcheck/support/error.hpp"

namespace nngpcheck::importer {
namespace {

const std::filesystem::path folder = NNGPCHECK_MODELS;

const nlohmann::json& models() {
  static const nlohmann::json json = nlohmann::json::parse(std::ifstream(folder / "models.json"));
  return json;
}

std::vector<std::string> names(const std::string& with = "") {
  std::vector<std::string> result;
  for (const auto& [name, model] : models().items())
    if (with.empty() || model.contains(with)) result.push_back(name);
  return result;
}

Imported imported(const std::string& name) {
  return import_model(read_archive(folder / "archives" / (name + ".nngp")));
}

/// "reject:width_mixed" is that verdict with a diagnosis of that kind; "limit" is that verdict.
bool acceptable(const Imported& model, const std::string& also) {
  const std::size_t colon = also.find(':');
  if (also.substr(0, colon) != model.verdict) return false;
  return colon == std::string::npos ||
         std::any_of(model.diagnoses.begin(), model.diagnoses.end(),
                     [&](const Diagnosis& d) { return d.code.starts_with(also.substr(colon + 1)); });
}

class Models : public testing::TestWithParam<std::string> {};

TEST_P(Models, AreFoundToBeWhatTheyAre) {
  const nlohmann::json& expected = models().at(GetParam());
  const Imported model = imported(GetParam());
  if (model.verdict == expected.at("verdict").get<std::string>()) {
    std::vector<std::string> codes;
    for (const Diagnosis& diagnosis : model.diagnoses) codes.push_back(diagnosis.code);
    for (const std::string code : expected.at("diagnoses"))
      EXPECT_EQ(std::count(codes.begin(), codes.end(), code), 1) << code;
  } else {
    bool any = false;
    for (const std::string& also : expected.value("also_acceptable", std::vector<std::string>{}))
      any = any || acceptable(model, also);
    EXPECT_TRUE(any) << model.verdict << " instead of " << expected.at("verdict");
  }
  for (const auto& [name, kind] : expected.at("parameters").items())
    EXPECT_EQ(model.parameters.at(name), kind.get<std::string>()) << name;
  EXPECT_EQ(model.features.has_value(), has_limit(model));
  if (!has_limit(model)) return;
  ASSERT_EQ(model.equal_outputs.size(), width_count);
  for (const auto& [n, difference] : model.equal_outputs) EXPECT_LE(difference, largest_difference) << n;
}

INSTANTIATE_TEST_SUITE_P(All, Models, testing::ValuesIn(names()),
                         [](const auto& test) { return test.param; });

class ModelKernels : public testing::TestWithParam<std::string> {};

constexpr double false_alarm = 1e-6;  // of one seed, of all entries of all models together

/// All that are compared.
double entries() {
  double result = 0;
  for (const std::string& name : names("kernel")) {
    const double rows = static_cast<double>(models().at(name).at("rows").size());
    result += rows * (rows + 1) / 2;
  }
  return result;
}

/// A mean over `count` networks or randomizations, with its standard error.
struct Mean {
  double standard_error, count;
};

/// What the difference of two means stays below with the probability 1 − false_alarm/entries(), by Welch's
/// approximation: Student's law, whose degrees of freedom are those of what both errors were estimated from.
double most(const Mean& a, const Mean& b) {
  const double x = a.standard_error * a.standard_error, y = b.standard_error * b.standard_error;
  if (x + y == 0) return 0;
  const double freedom = (x + y) * (x + y) / (x * x / (a.count - 1) + y * y / (b.count - 1));
  const boost::math::students_t law(freedom);
  return std::sqrt(x + y) *
         boost::math::quantile(boost::math::complement(law, false_alarm / (2 * entries())));
}

/// By hand, the limits of more seeds: NNGPCHECK_SEEDS=20.
std::uint64_t seeds() {
  const char* given = std::getenv("NNGPCHECK_SEEDS");
  return given ? std::stoull(given) : 1;
}

/// References are means over dense networks of PyTorch, at least `networks` of each of three widths,
/// extrapolated.
TEST_P(ModelKernels, AreThoseOfDenseNetworks) {
  const nlohmann::json& expected = models().at(GetParam());
  const Imported model = imported(GetParam());
  ASSERT_TRUE(model.features);
  const auto rows = expected.at("rows").get<std::vector<Eigen::Index>>();
  for (std::uint64_t seed = 0; seed < seeds(); ++seed) {
    analytic::LimitOptions options;
    options.seed = seed;
    const analytic::Limit limit = analytic::limit(*model.features, options);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      for (std::size_t j = 0; j <= i; ++j) {
        const Mean reference{expected.at("standard_error")[i][j], expected.at("networks")};
        const Mean ours{limit.standard_error(rows[i], rows[j]), 16};
        EXPECT_NEAR(limit.value(rows[i], rows[j]), expected.at("kernel")[i][j].get<double>(),
                    most(reference, ours) + limit.error_bound(rows[i], rows[j]))
            << i << ", " << j << ", seed " << seed;
      }
    }
    if (limit.standard_error.maxCoeff() == 0) break;  // all seeds give the same
  }
}

/// A variance that is off by a tenth is found.
TEST(ModelKernels, OfAnotherModelAreFound) {
  Archive archive = read_archive(folder / "archives" / "mlp_kaiming.nngp");
  for (Graph& graph : archive.graphs)
    for (GraphInput& input : graph.inputs)
      if (input.target == "layers.1.weight") input.law.deviation *= std::sqrt(1.1);
  const analytic::Limit limit = analytic::limit(*import_model(archive).features);
  const nlohmann::json& expected = models().at("mlp_kaiming");
  const Mean reference{expected.at("standard_error")[0][0], expected.at("networks")};
  EXPECT_GT(std::abs(limit.value(0, 0) - expected.at("kernel")[0][0].get<double>()),
            most(reference, {0, 16}));
}

/// The kernel of uniform weights is their own: with normal ones of the same variances it is another.
TEST(ModelKernels, OfUniformWeightsAreNotThoseOfNormalOnes) {
  Archive archive = read_archive(folder / "archives" / "mlp_relu_default.nngp");
  const Imported uniform = import_model(archive);
  EXPECT_EQ(uniform.verdict, "limit_other_input_law");
  for (Graph& graph : archive.graphs) {
    for (GraphInput& input : graph.inputs) {
      if (input.law.kind != Law::Kind::uniform) continue;
      input.law.deviation = std::sqrt(input.law.variance());
      input.law.kind = Law::Kind::normal;
    }
  }
  const Imported normal = import_model(archive);
  EXPECT_EQ(normal.verdict, "limit");
  const analytic::Limit one = analytic::limit(*uniform.features), other = analytic::limit(*normal.features);
  // The diagonal is the same: relu is homogeneous, and both laws are symmetric.
  EXPECT_GT((one.value - other.value).cwiseAbs().maxCoeff(),
            10 * (one.standard_error + one.error_bound).maxCoeff());
}

/// A law that the program cannot have leaves the verdict, without a program.
TEST(Models, OfTruncatedInputWeightsHaveALimitWithoutAProgram) {
  Archive archive = read_archive(folder / "archives" / "mlp_relu_default.nngp");
  for (Graph& graph : archive.graphs) {
    for (GraphInput& input : graph.inputs) {
      if (input.target != "0.weight") continue;
      input.law.kind = Law::Kind::truncated_normal;
      input.law.deviation = input.law.high;
    }
  }
  const Imported cut = import_model(archive);
  EXPECT_EQ(cut.verdict, "limit_other_input_law");
  EXPECT_FALSE(cut.features);
}

INSTANTIATE_TEST_SUITE_P(Fast, ModelKernels, testing::ValuesIn(names("kernel")),
                         [](const auto& test) { return test.param; });

TEST(Models, ReasonsNamePlacesInTheModelsSource) {
  const Imported model = imported("mha_default");
  ASSERT_FALSE(model.diagnoses.empty());
  EXPECT_NE(model.diagnoses[0].text.find("models.py:"), std::string::npos) << model.diagnoses[0].text;
}

TEST(Models, JsonHasWhatTheCommandWrites) {
  const auto json = to_json(imported("mlp_kaiming"));
  EXPECT_EQ(json.at("verdict"), "limit");
  EXPECT_TRUE(json.at("diagnoses").empty());
  EXPECT_EQ(json.at("parameters").at("layers.1.weight"), "weight");
  EXPECT_LE(json.at("equal_outputs").at("48").get<double>(), 1e-14);
}

/// Another weight than the archive's outputs were computed with: the program is not that of the model.
TEST(Models, ThatGiveOtherOutputsAreRejected) {
  Archive archive = read_archive(folder / "archives" / "mlp_kaiming.nngp");
  archive.graphs[1].outputs[0].second.values[0] += 1e-6;
  const Imported model = import_model(archive);
  EXPECT_EQ(model.verdict, "reject");
  EXPECT_EQ(model.diagnoses.back().code, "outputs_differ");
  EXPECT_FALSE(model.features);
}

/// Other inputs of the same shape.
TEST(Models, TakeOtherInputs) {
  const Archive archive = read_archive(folder / "archives" / "highway.nngp");
  const auto given = std::find_if(archive.graphs[0].inputs.begin(), archive.graphs[0].inputs.end(),
                                  [](const GraphInput& input) { return input.given; });
  Numbers numbers = given->numbers;
  const Eigen::MatrixXd kernel = analytic::limit(*import_model(archive).outputs).value;
  EXPECT_EQ(analytic::limit(*import_model(archive, numbers).outputs).value, kernel);
  for (double& value : numbers.values) value = -value;  // tanh is odd, sigmoid is not
  const Eigen::MatrixXd other = analytic::limit(*import_model(archive, numbers).outputs).value;
  EXPECT_NEAR(other(0, 0), kernel(0, 0), 1e-12);
  numbers.values[0] += 1;
  EXPECT_GT(std::abs(analytic::limit(*import_model(archive, numbers).outputs).value(0, 0) - kernel(0, 0)),
            1e-3);
  numbers.shape[0] += 1;
  EXPECT_THROW(import_model(archive, numbers), InputError);
}

/// Instructions come from modules, where the archive knows them.
TEST(Models, SayWhichModuleInstructionsComeFrom) {
  const netsor::Program program = *imported("highway").outputs;
  std::set<std::string> layers;
  for (const netsor::Node& node : program.nodes())
    if (node.origin) layers.insert(node.origin->layer);
  EXPECT_TRUE(layers.contains("inp") && layers.contains("t") && layers.contains("h"));
}

/// So does the plan of the kernel.
TEST(Models, PlansNameModules) {
  const netsor::Program program = *imported("highway").outputs;
  const std::string plan = analytic::explain(program, analytic::limit(program));
  EXPECT_NE(plan.find("layers\n"), std::string::npos);
  const std::string source =
      "zoo.py:";  // of what the whole network does; the rest is linear, and has no step
  EXPECT_NE(plan.find("unseen.py:166: t = torch.sigmoid"), std::string::npos) << plan;
}

/// What torch draws for a weight matters only by its variance: a weight of another variance has another
/// kernel.
TEST(Models, VariancesComeFromTheLaws) {
  Archive archive = read_archive(folder / "archives" / "mlp_kaiming.nngp");
  for (Graph& graph : archive.graphs)
    for (GraphInput& input : graph.inputs)
      if (input.target == "layers.1.weight") input.law.deviation *= 2;
  const auto once = analytic::limit(*imported("mlp_kaiming").features),
             twice = analytic::limit(*import_model(archive).features);
  EXPECT_NEAR(twice.value(0, 0) / once.value(0, 0), 4, 1e-12);
}

}  // namespace
}  // namespace nngpcheck::importer
