// Products with a Gaussian matrix that is never drawn.
#include "empirical/exact_product.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <boost/math/distributions/normal.hpp>
#include <random>

namespace nngpcheck::empirical {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double deviation = 1.3;

class Product {
 public:
  Product(Index rows, Index columns, Index uses, std::uint64_t seed = 1)
      : rows_(rows),
        columns_(columns),
        storage_(static_cast<std::size_t>(ExactProduct::storage_size(rows, columns, uses))),
        product_(storage_.data(), rows, columns, uses, NormalStream(seed, columns, 0, "W"), deviation) {}

  VectorXd operator()(const VectorXd& x) {
    VectorXd y(rows_);
    product_.apply(x.data(), y.data());
    return y;
  }
  MatrixXd columns(const MatrixXd& x) {
    MatrixXd y(rows_, x.cols());
    for (Index j = 0; j < x.cols(); ++j) y.col(j) = (*this)(x.col(j));
    return y;
  }
  Index rank() const { return product_.rank(); }
  double orthogonality() const {
    const Eigen::Map<const MatrixXd> q(product_.basis(), columns_, rank());
    return (q.transpose() * q - MatrixXd::Identity(rank(), rank())).cwiseAbs().maxCoeff();
  }

 private:
  Index rows_, columns_;
  std::vector<double> storage_;
  ExactProduct product_;
};

MatrixXd random_columns(Index rows, Index columns, unsigned seed) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal;
  return MatrixXd(rows, columns).unaryExpr([&](double) { return normal(engine); });
}

TEST(ExactProduct, BasisStaysOrthonormal) {
  const Index n = 200, m = 40;
  const MatrixXd independent = random_columns(n, m, 1);
  MatrixXd collinear(n, m), krylov(n, m);  // one direction up to 1e-7; powers of a matrix
  const MatrixXd map = random_columns(n, n, 2) / 10;
  krylov.col(0) = independent.col(0);
  for (Index j = 0; j < m; ++j) {
    collinear.col(j) = independent.col(0) + 1e-7 * independent.col(j);
    if (j > 0) krylov.col(j) = map * krylov.col(j - 1);
  }
  for (const MatrixXd& x : {independent, collinear, krylov}) {
    Product product(n, n, m);
    product.columns(x);
    EXPECT_EQ(product.rank(), m);
    EXPECT_LE(product.orthogonality(), 1e-13);
  }
}

TEST(ExactProduct, ProductsAreThoseOfOneMatrix) {
  const MatrixXd x = random_columns(50, 3, 3);
  Product product(20, 50, 6);
  const MatrixXd y = product.columns(x);
  EXPECT_EQ(product.rank(), 3);
  EXPECT_LT((product(x.col(1)) - y.col(1)).cwiseAbs().maxCoeff(), 1e-13);
  EXPECT_LT((product(2 * x.col(0) - x.col(2)) - (2 * y.col(0) - y.col(2))).cwiseAbs().maxCoeff(), 1e-13);
  EXPECT_TRUE(product(VectorXd::Zero(50)).isZero(0));
  EXPECT_EQ(product.rank(), 3) << "nothing new was asked for";
  EXPECT_GT((product(random_columns(50, 1, 4)) - y.col(0)).cwiseAbs().maxCoeff(), 0.1);
  EXPECT_EQ(product.rank(), 4);
}

TEST(ExactProduct, MoreUsesThanColumnsSaturate) {
  Product product(5, 4, 10);
  const MatrixXd x = random_columns(4, 10, 5);
  const MatrixXd y = product.columns(x);
  EXPECT_EQ(product.rank(), 4);
  const MatrixXd w = y.leftCols(4) * x.leftCols(4).inverse();
  EXPECT_LT((w * x - y).cwiseAbs().maxCoeff(), 1e-11);
}

// Of the products with fixed arguments: E[y_i y_jᵀ] = deviation² x_iᵀx_j I, for dependent arguments too.
TEST(ExactProduct, ProductsHaveTheCovarianceOfAGaussianMatrix) {
  const Index n = 6, m = 4;
  MatrixXd x = random_columns(n, m, 6);
  x.col(3) = x.col(0) + 0.01 * x.col(1);
  const int networks = 20000;
  MatrixXd sum = MatrixXd::Zero(2 * m, 2 * m), squares = sum;
  for (int network = 0; network < networks; ++network) {
    const MatrixXd y = Product(2, n, m, static_cast<std::uint64_t>(network)).columns(x);
    const VectorXd flat = y.reshaped();
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
  EXPECT_LT(worst(expected), allowed);
  EXPECT_GT(worst(1.15 * expected), allowed);
}

TEST(Simd, CombineAddsRows) {
  const Index inner = 37;
  for (const Simd* const* path = simd_available(); *path; ++path) {
    for (const Index rows : {1, 2, 3, 8, 9, 19}) {
      const MatrixXd w = random_columns(inner, rows, 7);
      const VectorXd c = random_columns(rows, 1, 8);
      const VectorXd start = random_columns(inner, 1, 9);
      VectorXd y = start;
      (*path)->combine(w.data(), static_cast<std::size_t>(rows), static_cast<std::size_t>(inner), c.data(),
                       y.data());
      EXPECT_LT((y - (start + w * c)).cwiseAbs().maxCoeff(), 1e-13) << (*path)->name << " " << rows;
    }
  }
}

}  // namespace
}  // namespace nngpcheck::empirical
