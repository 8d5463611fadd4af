// LibTorch's activations against the standard library's functions, on the same networks.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>
#include <string>

#include "nngpcheck/architectures/named/mlp.hpp"
#include "nngpcheck/empirical/interpreter/activations.hpp"
#include "nngpcheck/empirical/sampler.hpp"
#include "tests/data/activation_values.hpp"
#include "tests/empirical/programs.hpp"
#include "tests/empirical/reference.hpp"

namespace nngpcheck {
namespace {

using netsor::Activation;

struct Definition {
  std::string name;
  std::function<double(double)> function;
};

const std::vector<Definition>& definitions() {
  static const std::vector<Definition> result = {
      {"relu", [](double x) { return x > 0 ? x : 0; }},
      {"leaky_relu_0.3", [](double x) { return x > 0 ? x : 0.3 * x; }},
      {"abs", [](double x) { return std::abs(x); }},
      {"step", [](double x) { return x > 0 ? 1.0 : 0.0; }},
      {"sign", [](double x) { return x > 0   ? 1.0
                                     : x < 0 ? -1.0
                                             : 0.0; }},
      {"square", [](double x) { return x * x; }},
      {"relu_squared", [](double x) { return x > 0 ? x * x : 0; }},
      {"power_3", [](double x) { return x * x * x; }},
      {"rectified_power_4", [](double x) { return x > 0 ? std::pow(x, 4) : 0; }},
      {"erf", [](double x) { return std::erf(x); }},
      {"erf_sigmoid", [](double x) { return (1 + std::erf(x)) / 2; }},
      {"sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); }},
      {"tanh", [](double x) { return std::tanh(x); }},
      {"hardtanh", [](double x) { return std::min(std::max(x, -1.0), 1.0); }},
      {"gelu", [](double x) { return x * (1 + std::erf(x / std::sqrt(2.0))) / 2; }},
      {"silu", [](double x) { return x / (1 + std::exp(-x)); }},
      {"softplus", [](double x) { return std::log(1 + std::exp(x)); }},
      {"elu", [](double x) { return x > 0 ? x : std::exp(x) - 1; }},
      {"sin", [](double x) { return std::sin(x); }},
      {"cos", [](double x) { return std::cos(x); }},
      {"exp", [](double x) { return std::exp(x); }},
      {"gaussian", [](double x) { return std::exp(-x * x); }},
      {"selu",
       [](double x) { return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * (std::exp(x) - 1)); }},
      {"mish", [](double x) { return x * std::tanh(std::log(1 + std::exp(x))); }},
      {"hardswish", [](double x) { return x < -3  ? 0
                                          : x > 3 ? x
                                                  : x * (x + 3) / 6; }},
      {"hardsigmoid", [](double x) { return x < -3  ? 0
                                            : x > 3 ? 1
                                                    : (x + 3) / 6; }},
      {"relu6", [](double x) { return x < 0   ? 0
                                      : x > 6 ? 6
                                              : x; }},
      {"softsign", [](double x) { return x < 0 ? x / (1 - x) : x / (1 + x); }},
      {"tanhshrink", [](double x) { return x - std::tanh(x); }},
      {"hardshrink", [](double x) { return x < -0.5 || x > 0.5 ? x : 0; }},
      {"softshrink", [](double x) { return x < -0.5  ? x + 0.5
                                           : x > 0.5 ? x - 0.5
                                                     : 0; }},
      {"logsigmoid", [](double x) { return -std::log(1 + std::exp(-x)); }},
      {"gelu_tanh",
       [](double x) {
         return x * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x))) / 2;
       }},
      {"quick_gelu", [](double x) { return x / (1 + std::exp(-1.702 * x)); }},
      {"elu_plus_one", [](double x) { return x > 0 ? 1 + x : std::exp(x); }},
      {"rbf", [](double x) { return std::sin(std::sqrt(2.0) * x) + std::cos(std::sqrt(2.0) * x); }},
      {"rbf_0.5", [](double x) { return std::sin(x) + std::cos(x); }},
      {"elu_0.75", [](double x) { return x > 0 ? x : 0.75 * (std::exp(x) - 1); }},
      {"celu_2.5", [](double x) { return x > 0 ? x : 2.5 * (std::exp(x / 2.5) - 1); }},
      {"hardshrink_0.25", [](double x) { return std::abs(x) > 0.25 ? x : 0; }},
      {"softshrink_1.5", [](double x) { return x > 1.5    ? x - 1.5
                                               : x < -1.5 ? x + 1.5
                                                          : 0; }},
      {"threshold_0.5_20", [](double x) { return x > 0.5 ? x : 20; }},
  };
  return result;
}

netsor::Program layer(const Activation& activation) {
  architectures::MlpOptions options;
  options.activation = activation;
  options.input_variance = 4;
  return architectures::mlp(options, testing::vectors(5, 3));
}

// Of network 2 at width 40, sampled with `activation` and recomputed with `function`.
double difference(const Activation& activation, const std::function<double(double)>& function) {
  Eigen::MatrixXd sampled;
  empirical::Sampler(layer(activation), {.products = empirical::Products::dense})
      .sample(40, 7, 2, 1, [&](std::uint64_t, const Eigen::MatrixXd& kernel) { sampled = kernel; });
  const netsor::Program definition = layer(Activation::custom("definition", function));
  return testing::relative_difference(sampled, testing::reference_kernel(definition, {40, 7, 2}));
}

TEST(Activations, AreTheDocumentedFunctions) {
  for (const Definition& definition : definitions()) {
    const auto& function = definition.function;
    EXPECT_LT(difference(Activation::named(definition.name), function), 1e-12) << definition.name;
    EXPECT_GT(difference(Activation::named(definition.name),
                         [&](double x) { return function(x) + 1e-9 * std::exp(x); }),
              1e-11)
        << definition.name << ": a function that is slightly wrong must not pass";
  }
}

TEST(Activations, AreThoseOfMpmathAt25Places) {
  const auto& table = testing::activation_values();
  for (std::size_t first = 0; first < table.size(); first += 25) {
    at::Tensor x = at::zeros({empirical::vector_multiple}, at::kDouble), y = at::empty_like(x);
    for (std::size_t k = 0; k < 25; ++k) x.data_ptr<double>()[k] = table[first + k].x;
    empirical::apply_activation(Activation::named(table[first].name), x, y);
    for (std::size_t k = 0; k < 25; ++k) {
      EXPECT_LE(std::abs(y.data_ptr<double>()[k] - table[first + k].value), table[first + k].tolerance())
          << table[first].name << " at " << table[first + k].x;
    }
  }
}

TEST(Activations, AreAllTested) {
  for (const std::string& name : Activation::names()) {
    if (name == "threshold_T_V") continue;  // threshold_0.5_20
    const std::string family = name.substr(0, name.find_last_of('_'));
    const bool tested =
        std::any_of(definitions().begin(), definitions().end(), [&](const Definition& definition) {
          return definition.name == name ||
                 (name.size() - family.size() == 2 && definition.name.starts_with(family));
        });
    EXPECT_TRUE(tested || name == "identity") << name;
  }
}

TEST(Activations, ExpressionsAreTheirOperations) {
  // every operation, on arguments for which it is defined
  const std::string everything =
      "-x + abs(x) + sign(x) + floor(x) + ceil(2*x) + rint(3*x) + trunc(5*x) + relu(x) + sqrt(abs(x)) + "
      "cbrt(x) + "
      "exp(x/4) + expm1(x/4) + log(x^2 + 1) + log1p(abs(x)) + log2(x^2 + 2) + log10(x^2 + 3) + sin(x) + "
      "cos(x) + "
      "tan(x/8) + asin(tanh(x)) + acos(tanh(x)) + atan(x) + sinh(x/4) + cosh(x/4) + tanh(x) + asinh(x) + "
      "acosh(1 + x^2) + atanh(tanh(x)/2) + erf(x) + erfc(x) + sigmoid(x) + softplus(x) + x*x/(1 + x^4) + "
      "abs(x)^1.5 + atan2(x, 2) + min(x, 1) + max(x, -1) + (x < 1) + (x <= 0.5) + (x > 0.25) + (x >= 2) + (x "
      "== 3) + "
      "(x != 3) + !(x > 1) + (x > 0 && x < 1) + (x > 1 || x < -1) + (x > 0.7 ? x : 0.2*x)";
  const Activation phi = Activation::from_expression(everything);
  EXPECT_LT(difference(phi, phi.expression()), 1e-12);
  EXPECT_GT(difference(phi, Activation::from_expression(everything + " + 1e-9*exp(x)").expression()), 1e-11);
}

TEST(Activations, CustomFunctionsAreCalled) {
  const auto cubic = [](double x) { return x * x * x - 0.5 * x; };
  EXPECT_LT(difference(Activation::custom("cubic", cubic), cubic), 1e-12);
}

}  // namespace
}  // namespace nngpcheck
