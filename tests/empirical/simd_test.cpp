// The inner loops of every instruction set that this processor runs.
#include "nngpcheck/empirical/random/simd.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "nngpcheck/empirical/exact/inner_products.hpp"
#include "tests/empirical/programs.hpp"

namespace nngpcheck::empirical {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

Rows<double> rows(MatrixXd& m) {
  return {m.data(), static_cast<std::size_t>(m.rows()), static_cast<std::size_t>(m.cols())};
}

TEST(Simd, CombinesAndMultipliesRows) {
  for (const Simd* const* path = simd_available(); *path; ++path) {
    for (const Index inner : {1, 7, 37, 64, 130}) {
      for (const Index k : {1, 3, 9}) {
        for (const Index m : {1, 2, 3, 4, 5, 7, 9}) {
          MatrixXd b = testing::some_data(inner, k), c = testing::some_data(k, m);
          const MatrixXd start = testing::some_data(inner, m);
          MatrixXd y = start;
          (*path)->combine(rows(c), rows(b), static_cast<std::size_t>(inner), rows(y));
          EXPECT_LT((y - (start + b * c)).cwiseAbs().maxCoeff(), 1e-12) << (*path)->name;
          MatrixXd x = start, dots = MatrixXd::Ones(k, m);
          (*path)->multiply(rows(b), rows(x), static_cast<std::size_t>(inner), rows(dots));
          EXPECT_LT((dots - (MatrixXd::Ones(k, m) + b.transpose() * x)).cwiseAbs().maxCoeff(), 1e-11);
        }
      }
    }
  }
}

TEST(InnerProducts, AreThoseOfEigen) {
  for (const Index n : {1, 100, 3000}) {
    MatrixXd x = testing::some_data(n, 37), y = testing::some_data(n, 5);
    const auto inner = static_cast<std::size_t>(n);
    const MatrixXd expected = x.transpose() * y, gram = inner_products(rows(x), rows(x), inner);
    EXPECT_LT((inner_products(rows(x), rows(y), inner) - expected).cwiseAbs().maxCoeff(),
              1e-14 * static_cast<double>(n) * expected.cwiseAbs().maxCoeff());
    EXPECT_LT((gram - x.transpose() * x).cwiseAbs().maxCoeff(), 1e-14 * static_cast<double>(n) * gram(0, 0));
    EXPECT_EQ(gram, gram.transpose());
  }
}

// Against the standard library, from denormals to where erf is 1; the same bits on every path and at every
// place.
TEST(Simd, ErfIsAccurate) {
  std::vector<double> x;
  for (double v = -7; v < 7; v += 1e-3) x.push_back(v);
  for (double v = 1e-300; v < 1; v *= 1.7) x.insert(x.end(), {v, -v});
  std::vector<double> first;
  for (const Simd* const* path = simd_available(); *path; ++path) {
    std::vector<double> y(x.size());
    (*path)->erf(x.data(), x.size(), 1, 0, y.data());
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double expected = std::erf(x[i]);
      EXPECT_LE(std::abs(y[i] - expected), 4e-16 * std::abs(expected)) << x[i] << " " << (*path)->name;
      double alone = x[i];
      (*path)->erf(&alone, 1, 1, 0, &alone);
      EXPECT_EQ(alone, y[i]);
    }
    if (first.empty()) first = y;
    EXPECT_EQ(y, first) << (*path)->name;
  }
}

TEST(Simd, ErfOfSpecialNumbers) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const Simd* const* path = simd_available(); *path; ++path) {
    double x[] = {infinity, -infinity, 0, 1e308, std::nan("")};
    (*path)->erf(x, 5, 0.5, 0.5, x);
    EXPECT_EQ(x[0], 1);
    EXPECT_EQ(x[1], 0);
    EXPECT_EQ(x[2], 0.5);
    EXPECT_EQ(x[3], 1);
    EXPECT_TRUE(std::isnan(x[4]));
  }
}

}  // namespace
}  // namespace nngpcheck::empirical
