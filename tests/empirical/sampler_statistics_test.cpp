// Means over networks whose expectation is known exactly at finite width.
#include <gtest/gtest.h>

#include <boost/math/distributions/normal.hpp>
#include <cmath>

#include "nngpcheck/architectures/named/mlp.hpp"
#include "nngpcheck/empirical/sampler.hpp"
#include "tests/empirical/programs.hpp"

namespace nngpcheck {
namespace {

using architectures::MlpOptions;

constexpr double false_alarm = 1e-6;
constexpr std::uint64_t networks = 40000;

MlpOptions deep_linear() { return {3, netsor::Activation::named("identity"), 1.3, 0.8, 0.2, 1.7}; }

// Of a deep linear network, at every width: K₁ = σ_u² DᵀD/d + σ_b², K_{l+1} = σ_w² K_l + σ_b², times σ_v².
Eigen::MatrixXd expected_kernel(const MlpOptions& options, const Eigen::MatrixXd& data) {
  Eigen::MatrixXd kernel =
      options.input_variance / static_cast<double>(data.rows()) * (data.transpose() * data);
  kernel.array() += options.bias_variance;
  for (int layer = 2; layer <= options.depth; ++layer) {
    kernel = (options.weight_variance * kernel.array() + options.bias_variance).matrix().eval();
  }
  return options.readout_variance * kernel;
}

struct Means {
  Eigen::MatrixXd mean;
  Eigen::MatrixXd standard_error;
};

Means sampled(const MlpOptions& options, empirical::Precision precision, std::uint64_t seed) {
  const inputs::Inputs inputs = testing::vectors(5, 4);
  Eigen::ArrayXXd sum = Eigen::ArrayXXd::Zero(4, 4);
  Eigen::ArrayXXd squares = sum;
  empirical::Sampler(architectures::mlp(options, inputs),
                     {.precision = precision, .products = empirical::Products::dense})
      .sample(8, seed, 0, networks, [&](std::uint64_t, const Eigen::MatrixXd& kernel) {
        sum += kernel.array();
        squares += kernel.array().square();
      });
  const auto n = static_cast<double>(networks);
  return {sum / n, ((squares / n - (sum / n).square()) / n).sqrt()};
}

// By how many standard errors the worst entry is off.
double worst_score(const Means& means, const Eigen::MatrixXd& expected) {
  return ((means.mean - expected).array() / means.standard_error.array()).abs().maxCoeff();
}

TEST(SamplerStatistics, MeanKernelOfADeepLinearNetwork) {
  const Eigen::MatrixXd data = testing::some_data(5, 4);
  const double entries = 4 * 5 / 2;
  const double allowed = boost::math::quantile(boost::math::normal(), 1 - false_alarm / (2 * entries));
  for (const auto precision : {empirical::Precision::float64, empirical::Precision::float32}) {
    const Means means = sampled(deep_linear(), precision, 1);
    EXPECT_LT(worst_score(means, expected_kernel(deep_linear(), data)), allowed);

    for (double MlpOptions::*variance : {&MlpOptions::weight_variance, &MlpOptions::input_variance,
                                         &MlpOptions::bias_variance, &MlpOptions::readout_variance}) {
      MlpOptions wrong = deep_linear();
      wrong.*variance *= 1.15;
      EXPECT_GT(worst_score(means, expected_kernel(wrong, data)), allowed) << "a variance 15 % off";
    }
  }
}

}  // namespace
}  // namespace nngpcheck
