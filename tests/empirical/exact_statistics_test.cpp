// The exact sampler and the dense one draw from the same law, at small widths.
#include <gtest/gtest.h>

#include <boost/math/distributions/normal.hpp>
#include <cmath>

#include "architectures/cnn.hpp"
#include "architectures/mlp.hpp"
#include "architectures/recurrent.hpp"
#include "architectures/transformer.hpp"
#include "empirical/sampler.hpp"
#include "netsor/builder.hpp"
#include "tests/empirical/programs.hpp"

namespace nngpcheck {
namespace {

using Eigen::ArrayXXd;
using empirical::Products;
using netsor::Activation;

constexpr double false_alarm = 1e-6;  // of one comparison

// Means and standard errors of all kernel entries, of their squares and of their products with the first one.
struct Moments {
  ArrayXXd mean, error;
};

Moments moments(const netsor::Program& program, Products products, std::int64_t width,
                std::uint64_t networks) {
  const Eigen::Index m = program.outputs();
  ArrayXXd sum = ArrayXXd::Zero(m, 3 * m), squares = sum;
  const auto seed = products == Products::dense ? 1U : 2U;
  empirical::Sampler(program, {.products = products})
      .sample(width, seed, 0, networks, [&](std::uint64_t, const Eigen::MatrixXd& kernel) {
        ArrayXXd values(m, 3 * m);
        values << kernel.array(), kernel.array().square(), kernel(0, 0) * kernel.array();
        sum += values;
        squares += values.square();
      });
  const auto count = static_cast<double>(networks);
  const ArrayXXd mean = sum / count;
  return {mean, ((squares / count - mean.square()) / count).max(0).sqrt()};
}

// Whether the two samples differ more than chance allows, Bonferroni over all moments.
bool differ(const Moments& one, const Moments& two) {
  const double allowed = boost::math::quantile(boost::math::complement(
      boost::math::normal(), false_alarm / (2 * static_cast<double>(one.mean.size()))));
  const ArrayXXd error = (one.error.square() + two.error.square()).sqrt() + 1e-12 * one.mean.abs();
  return ((one.mean - two.mean).abs() / error).maxCoeff() > allowed;
}

architectures::Inputs batches() {
  architectures::Inputs result = testing::vectors(5, 6);
  result.batch = {0, 0, 0, 1, 1, 1};
  return result;
}

architectures::Inputs images() {
  architectures::Inputs result = testing::vectors(2, 12);
  result.grid = {2, 3};
  return result;
}

// Repeated and collinear inputs, and more uses of a weight than it has columns.
architectures::Inputs words() {
  architectures::Inputs result = testing::sequences(3, {6, 5});
  result.data.col(6) = result.data.col(0);
  result.data.col(7) = 2 * result.data.col(1);
  return result;
}

std::vector<testing::NamedProgram> programs() {
  return {{"rnn", architectures::simple_rnn({{.activation = Activation::named("erf"), .bias_variance = 0.1}},
                                            words())},
          {"gru", architectures::gru({{.bias_variance = 0.5}}, words())},
          {"lstm", architectures::lstm({{.bias_variance = 0.5}}, words())},
          {"transformer",
           architectures::transformer({.depth = 2, .embedding_variance = 2, .weight_variance = 3}, words())},
          {"cnn", architectures::cnn({.bias_variance = 0.1}, images())},
          {"batchnorm", architectures::batchnorm_mlp({{.depth = 2}, 0.01}, batches())},
          {"mlp", architectures::mlp({.depth = 3, .weight_variance = 2}, testing::vectors(4, 12))}};
}

TEST(ExactSampler, HasTheLawOfTheDenseOne) {
  for (const auto& [name, program] : programs()) {
    for (const std::int64_t width : {8, 32}) {
      const std::uint64_t networks = width == 8 ? 10000 : 4000;
      EXPECT_FALSE(differ(moments(program, Products::dense, width, networks),
                          moments(program, Products::exact, width, networks)))
          << name << " at width " << width;
    }
  }
}

// A recurrent network that draws a new matrix at every step, which has the same kernel in the limit.
netsor::Program untied_rnn(bool tied) {
  netsor::Builder b;
  const auto drive = b.input(b.input_weight({"U", {}, 3, 1}), testing::some_data(3, 6));
  const auto weight = b.weight({"W", {}, {}, 2});
  netsor::BundleId state = b.map(Activation::named("relu"), b.select(drive, {0}));
  for (Eigen::Index t = 1; t < 6; ++t) {
    const auto w = tied ? weight : b.weight({"W" + std::to_string(t), {}, {}, 2});
    state = b.map(Activation::named("relu"), b.add(b.select(drive, {t}), b.matmul(w, state)));
  }
  b.output(b.readout({"v", 1}), state);
  return std::move(b).build();
}

TEST(ExactSampler, TheComparisonNoticesAnIndependentDrawPerProduct) {
  const Moments exact = moments(untied_rnn(true), Products::exact, 8, 10000);
  EXPECT_FALSE(differ(moments(untied_rnn(true), Products::dense, 8, 10000), exact));
  EXPECT_TRUE(differ(moments(untied_rnn(false), Products::dense, 8, 10000), exact));
}

}  // namespace
}  // namespace nngpcheck
