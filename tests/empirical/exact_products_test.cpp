// Products with a Gaussian matrix that is never drawn.
#include "nngpcheck/empirical/exact/exact_products.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <boost/math/distributions/normal.hpp>
#include <random>

#include "nngpcheck/empirical/exact/inner_products.hpp"

namespace nngpcheck::empirical {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double deviation = 1.3;
constexpr Coordinates::Rules always_formed{.most_cancellation = 0, .gram_schmidt = {}};

Rows<const double> columns_of(const MatrixXd& x) {
  return {x.data(), static_cast<std::size_t>(x.rows()), static_cast<std::size_t>(x.cols())};
}

std::vector<double> room(Index dimension, Index uses) {
  return std::vector<double>(static_cast<std::size_t>(GramSchmidt::storage_size(dimension, uses)));
}

MatrixXd random_columns(Index rows, Index columns, unsigned seed) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal;
  return MatrixXd(rows, columns).unaryExpr([&](double) { return normal(engine); });
}

// One direction up to `spread`; powers of a matrix; copies and multiples.
MatrixXd collinear(Index n, Index m, double spread) {
  const MatrixXd independent = random_columns(n, m, 1);
  return (spread * independent).colwise() + independent.col(0);
}
MatrixXd krylov(Index n, Index m) {
  const MatrixXd map = random_columns(n, n, 2) / 10;
  MatrixXd result(n, m);
  result.col(0) = random_columns(n, 1, 1);
  for (Index j = 1; j < m; ++j) result.col(j) = map * result.col(j - 1);
  return result;
}
MatrixXd repeated(Index n, Index m) {
  MatrixXd result = random_columns(n, m, 3);
  for (Index j = 2; j < m; j += 3) result.col(j) = result.col(j - 2);
  result.col(1) = 3 * result.col(0);
  result.col(m - 1).setZero();
  return result;
}

TEST(GramSchmidt, BasisStaysOrthonormal) {
  const Index n = 200, m = 40;
  for (const MatrixXd& x : {random_columns(n, m, 1), collinear(n, m, 1e-7), collinear(n, m, 1e-12),
                            krylov(n, m), repeated(n, m), random_columns(20, m, 4)}) {
    auto storage = room(x.rows(), m);
    GramSchmidt basis(storage.data(), x.rows(), m, {});
    for (Index j = 0; j < m; ++j) basis.coordinates(x.col(j).data());
    const MatrixXd gram = inner_products(basis.basis(), basis.basis(), static_cast<std::size_t>(x.rows()));
    EXPECT_LE((gram - MatrixXd::Identity(gram.rows(), gram.rows())).cwiseAbs().maxCoeff(), 1e-13);
  }
}

TEST(GramSchmidt, NeedsItsRules) {
  const Index n = 200, m = 40;
  const auto orthogonality = [&](const MatrixXd& x, const GramSchmidt::Rules& rules) {
    auto storage = room(n, m);
    GramSchmidt basis(storage.data(), n, m, rules);
    for (Index j = 0; j < m; ++j) basis.coordinates(x.col(j).data());
    const MatrixXd gram = inner_products(basis.basis(), basis.basis(), static_cast<std::size_t>(n));
    return (gram - MatrixXd::Identity(gram.rows(), gram.rows())).cwiseAbs().maxCoeff();
  };
  EXPECT_GT(orthogonality(collinear(n, m, 1e-12), {.enough = 0}), 1e-4) << "one pass";
  EXPECT_LE(orthogonality(repeated(n, m), {}), 1e-13);
  const MatrixXd x = repeated(n, m);
  const auto rank = [&](const GramSchmidt::Rules& rules) {
    auto storage = room(n, m);
    GramSchmidt basis(storage.data(), n, m, rules);
    for (Index j = 0; j < m; ++j) basis.coordinates(x.col(j).data());
    return basis.rank();
  };
  EXPECT_LT(rank({}), m - m / 3);
  EXPECT_GT(rank({.negligible = 0}), rank({})) << "rounding errors become directions";
}

// CᵀC = XᵀX, and rounding alone tells the two ways apart; a bundle at once or column by column.
TEST(Coordinates, AreThoseOfAnOrthonormalBasis) {
  const Index n = 200, m = 24;
  const auto coordinates = [&](const MatrixXd& x, Index step, const Coordinates::Rules& rules) {
    auto storage = room(x.rows(), m);
    Coordinates all(storage.data(), x.rows(), m, rules);
    MatrixXd result = MatrixXd::Zero(m, m);
    for (Index j = 0; j < m; j += step) {
      const MatrixXd c = all.of(columns_of(x.middleCols(j, step)));
      EXPECT_EQ(c.rows(), all.rank());
      result.block(0, j, c.rows(), step) = c;
    }
    return result;
  };
  for (const MatrixXd& x : {random_columns(n, m, 1), collinear(n, m, 0.1), collinear(n, m, 1e-3),
                            collinear(n, m, 1e-9), krylov(n, m), repeated(n, m), random_columns(10, m, 4)}) {
    const MatrixXd formed = coordinates(x, 1, always_formed);
    const VectorXd norm = x.colwise().norm().cwiseMax(1e-300).cwiseInverse();
    for (const Index step : {Index{1}, Index{4}, m}) {
      const MatrixXd c = coordinates(x, step, {});
      const MatrixXd difference = c.transpose() * c - x.transpose() * x;
      EXPECT_LE((norm.asDiagonal() * difference * norm.asDiagonal()).cwiseAbs().maxCoeff(), 1e-13);
      // A remainder's relative error is its norm's, times the square of what has cancelled.
      EXPECT_LE(((c - formed) * norm.asDiagonal()).cwiseAbs().maxCoeff(), 1e-10);
    }
  }
}

TEST(Coordinates, OfCopiesAreTheirs) {
  const MatrixXd x = repeated(50, 6);
  auto storage = room(50, 6);
  Coordinates all(storage.data(), 50, 6, {});
  const MatrixXd c = all.of(columns_of(x));
  EXPECT_EQ(c.col(2), c.col(0));
  EXPECT_TRUE(c.col(5).isZero(0));
  EXPECT_EQ(all.rank(), 3);  // x_1 is a multiple of x_0, x_2 and x_5 are no new ones either
}

class Product {
 public:
  Product(Index rows, Index columns, Index uses, std::uint64_t seed = 1, Index switch_rank = 1000,
          const Coordinates::Rules& rules = {}, bool once = false)
      : rows_(rows),
        basis_(room(columns, uses)),
        images_(static_cast<std::size_t>(rows * std::min(uses, columns))),
        matrix_(static_cast<std::size_t>(rows * columns)),
        products_({columns, uses, once, switch_rank, rules}, basis_.data(),
                  {{NormalStream(seed, columns, 0, "W"), rows, deviation, once ? nullptr : images_.data(),
                    matrix_.data()}}) {}

  MatrixXd operator()(const MatrixXd& x) {
    MatrixXd y(rows_, x.cols());
    products_.apply(0, argument_++, columns_of(x),
                    {y.data(), static_cast<std::size_t>(rows_), static_cast<std::size_t>(x.cols())});
    return y;
  }
  MatrixXd one_by_one(const MatrixXd& x) {
    MatrixXd y(rows_, x.cols());
    for (Index j = 0; j < x.cols(); ++j) y.col(j) = (*this)(x.col(j));
    return y;
  }

 private:
  Index rows_;
  std::vector<double> basis_, images_, matrix_;
  ExactProducts products_;
  std::size_t argument_ = 0;
};

TEST(ExactProducts, AreThoseOfOneMatrix) {
  const MatrixXd x = random_columns(50, 3, 3);
  for (const auto& rules : {Coordinates::Rules{}, always_formed}) {
    for (const Index switch_rank : {1, 2, 1000}) {
      Product product(20, 50, 6, 1, switch_rank, rules);
      const MatrixXd y = product.one_by_one(x);
      EXPECT_LT((product(x.col(1)) - y.col(1)).cwiseAbs().maxCoeff(), 1e-13);
      EXPECT_LT((product(2 * x.col(0) - x.col(2)) - (2 * y.col(0) - y.col(2))).cwiseAbs().maxCoeff(), 1e-12);
      EXPECT_TRUE(product(VectorXd::Zero(50)).isZero(0));
      EXPECT_GT((product(random_columns(50, 1, 4)) - y.col(0)).cwiseAbs().maxCoeff(), 0.1);
    }
  }
}

TEST(ExactProducts, MoreUsesThanColumnsSaturate) {
  const MatrixXd x = random_columns(4, 10, 5);
  for (const Index switch_rank : {3, 1000}) {
    const MatrixXd y = Product(5, 4, 10, 1, switch_rank).one_by_one(x);
    const MatrixXd w = y.leftCols(4) * x.leftCols(4).inverse();
    EXPECT_LT((w * x - y).cwiseAbs().maxCoeff(), 1e-11);
  }
}

// Weights with the same arguments share a basis and nothing else.
TEST(ExactProducts, OfSeveralWeights) {
  const Index n = 12;
  auto basis = room(n, 4);
  std::vector<double> images(2 * 4 * n);
  const NormalStream one(1, n, 0, "one"), two(1, n, 0, "two");
  ExactProducts both({n, 4, false, 5}, basis.data(),
                     {{one, n, 1, images.data(), nullptr}, {two, n, 1, images.data() + 4 * n, nullptr}});
  const MatrixXd x = random_columns(n, 4, 6);
  MatrixXd y(n, 4), z(n, 4);
  const auto rows = [&](MatrixXd& m, Index first) {
    return Rows<double>{m.col(first).data(), static_cast<std::size_t>(n), 2};
  };
  both.apply(0, 7, columns_of(x.leftCols(2)), rows(y, 0));
  both.apply(0, 9, columns_of(x.rightCols(2)), rows(y, 2));
  both.apply(1, 7, columns_of(x.leftCols(2)), rows(z, 0));
  both.apply(1, 9, columns_of(x.rightCols(2)), rows(z, 2));
  auto alone_basis = room(n, 4);
  ExactProducts alone({n, 4, false, 5}, alone_basis.data(), {{two, n, 1, images.data(), nullptr}});
  MatrixXd expected(n, 4);
  alone.apply(0, 1, columns_of(x.leftCols(2)), rows(expected, 0));
  alone.apply(0, 2, columns_of(x.rightCols(2)), rows(expected, 2));
  EXPECT_EQ(z, expected);
  EXPECT_GT((y - z).cwiseAbs().maxCoeff(), 0.1);
}

// E[y_i y_jᵀ] = deviation² x_iᵀx_j I for fixed arguments, whatever the way there.
TEST(ExactProducts, HaveTheCovarianceOfAGaussianMatrix) {
  const Index n = 6, m = 4;
  MatrixXd x = random_columns(n, m, 6);
  x.col(3) = x.col(0) + 0.01 * x.col(1);
  const int networks = 20000;
  struct Way {
    const char* name;
    Index switch_rank;
    Coordinates::Rules rules;
    bool once;
  };
  for (const Way& way : {Way{"kept", 9, {}, false}, Way{"formed", 9, always_formed, false},
                         Way{"once", 9, {}, true}, Way{"by the matrix", 2, {}, false}}) {
    MatrixXd sum = MatrixXd::Zero(2 * m, 2 * m), squares = sum;
    for (int network = 0; network < networks; ++network) {
      Product product(2, n, m, static_cast<std::uint64_t>(network), way.switch_rank, way.rules, way.once);
      const VectorXd flat = (way.once ? product(x) : product.one_by_one(x)).reshaped();
      const MatrixXd outer = flat * flat.transpose();
      sum += outer;
      squares += outer.cwiseAbs2();
    }
    MatrixXd expected = MatrixXd::Zero(2 * m, 2 * m);
    for (Index i = 0; i < m; ++i) {
      for (Index j = 0; j < m; ++j) {
        expected.block(2 * i, 2 * j, 2, 2)
            .diagonal()
            .setConstant(deviation * deviation * x.col(i).dot(x.col(j)));
      }
    }
    const double allowed = boost::math::quantile(boost::math::normal(), 1 - 1e-6 / (4.0 * m * m));
    const auto worst = [&](const MatrixXd& truth) {
      const MatrixXd mean = sum / networks;
      const MatrixXd error = ((squares / networks - mean.cwiseAbs2()) / networks).cwiseSqrt();
      return ((mean - truth).array() / error.array()).abs().maxCoeff();
    };
    EXPECT_LT(worst(expected), allowed) << way.name;
    EXPECT_GT(worst(1.15 * expected), allowed) << way.name;
  }
}

}  // namespace
}  // namespace nngpcheck::empirical
