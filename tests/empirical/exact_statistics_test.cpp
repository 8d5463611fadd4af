// The exact sampler and the dense one draw from the same law, at small widths.
#include <gtest/gtest.h>

#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>

#include "nngpcheck/architectures/named/cnn.hpp"
#include "nngpcheck/architectures/named/mlp.hpp"
#include "nngpcheck/architectures/named/recurrent.hpp"
#include "nngpcheck/architectures/named/transformer.hpp"
#include "nngpcheck/empirical/interpreter/schedule.hpp"
#include "nngpcheck/empirical/sampler.hpp"
#include "nngpcheck/netsor/builder.hpp"
#include "tests/empirical/programs.hpp"

namespace nngpcheck {
namespace {

using Eigen::ArrayXXd;
using empirical::Products;
using netsor::Activation;

constexpr double false_alarm = 1e-6;                              // of one comparison
const bool at_length = std::getenv("NNGPCHECK_LONG") != nullptr;  // ctest -L long
const std::uint64_t many = at_length ? 50000 : 10000, fewer = at_length ? 50000 : 4000;

// Means and standard errors of all kernel entries, of their squares and of their products with the first one.
struct Moments {
  ArrayXXd mean, error;
};

class Accumulator {
 public:
  void add(const Eigen::MatrixXd& kernel) {
    const Eigen::Index m = kernel.rows();
    if (count_ == 0) sum_ = squares_ = ArrayXXd::Zero(m, 3 * m);
    ArrayXXd values(m, 3 * m);
    values << kernel.array(), kernel.array().square(), kernel(0, 0) * kernel.array();
    sum_ += values;
    squares_ += values.square();
    ++count_;
  }
  Moments moments() const {
    const auto count = static_cast<double>(count_);
    const ArrayXXd mean = sum_ / count;
    return {mean, ((squares_ / count - mean.square()) / count).max(0).sqrt()};
  }

 private:
  ArrayXXd sum_, squares_;
  int count_ = 0;
};

Moments moments(const netsor::Program& program, Products products, std::int64_t width,
                std::uint64_t networks) {
  Accumulator all;
  empirical::Sampler(program, {.products = products})
      .sample(width, products == Products::dense ? 1 : 2, 0, networks,
              [&](std::uint64_t, const Eigen::MatrixXd& kernel) { all.add(kernel); });
  return all.moments();
}

// Whether the two samples differ more than chance allows, Bonferroni over all moments.
bool differ(const Moments& one, const Moments& two) {
  const double allowed = boost::math::quantile(boost::math::complement(
      boost::math::normal(), false_alarm / (2 * static_cast<double>(one.mean.size()))));
  const ArrayXXd error = (one.error.square() + two.error.square()).sqrt() + 1e-12 * one.mean.abs();
  return ((one.mean - two.mean).abs() / error).maxCoeff() > allowed;
}

inputs::Inputs batches() {
  inputs::Inputs result = testing::vectors(5, 6);
  result.batch = {0, 0, 0, 1, 1, 1};
  return result;
}

inputs::Inputs images() {
  inputs::Inputs result = testing::vectors(2, 12);
  result.grid = {2, 3};
  return result;
}

// Repeated and collinear inputs, and more uses of a weight than it has columns.
inputs::Inputs words() {
  inputs::Inputs result = testing::sequences(3, {6, 5});
  result.data.col(6) = result.data.col(0);
  result.data.col(7) = 2 * result.data.col(1);
  return result;
}

// Three images, the last one the first times `factor`, or copied where that is 1.
inputs::Inputs similar_images(double factor) {
  inputs::Inputs result = testing::vectors(2, 18);
  result.data.rightCols(6) = factor * result.data.leftCols(6);
  result.grid = {2, 3};
  return result;
}

// Convolutions of equal images, whose differences batch norm divides by what is left of them.
netsor::Program normalized_copies() {
  using namespace architectures;
  Conv conv;
  conv.kernel = {2};
  const Layer step{Activate{Activation::named("step")}};
  return program(network({{conv},
                          {Activate{Activation::named("relu")}},
                          {conv},
                          {BatchNorm{1e-24}},
                          step,
                          {conv},
                          {BatchNorm{1e-24}},
                          step,
                          {GlobalAveragePool{}}},
                         1),
                 similar_images(1));
}

std::vector<testing::NamedProgram> programs() {
  return {{"rnn", architectures::simple_rnn({{.activation = Activation::named("erf"), .bias_variance = 0.1}},
                                            words())},
          {"gru", architectures::gru({{.bias_variance = 0.5}}, words())},
          {"lstm", architectures::lstm({{.bias_variance = 0.5}}, words())},
          {"transformer",
           architectures::transformer({.depth = 2, .embedding_variance = 2, .weight_variance = 3}, words())},
          {"transformer of two heads",
           architectures::transformer({.variant = architectures::TransformerVariant::pre_norm,
                                       .embedding_variance = 2,
                                       .weight_variance = 3,
                                       .heads = 2},
                                      words())},
          {"cnn", architectures::cnn({.bias_variance = 0.1}, images())},
          {"cnn of copies", architectures::cnn({.depth = 3, .weight_variance = 2}, similar_images(1))},
          {"cnn of multiples", architectures::cnn({.depth = 3, .weight_variance = 2}, similar_images(2))},
          {"cnn of nothing", architectures::cnn({.depth = 2}, similar_images(0))},
          {"batch norm of copies", normalized_copies()},
          {"resnet", architectures::resnet({{.depth = 1,
                                             .stride = {1, 2},
                                             .bias_variance = 0.1,
                                             .outputs = architectures::GridOutputs::positions}},
                                           images())},
          {"batchnorm", architectures::batchnorm_mlp({{.depth = 2}, 0.01}, batches())},
          {"mlp", architectures::mlp({.depth = 3, .weight_variance = 2}, testing::vectors(4, 12))}};
}

TEST(ExactSampler, HasTheLawOfTheDenseOne) {
  for (const auto& [name, program] : programs()) {
    for (const std::int64_t width : {8, 32}) {
      const std::uint64_t networks = width == 8 ? many : fewer;
      EXPECT_FALSE(differ(moments(program, Products::dense, width, networks),
                          moments(program, Products::exact, width, networks)))
          << name << " at width " << width;
    }
  }
}

// The comparison notices what can go wrong with such a sampler, on a weight that is applied to nearly
// collinear vectors, to copies, and to more vectors than it has columns: Y = W U D, Z = W relu(Y), kernel of
// both.
namespace faults {

constexpr Eigen::Index width = 8;

Eigen::MatrixXd data() {
  Eigen::MatrixXd result = testing::some_data(6, 9);
  for (Eigen::Index j = 0; j < 6; ++j) {
    for (Eigen::Index i = 0; i < 6; ++i) result(i, j) = std::pow(0.003 * static_cast<double>(j), i);
  }
  result.col(8) = result.col(6);
  return result;
}

netsor::Program program() {
  netsor::Builder b;
  const auto h = b.input(b.input_weight({"U", {}, 6, 1}), data());
  const auto weight = b.weight({"W", {}, {}, 2});
  const auto y = b.matmul(weight, h);
  const auto z = b.matmul(weight, b.map(Activation::named("relu"), y));
  const auto both = b.add(b.mix(y, Eigen::MatrixXd::Identity(9, 18).sparseView()),
                          b.mix(z, Eigen::MatrixXd::Identity(18, 18).bottomRows(9).sparseView()));
  b.output(b.readout({"v", 1}), both);
  return std::move(b).build();
}

enum class Fault { none, independent_draws, one_pass, no_rank_rule };

// The conditional sampler written down plainly, with a fault.
class Products {
 public:
  Products(Fault fault, std::mt19937_64& engine) : fault_(fault), engine_(engine) {}

  Eigen::VectorXd operator()(const Eigen::VectorXd& x) {
    if (fault_ == Fault::independent_draws) return x.norm() * column();
    Eigen::VectorXd r = x, c = Eigen::VectorXd::Zero(q_.cols());
    for (int pass = 0; pass < (fault_ == Fault::one_pass ? 1 : 2); ++pass) {
      const Eigen::VectorXd d = q_.transpose() * r;
      r -= q_ * d;
      c += d;
    }
    Eigen::VectorXd y = b_ * c;
    const bool in_span =
        r.norm() <= 64 * std::numeric_limits<double>::epsilon() * x.norm() || q_.cols() == width;
    if (r.norm() == 0 || (in_span && fault_ != Fault::no_rank_rule)) return y;
    q_.conservativeResize(Eigen::NoChange, q_.cols() + 1);
    b_.conservativeResize(Eigen::NoChange, b_.cols() + 1);
    q_.rightCols(1) = r.normalized();
    b_.rightCols(1) = column();
    return y + r.norm() * b_.rightCols(1);
  }

 private:
  Eigen::VectorXd column() {
    const double deviation = std::sqrt(2.0 / static_cast<double>(width));
    return deviation * Eigen::VectorXd(width).unaryExpr([&](double) { return normal_(engine_); });
  }

  Fault fault_;
  std::mt19937_64& engine_;
  std::normal_distribution<double> normal_;
  Eigen::MatrixXd q_ = Eigen::MatrixXd(width, 0), b_ = q_;
};

Moments moments(Fault fault, std::uint64_t networks) {
  const Eigen::MatrixXd data = faults::data();
  std::mt19937_64 engine(3);
  std::normal_distribution<double> normal(0, std::sqrt(1 / 6.0));
  Accumulator all;
  for (std::uint64_t network = 0; network < networks; ++network) {
    Products w(fault, engine);
    const Eigen::MatrixXd h =
        Eigen::MatrixXd(width, 6).unaryExpr([&](double) { return normal(engine); }) * data;
    Eigen::MatrixXd x(width, 18);
    for (Eigen::Index j = 0; j < 9; ++j) x.col(j) = w(h.col(j));
    for (Eigen::Index j = 0; j < 9; ++j) x.col(9 + j) = w(x.col(j).cwiseMax(0));
    all.add(x.transpose() * x / static_cast<double>(width));
  }
  return all.moments();
}

}  // namespace faults

TEST(ExactSampler, TheComparisonNoticesFaults) {
  using faults::Fault;
  const Moments dense = moments(faults::program(), Products::dense, faults::width, many);
  EXPECT_FALSE(differ(dense, moments(faults::program(), Products::exact, faults::width, many)));
  EXPECT_FALSE(differ(dense, faults::moments(Fault::none, many)));
  EXPECT_TRUE(differ(dense, faults::moments(Fault::independent_draws, many)));
  EXPECT_TRUE(differ(dense, faults::moments(Fault::one_pass, many)));
  EXPECT_TRUE(differ(dense, faults::moments(Fault::no_rank_rule, many)));
}

// The same for sums at once, Y = Σ_k W_k relu(U D) S_k. Columns 0 and 1 of Y are equal, or nearly, by columns
// of D that are. They are standardized alone, so that what their difference is decides their signs; kernel of
// both.
namespace sums {

constexpr Eigen::Index width = 8, columns = 6;
constexpr double epsilon = 1e-24;
const std::vector<std::vector<Eigen::Index>> shifts = {
    {0, 1, 2, 4, 5, 0}, {2, 3, 4, 5, 0, 1}, {4, 4, 5, 0, 1, 2}};

Eigen::MatrixXd data(double distance) {
  Eigen::MatrixXd result = testing::some_data(3, columns);
  result.col(1) = result.col(0) + distance * result.col(5);
  result.col(3) = result.col(2) + distance * result.col(4);
  return result;
}

netsor::Program program(double distance) {
  netsor::Builder b;
  const auto x = b.map(Activation::named("relu"), b.input(b.input_weight({"U", {}, 3, 1}), data(distance)));
  std::vector<netsor::Add::Term> terms;
  for (std::size_t k = 0; k < shifts.size(); ++k)
    terms.push_back({1, b.select(b.matmul(b.weight({"W" + std::to_string(k), {}, {}, 1}), x), shifts[k])});
  const auto y = b.add(terms);
  const auto steps = b.map(Activation::named("step"), b.standardize(y, {0, 0, 1, 1, 2, 2}, epsilon));
  b.output(b.readout({"v", 1}), {steps, y});
  return std::move(b).build();
}

enum class Fault { none, offset_left_out, copies_not_exact };

// Rows L of coordinates, L Lᵀ = G.
Eigen::MatrixXd factor(const Eigen::MatrixXd& x, Fault fault) {
  Eigen::MatrixXd gram = Eigen::MatrixXd::Zero(columns, columns), stacked(shifts.size() * width, columns);
  for (std::size_t k = 0; k < shifts.size(); ++k) {
    const Eigen::MatrixXd shifted = x(Eigen::all, shifts[k]) / std::sqrt(static_cast<double>(width));
    stacked.middleRows(static_cast<Eigen::Index>(k) * width, width) = shifted;
    if (k + 1 < shifts.size() || fault != Fault::offset_left_out) gram += shifted.transpose() * shifted;
  }
  if (fault == Fault::copies_not_exact) gram.diagonal() *= 1 + 1e-14;
  Eigen::MatrixXd l = Eigen::MatrixXd::Zero(columns, columns);
  for (Eigen::Index j = 0; j < columns; ++j) {
    if (j == 1 && fault != Fault::copies_not_exact && stacked.col(1) == stacked.col(0)) {
      l.row(1) = l.row(0);
      continue;
    }
    for (Eigen::Index i = 0; i < j; ++i) {
      if (l(i, i) > 0) l(j, i) = (gram(j, i) - l.row(j).head(i).dot(l.row(i).head(i))) / l(i, i);
    }
    l(j, j) = std::sqrt(std::max(0.0, gram(j, j) - l.row(j).head(j).squaredNorm()));
  }
  return l;
}

Moments moments(Fault fault, double distance, std::uint64_t networks) {
  std::mt19937_64 engine(3);
  std::normal_distribution<double> normal;
  const auto normals = [&](Eigen::Index rows, Eigen::Index count) -> Eigen::MatrixXd {
    return Eigen::MatrixXd(rows, count).unaryExpr([&](double) { return normal(engine); });
  };
  Accumulator all;
  for (std::uint64_t network = 0; network < networks; ++network) {
    const Eigen::MatrixXd x = (normals(width, 3) * data(distance) / std::sqrt(3.0)).cwiseMax(0);
    const Eigen::MatrixXd y = normals(width, columns) * factor(x, fault).transpose();
    Eigen::MatrixXd steps(width, columns);
    for (Eigen::Index j = 0; j < columns; j += 2) {
      const Eigen::VectorXd mean = (y.col(j) + y.col(j + 1)) / 2;
      steps.col(j) = ((y.col(j) - mean).array() > 0).cast<double>();
      steps.col(j + 1) = ((y.col(j + 1) - mean).array() > 0).cast<double>();
    }
    all.add((steps.transpose() * steps + y.transpose() * y) / static_cast<double>(2 * width));
  }
  return all.moments();
}

}  // namespace sums

TEST(ExactSampler, TheComparisonNoticesFaultsOfSums) {
  using sums::Fault;
  const auto plan =
      empirical::schedule(sums::program(0), sums::width, Products::exact, empirical::Precision::float64);
  ASSERT_EQ(plan.sums.size(), 1U);
  const Moments dense = moments(sums::program(0), Products::dense, sums::width, many);
  EXPECT_FALSE(differ(dense, moments(sums::program(0), Products::exact, sums::width, many)));
  EXPECT_FALSE(differ(dense, sums::moments(Fault::none, 0, many)));
  EXPECT_TRUE(differ(dense, sums::moments(Fault::offset_left_out, 0, many)));
  EXPECT_TRUE(differ(dense, sums::moments(Fault::copies_not_exact, 0, many)));
}

// The squares of these distances are lost in a Gram matrix.
TEST(ExactSampler, TellsNearlyEqualColumnsApart) {
  using sums::Fault;
  const netsor::Program program = sums::program(1e-8);
  const Moments dense = moments(program, Products::dense, sums::width, many);
  EXPECT_FALSE(differ(dense, moments(program, Products::exact, sums::width, many)));
  EXPECT_FALSE(differ(dense, sums::moments(Fault::none, 1e-3, many)))
      << "the law hardly depends on the distance";
  EXPECT_TRUE(differ(dense, sums::moments(Fault::none, 1e-8, many))) << "a pivot that is rounding";
}

}  // namespace
}  // namespace nngpcheck
