// Which sums of products are found, and their coordinates.
#include "nngpcheck/empirical/interpreter/product_sums.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <random>

#include "nngpcheck/empirical/exact/inner_products.hpp"
#include "nngpcheck/empirical/exact/summed_products.hpp"
#include "nngpcheck/netsor/builder.hpp"
#include "tests/empirical/programs.hpp"

namespace nngpcheck::empirical {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using netsor::Builder;
using netsor::BundleId;

std::vector<ProductSum> sums_of(Builder& b, BundleId output) {
  b.output(b.readout({"v", 1}), output);
  const netsor::Program program = std::move(b).build();
  return product_sums(program, std::vector<bool>(program.nodes().size(), true));
}

MatrixXd constant(const ProductTerm& term) { return *std::get<netsor::SharedSparse>(term.matrices.front()); }

class ProductSums : public ::testing::Test {
 protected:
  BundleId product(const std::string& name) { return b.matmul(b.weight({name, {}, {}, 1.0}), x); }
  BundleId finish(BundleId sum) { return b.map(netsor::Activation::named("relu"), sum); }

  Builder b;
  BundleId g = b.input(b.input_weight({"U", {}, 3, 1.0}), testing::some_data(3, 4));
  BundleId x = b.map(netsor::Activation::named("tanh"), g);
};

// U D is one, too.
TEST_F(ProductSums, MultiplyMatricesOnTheWay) {
  const BundleId inner = b.add({{2, b.select(product("A"), {3, 2, 1, 0})}, {-1, product("B")}});
  const auto sums = sums_of(b, finish(b.select(inner, {0, 0, 1})));
  ASSERT_EQ(sums.size(), 2U);
  EXPECT_TRUE(sums[0].of_inputs());
  const ProductSum& sum = sums[1];
  ASSERT_EQ(sum.terms.size(), 2U);
  MatrixXd first = MatrixXd::Zero(4, 3), second = first;
  first(3, 0) = first(3, 1) = first(2, 2) = 2;
  second(0, 0) = second(0, 1) = second(1, 2) = -1;
  EXPECT_EQ(constant(sum.terms[0]), first);
  EXPECT_EQ(constant(sum.terms[1]), second);
  EXPECT_EQ(sum.terms[0].bundle, x);
  EXPECT_TRUE(sum.rest.empty());
}

TEST_F(ProductSums, LeaveOtherTermsAlone) {
  const BundleId bias = b.column(b.bias({"b", {}, 0.4}));
  const auto sums = sums_of(b, finish(b.add({{3, product("A")}, {1, bias}, {1, product("B")}, {2, x}})));
  ASSERT_EQ(sums.size(), 2U);
  EXPECT_EQ(sums[1].terms.size(), 2U);
  EXPECT_EQ(constant(sums[1].terms[0]), 3 * MatrixXd::Identity(4, 4));
  EXPECT_THAT(sums[1].rest,
              ::testing::UnorderedElementsAre(netsor::Add::Term{1, bias}, netsor::Add::Term{2, x}));
}

TEST_F(ProductSums, KeepTablesInOrder) {
  const auto sums = sums_of(b, finish(b.mix(b.select(product("A"), {1, 1, 2, 3}), b.gram(x, x))));
  ASSERT_EQ(sums.size(), 2U);
  const ProductTerm& term = sums[1].terms[0];
  ASSERT_EQ(term.matrices.size(), 2U);
  EXPECT_EQ(constant(term).col(1), Eigen::Vector4d(0, 1, 0, 0));
  EXPECT_TRUE(std::holds_alternative<netsor::LinearTerm::Table>(term.matrices[1]));
}

TEST_F(ProductSums, LookThroughMixesThatMakeNoFewerColumns) {
  const auto weight = [&](const char* name) { return b.weight({name, {}, {}, 1.0}); };
  const BundleId more = b.matmul(weight("A"), b.select(x, {0, 1, 2, 3, 0}));
  const BundleId fewer = b.matmul(weight("B"), b.select(x, {0}));
  const auto sums = sums_of(b, finish(b.add(more, fewer)));
  ASSERT_EQ(sums.size(), 2U);
  EXPECT_EQ(sums[1].terms[0].bundle, x);
  EXPECT_EQ(constant(sums[1].terms[0]).rows(), 4);
  EXPECT_NE(sums[1].terms[1].bundle, x);
  EXPECT_EQ(constant(sums[1].terms[1]), MatrixXd::Ones(1, 5)) << "one column is broadcast";
}

// A weight that is used twice, and products that something else reads, are no part of a sum.
TEST_F(ProductSums, AreOfProductsThatNothingElseReads) {
  const auto tied = b.weight({"A", {}, {}, 1.0});
  const BundleId once = product("C"), read_twice = product("B");
  const BundleId sum = b.add({{1, b.matmul(tied, x)}, {1, b.matmul(tied, g)}, {1, once}, {1, read_twice}});
  const auto sums = sums_of(b, finish(b.mul(sum, read_twice)));
  std::vector<std::size_t> sizes;
  for (const ProductSum& found : sums) {
    if (!found.of_inputs()) sizes.push_back(found.terms.size());
  }
  ASSERT_EQ(sizes, (std::vector<std::size_t>{1, 1})) << "B alone, and C";
  EXPECT_EQ(sums.back().rest.size(), 3U);
}

// W₂ W₁ x: two weights in a row are two products.
TEST_F(ProductSums, EndAtWeights) {
  const BundleId first = product("A");
  const auto sums = sums_of(b, b.matmul(b.weight({"B", {}, {}, 1.0}), first));
  ASSERT_EQ(sums.size(), 3U);
  EXPECT_EQ(sums[2].terms[0].bundle, first);
}

// ---- Coordinates ----

MatrixXd random_columns(Index rows, Index columns, unsigned seed) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal;
  return MatrixXd(rows, columns).unaryExpr([&](double) { return normal(engine); });
}

Copies all_different(Index columns) {
  Copies result;
  for (Index j = 0; j < columns; ++j) result.push_back(j);
  return result;
}

TEST(GramFactor, HasTheGramMatrix) {
  for (const Index m : {1, 3, 4, 5, 17, 60}) {
    const MatrixXd x = random_columns(70, m, 1), gram = x.transpose() * x;
    const auto c = gram_factor(gram, all_different(m));
    ASSERT_TRUE(c);
    EXPECT_LE((c->transpose() * *c - gram).cwiseAbs().maxCoeff(), 1e-12);
    EXPECT_TRUE(c->isUpperTriangular(0));
  }
}

TEST(GramFactor, OfCopiesIsExact) {
  MatrixXd x = random_columns(9, 5, 1);
  x.col(3) = x.col(1);
  x.col(2).setZero();
  const MatrixXd gram = x.transpose() * x;
  const auto c = gram_factor(gram, {0, 1, zero, 1, 4});
  ASSERT_TRUE(c);
  EXPECT_EQ(c->rows(), 3);
  EXPECT_EQ(c->col(3), c->col(1));
  EXPECT_TRUE(c->col(2).isZero(0));
  EXPECT_LE((c->transpose() * *c - gram).cwiseAbs().maxCoeff(), 1e-14);
  EXPECT_FALSE(gram_factor(gram, {0, 1, zero, 3, 4})) << "nobody says that they are equal";
}

TEST(GramFactor, RefusesWhatItCannotTell) {
  MatrixXd x = random_columns(50, 4, 1);
  const MatrixXd other = random_columns(50, 1, 2);
  const auto factor = [&](double distance) {
    x.col(3) = 2 * x.col(0) + x.col(1) + distance * other;
    return gram_factor(x.transpose() * x, all_different(4));
  };
  EXPECT_TRUE(factor(1e-3));
  EXPECT_FALSE(factor(1e-6));
  EXPECT_FALSE(factor(0));
  x.col(3).setConstant(std::numeric_limits<double>::quiet_NaN());
  EXPECT_FALSE(gram_factor(x.transpose() * x, all_different(4)));
}

TEST(EqualColumns, AreFoundToTheLastBit) {
  MatrixXd x = random_columns(33, 6, 1);
  x.col(2) = x.col(0);
  x.col(3) = x.col(0);
  x(32, 3) = std::nextafter(x(32, 3), 9.0);
  x.col(4).setZero();
  x.col(5).setZero();
  const Rows<const double> rows{x.data(), 33, 6};
  EXPECT_EQ(equal_columns(rows, 33, inner_products(rows, rows, 33)), (Copies{0, 1, 0, 3, zero, zero}));
}

// Of (X₁ M₁; X₂ M₂): shifts, a dense matrix, copies by equal columns and by equal combinations.
TEST(SummedCoordinates, HaveTheSummedGramMatrix) {
  const Index n = 40;
  MatrixXd x = random_columns(n, 6, 1), y = random_columns(n, 5, 2);
  x.col(4) = x.col(1);
  MatrixXd shift = MatrixXd::Zero(6, 7), dense = random_columns(5, 7, 3);
  for (Index j = 0; j < 6; ++j) shift(5 - j, j) = 1;
  shift(2, 6) = -3;
  dense.col(4) = dense.col(1);  // column 1 reads x_4, column 4 reads x_1
  const netsor::SparseMatrix m = shift.sparseView(), l = dense.sparseView();
  const auto copies = [n](const MatrixXd& of, const MatrixXd& gram) {
    return equal_columns({of.data(), static_cast<std::size_t>(n), static_cast<std::size_t>(of.cols())},
                         static_cast<std::size_t>(n), gram);
  };
  const MatrixXd gram_x = x.transpose() * x, gram_y = y.transpose() * y;
  const Copies copies_x = copies(x, gram_x), copies_y = copies(y, gram_y);
  const std::vector<SummedProduct> products = {{1.5, gram_x, copies_x, m}, {0.5, gram_y, copies_y, l}};
  const auto c = summed_coordinates(products);
  ASSERT_TRUE(c);
  const MatrixXd expected =
      2.25 * shift.transpose() * gram_x * shift + 0.25 * dense.transpose() * gram_y * dense;
  EXPECT_LE((c->transpose() * *c - expected).cwiseAbs().maxCoeff(), 1e-11);
  EXPECT_EQ(c->rows(), 6);
  EXPECT_EQ(c->col(4), c->col(1));
  const auto without = summed_coordinates({products[0], {0, gram_y, copies_y, l}});
  ASSERT_FALSE(without) << "column 6 is −3 times column 3";
}

}  // namespace
}  // namespace nngpcheck::empirical
