// Functions of several arguments, end to end: the limit against sampled networks.
#include <gtest/gtest.h>

#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

#include "nngpcheck/analytic/limit.hpp"
#include "nngpcheck/empirical/sampler.hpp"
#include "nngpcheck/netsor/builder.hpp"
#include "tests/empirical/programs.hpp"
#include "tests/netsor/everything.hpp"

namespace nngpcheck {
namespace {

using Eigen::ArrayXXd;
using Eigen::MatrixXd;
using empirical::Products;
using empirical::Sampler;
using netsor::Builder;
using netsor::BundleId;
using netsor::Function;

constexpr std::uint64_t networks = 20000;

// y = W φ(g, h, b), g and h Gaussian with one tied input weight: E[K] at every width is the limit, as the
// coordinates of φ(g, h, b) are independent and y is linear in W.
netsor::Program program(const Function& phi) {
  Builder b;
  const auto u = b.input_weight({"U", {}, 5, 1.3});
  const MatrixXd data = testing::some_data(5, 6);
  const BundleId g = b.input(u, data.leftCols(3)), h = b.input(u, data.rightCols(3));
  const BundleId bias = b.column(b.bias({"b", {}, 0.4, 0.3}));
  b.output(b.readout({"v", 0.7}), b.matmul(b.weight({"W", {}, {}, 1.5}), b.nonlin(phi, {g, h, bias})));
  return std::move(b).build();
}

// |difference| of the worst entry over what is allowed for it: normal errors of the networks' mean, Student's
// of the limit's randomizations, each with half of the false alarms, over six entries and two sides.
double worst_ratio(const analytic::Limit& limit, const netsor::Program& program, Products products) {
  constexpr double false_alarm = 1e-6 / (2 * 6 * 2);
  const double z = boost::math::quantile(boost::math::complement(boost::math::normal(), false_alarm));
  const double t = boost::math::quantile(boost::math::complement(boost::math::students_t(15), false_alarm));
  ArrayXXd sum = ArrayXXd::Zero(3, 3), squares = sum;
  Sampler(program, {.products = products})
      .sample(8, 5, 0, networks, [&](std::uint64_t, const MatrixXd& kernel) {
        sum += kernel.array();
        squares += kernel.array().square();
      });
  const auto count = static_cast<double>(networks);
  const ArrayXXd mean = sum / count;
  const ArrayXXd error = ((squares / count - mean.square()) / count).sqrt();
  const ArrayXXd allowed = z * error + t * limit.standard_error.array();
  return ((mean - limit.value.array()).abs() / allowed).maxCoeff();
}

TEST(NonlinStatistics, LimitIsTheMeanOfSampledNetworks) {
  const netsor::Program right = program(testing::bend());
  const netsor::Program wrong = program(Function("bend", 3, [](std::span<const double> v) {
    return v[1] * std::tanh(v[0]) + v[2] / (1 + v[0] * v[0]);  // x and y exchanged
  }));
  const analytic::Limit limit = analytic::limit(right, {.points = 1 << 12});
  for (const Products products : {Products::dense, Products::exact}) {
    EXPECT_LT(worst_ratio(limit, right, products), 1);
    EXPECT_GT(worst_ratio(limit, wrong, products), 1);
  }
}

TEST(NonlinStatistics, NetworksAreThoseOfMax) {
  const auto kernels = [](bool nonlin, Products products, empirical::Precision precision) {
    Builder b;
    const auto u = b.input_weight({"U", {}, 5, 1.3});
    const BundleId g = b.input(u, testing::some_data(5, 4));
    const BundleId column = b.select(g, {2});
    const Function larger("larger", 2, [](std::span<const double> v) { return std::max(v[0], v[1]); });
    const BundleId x = nonlin ? b.nonlin(larger, {g, column}) : b.max(g, column);
    b.output(b.readout({"v", 1}), b.matmul(b.weight({"W", {}, {}, 1.5}), x));
    std::vector<MatrixXd> result;
    // More coordinates than one piece of the interpreter has.
    Sampler(std::move(b).build(), {.precision = precision, .products = products})
        .sample(3000, 3, 0, 3, [&](std::uint64_t, const MatrixXd& kernel) { result.push_back(kernel); });
    return result;
  };
  for (const Products products : {Products::dense, Products::exact}) {
    for (const auto precision : {empirical::Precision::float32, empirical::Precision::float64}) {
      EXPECT_EQ(kernels(true, products, precision), kernels(false, products, precision));
    }
  }
  EXPECT_NE(kernels(true, Products::dense, empirical::Precision::float64),
            kernels(true, Products::exact, empirical::Precision::float64));
}

}  // namespace
}  // namespace nngpcheck
