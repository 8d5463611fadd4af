// LibTorch's activations against the standard library's functions, on the same networks.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>

#include "architectures/mlp.hpp"
#include "empirical/sampler.hpp"
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

TEST(Activations, AreAllTested) {
  for (const std::string& name : Activation::names()) {
    const std::string family = name.substr(0, name.find_last_of('_'));
    const bool tested =
        std::any_of(definitions().begin(), definitions().end(), [&](const Definition& definition) {
          return definition.name == name ||
                 (name.size() - family.size() == 2 && definition.name.starts_with(family));
        });
    EXPECT_TRUE(tested || name == "identity") << name;
  }
}

TEST(Activations, CustomFunctionsAreCalled) {
  const auto cubic = [](double x) { return x * x * x - 0.5 * x; };
  EXPECT_LT(difference(Activation::custom("cubic", cubic), cubic), 1e-12);
}

}  // namespace
}  // namespace nngpcheck
