// EXPECT_NNGP_MODULE on modules of torch::nn. Each check of a right kernel fails with probability at most
// 1e-6.
#include "nngpcheck/module.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>
#include <torch/torch.h>

#include <Eigen/Cholesky>
#include <cmath>
#include <functional>

#include "nngpcheck/analytic/limit.hpp"
#include "nngpcheck/architectures/named/mlp.hpp"

namespace nngpcheck {
namespace {

using Eigen::MatrixXd;
using testing::AllOf;
using testing::HasSubstr;
using torch::Tensor;

/// [m, d] -> [m, width] through two hidden layers of relu; weights N(0, 1/fan_in), biases N(0, 0.1).
struct MlpImpl : torch::nn::Module {
  MlpImpl(std::int64_t d, std::int64_t width)
      : first(register_module("first", torch::nn::Linear(d, width))),
        second(register_module("second", torch::nn::Linear(width, width))) {
    for (const torch::nn::Linear& layer : {first, second}) {
      torch::nn::init::normal_(layer->weight, 0, 1 / std::sqrt(layer->weight.size(1)));
      torch::nn::init::normal_(layer->bias, 0, std::sqrt(0.1));
    }
  }
  Tensor forward(const Tensor& inputs) { return torch::relu(second(torch::relu(first(inputs)))); }

  torch::nn::Linear first, second;
};
TORCH_MODULE(Mlp);

const MatrixXd inputs{{1, 0.5, -1}, {0, 1, 0.3}};  // a column each
const Tensor rows = empirical::rows_of(inputs);

Mlp mlp(std::int64_t width) { return Mlp(inputs.rows(), width); }

MatrixXd limit(const architectures::MlpOptions& options, const MatrixXd& data = inputs) {
  std::vector<std::string> labels;
  for (Eigen::Index a = 0; a < data.cols(); ++a) labels.push_back(std::to_string(a));
  return analytic::limit(architectures::mlp(options, {data, labels})).value;
}

const MatrixXd right = limit({.depth = 2, .bias_variance = 0.1});
const MatrixXd wrong = limit({.depth = 2, .bias_variance = 0.2});

/// Few networks.
ModuleCheckOptions options(double resolution = 0.1, std::uint64_t seed = 0) {
  return {
      .widths = {32, 64, 128, 256, 512}, .check = {.ladders = 128, .resolution = resolution}, .seed = seed};
}

template <class Factory>
std::string message(const Factory& factory, const Tensor& data = rows, const MatrixXd& kernel = right) {
  return assertions::modules_have_limit("K", factory, data, kernel, options()).message();
}

TEST(ExpectNngpModule, PassesForTheLimit) {
  EXPECT_NNGP_MODULE(mlp, inputs, right, options());
  ASSERT_NNGP_MODULE(mlp, rows, kernels::Kernel{right}, options(0.1, 1));
}

TEST(ExpectNngpModule, PassesInFloat64) {
  EXPECT_NNGP_MODULE(mlp, rows.to(torch::kFloat64), right, options());
}

TEST(ExpectNngpModule, FailsForAnotherKernel) {
  EXPECT_NONFATAL_FAILURE(EXPECT_NNGP_MODULE(mlp, inputs, wrong, options()), "disagree  wrong for mlp: p");
  EXPECT_NONFATAL_FAILURE(EXPECT_NNGP_MODULE(mlp, inputs, wrong, options(0.1, 7)),
                          "repeat with       seed 7");
}

/// Many outputs, each with a readout of its own: their kernel is that of the last hidden layer.
TEST(ExpectNngpModule, TakesOutputsForFeatures) {
  const auto with_readout = [](std::int64_t width) {
    const Tensor readout = torch::randn({width, 2 * width}) / std::sqrt(width);
    return [hidden = mlp(width), readout](const Tensor& x) mutable { return hidden(x).matmul(readout); };
  };
  EXPECT_NNGP_MODULE(with_readout, inputs, right, options());
}

struct DefaultImpl : torch::nn::Module {
  DefaultImpl(std::int64_t d, std::int64_t width)
      : first(register_module("first", torch::nn::Linear(d, width))),
        second(register_module("second", torch::nn::Linear(width, width))) {}
  Tensor forward(const Tensor& x) { return torch::relu(second(torch::relu(first(x)))); }

  torch::nn::Linear first, second;
};
TORCH_MODULE(Default);

const MatrixXd one_hot = MatrixXd::Identity(2, 2);

/// docs/ci.md: uniform weights behind the first layer have the limit of Gaussian ones with variance 1/3, and
/// biases 0 …
TEST(TorchDefaults, HaveAGaussianLimitBehindAGaussianFirstLayer) {
  const auto factory = [](std::int64_t width) {
    Default result(one_hot.rows(), width);
    torch::nn::init::normal_(result->first->weight, 0, std::sqrt(1.0 / 6));
    torch::nn::init::normal_(result->first->bias, 0, std::sqrt(1.0 / 6));
    return result;
  };
  const MatrixXd hidden = limit({.depth = 1, .input_variance = 1.0 / 3, .bias_variance = 1.0 / 6}, one_hot);
  // Biases fall as 1/n: one more layer on the features of the first, without biases.
  const Eigen::LLT<MatrixXd> root(hidden);
  const MatrixXd factor = root.matrixU();
  const MatrixXd kernel = limit({.depth = 1, .input_variance = 2.0 / 3}, factor);
  EXPECT_NNGP_MODULE(factory, one_hot, kernel, options(0.04));
}

/// … but not the first layer, whose preactivations are sums of few uniform numbers.
TEST(TorchDefaults, HaveAnotherLimitInTheFirstLayer) {
  const auto factory = [](std::int64_t width) {
    return [first = torch::nn::Linear(torch::nn::LinearOptions(2, width).bias(false))](
               const Tensor& x) mutable { return torch::relu(first(x)); };
  };
  const MatrixXd gaussian = limit({.depth = 1, .input_variance = 1.0 / 3}, one_hot);
  MatrixXd uniform = gaussian;  // E[relu(u)]² for u uniform on ±1/√2, instead of σ²/2π
  uniform(0, 1) = uniform(1, 0) = 1.0 / 32;
  EXPECT_NNGP_MODULE(factory, one_hot, uniform, options(0.04));
  EXPECT_NONFATAL_FAILURE(EXPECT_NNGP_MODULE(factory, one_hot, gaussian, options(0.04)), "disagree");
}

TEST(ModuleKernels, AreThoseOfEveryKindOfNetwork) {
  const auto kernel = [](auto factory) {
    return empirical::module_kernels(empirical::network_factory(factory), rows, 1)(64, 3);
  };
  const MatrixXd expected = kernel(mlp);
  EXPECT_EQ(kernel([](std::int64_t width) { return mlp(width).ptr(); }), expected);
  EXPECT_EQ(kernel([](std::int64_t width) { return torch::nn::AnyModule(mlp(width)); }), expected);
  EXPECT_EQ(kernel([](std::int64_t width) {
              return [module = mlp(width)](const Tensor& x) mutable { return module(x); };
            }),
            expected);
  torch::manual_seed(1);
  const Tensor features = torch::randn({3, 8}, rows.options());
  const MatrixXd fixed = empirical::module_kernels(
      [&](std::int64_t) { return [&](const Tensor&) { return features; }; }, rows, 0)(8, 0);
  double sum = 0;
  for (int j = 0; j < 8; ++j) sum += features[0][j].item<double>() * features[1][j].item<double>();
  EXPECT_NEAR(fixed(0, 1), sum / 8, 1e-15);
}

TEST(ModuleKernels, AreAFunctionOfSeedWidthAndNumber) {
  const auto draw = [](std::uint64_t seed) {
    return empirical::module_kernels(empirical::network_factory(mlp), rows, seed);
  };
  const auto kernels = draw(1);
  const MatrixXd first = kernels(64, 3);
  torch::rand({5});
  EXPECT_NE(kernels(64, 4), first);
  EXPECT_NE(kernels(128, 3), first);
  EXPECT_NE(draw(2)(64, 3), first);
  EXPECT_EQ(kernels(64, 3), first);
  EXPECT_EQ(draw(1)(64, 3), first);
}

TEST(ModuleKernels, LeaveTheStateOfLibTorchAlone) {
  torch::manual_seed(5);
  const Tensor expected = torch::rand({5});
  torch::manual_seed(5);
  caffe2::TypeMeta seen;
  const auto factory = [&](std::int64_t width) {
    seen = torch::get_default_dtype();
    return mlp(width);
  };
  empirical::module_kernels(empirical::network_factory(factory), rows.to(torch::kFloat64), 0)(8, 0);
  EXPECT_EQ(seen, caffe2::TypeMeta::Make<double>());
  EXPECT_EQ(torch::get_default_dtype(), caffe2::TypeMeta::Make<float>());
  EXPECT_TRUE(torch::rand({5}).equal(expected));
  EXPECT_TRUE(torch::GradMode::is_enabled());
}

/// The message about a module that computes `forward` of (inputs, width).
std::string error(const std::function<Tensor(const Tensor&, std::int64_t)>& forward) {
  return message(
      [&](std::int64_t width) { return [&, width](const Tensor& x) { return forward(x, width); }; });
}

TEST(ModuleErrors, SayWhatTheModuleReturned) {
  EXPECT_EQ(error([](const Tensor&, std::int64_t n) {
              return torch::randn({n, 3});
            }),
            "could not check K: width 32, network 0: the module maps 3 inputs [3, 2] to [32, 3]: it must be "
            "[3, k], one row per input; flatten or pool what else there is\n");
  EXPECT_THAT(error([](const Tensor&, std::int64_t n) {
                return torch::randn({3, n, 2});
              }),
              HasSubstr("to [3, 32, 2]"));
  EXPECT_THAT(error([](const Tensor&, std::int64_t) { return torch::randn({3}); }), HasSubstr("to [3]"));
  EXPECT_THAT(error([](const Tensor&, std::int64_t) { return Tensor(); }), HasSubstr("undefined tensor"));
  EXPECT_THAT(error([](const Tensor&, std::int64_t n) {
                return torch::randn({3, n}) / 0;
              }),
              HasSubstr("width 32, network 0: the module's output is not finite"));
  EXPECT_THAT(error([](const Tensor&, std::int64_t n) {
                return torch::randn({3, n}, torch::kFloat64);
              }),
              HasSubstr("dtype in which the module computes"));
}

TEST(ModuleErrors, SayThatTheOutputsDoNotGrow) {
  EXPECT_THAT(
      error([](const Tensor&, std::int64_t) {
        return torch::randn({3, 10});
      }),
      AllOf(HasSubstr("k = 10 columns at width 64 and 10 at width 32"), HasSubstr("grows with the width")));
}

TEST(ModuleErrors, SayThatTheOutputsGrowTooSlowly) {
  EXPECT_THAT(error([](const Tensor&, std::int64_t n) {
                return torch::randn({3, static_cast<std::int64_t>(std::sqrt(n))});
              }),
              AllOf(HasSubstr("inconclusive"), HasSubstr("; let k grow in proportion to the width")));
}

TEST(ModuleErrors, SayThatNetworksAreTheSame) {
  EXPECT_THAT(message([](std::int64_t width) {
                torch::manual_seed(1);
                return mlp(width);
              }),
              HasSubstr("width 32, network 1: the output is exactly that of network 0: the factory must"));
}

TEST(ModuleErrors, PassOnWhatLibTorchSays) {
  EXPECT_THAT(message([](std::int64_t width) { return Mlp(7, width); }),
              AllOf(HasSubstr("width 32, network 0: LibTorch says: "), HasSubstr("3x2 and 7x32"),
                    testing::Not(HasSubstr("frame #"))));
  EXPECT_THAT(message([](std::int64_t) { return std::shared_ptr<MlpImpl>(); }), HasSubstr("empty pointer"));
  EXPECT_THAT(message([](std::int64_t) -> Mlp { throw std::runtime_error("no such width"); }),
              HasSubstr("could not check K: no such width"));
}

TEST(ModuleErrors, SayWhatIsWrongWithInputsAndKernel) {
  EXPECT_THAT(message(mlp, rows.to(torch::kInt64)), HasSubstr("floating-point tensor [m, d]"));
  EXPECT_THAT(message(mlp, Tensor()), HasSubstr("undefined"));
  EXPECT_THAT(message(mlp, rows / 0), HasSubstr("inputs are not finite"));
  EXPECT_THAT(message(mlp, rows, MatrixXd::Ones(2, 2)), HasSubstr("2×2: for 3 inputs it must be 3×3"));
  EXPECT_THAT(message(mlp, rows, MatrixXd::Constant(3, 3, NAN)), HasSubstr("not finite"));
}

TEST(DrawnKernels, HaveOneShape) {
  const auto ladders = compare::ladders_of([](std::int64_t width, std::uint64_t) -> MatrixXd {
    return width == 2 ? MatrixXd::Ones(2, 2) : MatrixXd::Ones(3, 3);
  });
  try {
    ladders({{1, 2}, 5, 1});
    FAIL();
  } catch (const compare::CompareError& error) {
    EXPECT_STREQ(error.what(), "network 5 of width 2: its kernel is 2×2, where 3×3 was expected");
  }
}

}  // namespace
}  // namespace nngpcheck
