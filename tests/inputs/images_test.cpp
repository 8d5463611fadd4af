#include "nngpcheck/inputs/images.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace nngpcheck::inputs {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

ImageSettings settings(Index count, Index channels, std::vector<Index> size, std::uint64_t seed = 0) {
  return {count, channels, std::move(size), seed};
}

TEST(Images, HaveMeanZeroAndVarianceOne) {
  for (const ImageSettings& s :
       {settings(20, 3, {8, 8}), settings(20, 1, {4}), settings(5, 2, {3, 4, 5}), settings(5, 1, {32, 32})}) {
    const MatrixXd images = synthetic_images(s);
    ASSERT_TRUE(images.allFinite());
    for (Index i = 0; i < images.cols(); ++i) {
      EXPECT_NEAR(images.col(i).mean(), 0, 1e-6);
      EXPECT_NEAR(images.col(i).squaredNorm() / static_cast<double>(images.rows()), 1, 3e-6);
    }
  }
}

TEST(Images, AreMultiplesThatFloat32Holds) {
  const MatrixXd images = synthetic_images(settings(10, 3, {8, 8}));
  EXPECT_EQ(images.cast<float>().cast<double>(), images);
  EXPECT_EQ((images * 0x1p20).array().round().matrix(), images * 0x1p20);
}

/// Correlation of neighbours along both axes, over all pixels of an 8×8 image (whose mean is 0).
double neighbour_correlation(const VectorXd& image, Index channels) {
  double products = 0, squares = 0;
  for (Index c = 0; c < channels; ++c) {
    const MatrixXd plane = image.segment(c * 64, 64).reshaped(8, 8);
    products += plane.topRows(7).cwiseProduct(plane.bottomRows(7)).sum() +
                plane.leftCols(7).cwiseProduct(plane.rightCols(7)).sum();
    squares += (plane.topRows(7).squaredNorm() + plane.bottomRows(7).squaredNorm() +
                plane.leftCols(7).squaredNorm() + plane.rightCols(7).squaredNorm()) /
               2;
  }
  return products / squares;
}

TEST(Images, AreSmooth) {
  const MatrixXd images = synthetic_images(settings(64, 3, {8, 8}));
  for (Index i = 0; i < 64; ++i) EXPECT_GT(neighbour_correlation(images.col(i), 3), 0.5) << i;
}

TEST(Images, HaveChannelsAlike) {
  const MatrixXd images = synthetic_images(settings(64, 2, {8, 8}));
  const MatrixXd first = images.topRows(64), second = images.bottomRows(64);
  EXPECT_GT(first.cwiseProduct(second).sum() / (first.norm() * second.norm()), 0.5);
  EXPECT_NE(first, second);
}

TEST(Images, Differ) {
  const MatrixXd images = synthetic_images(settings(64, 3, {8, 8}));
  for (Index i = 0; i < 64; ++i) {
    for (Index j = 0; j < i; ++j) EXPECT_LT(images.col(i).dot(images.col(j)) / 192, 0.99) << i << " " << j;
  }
  EXPECT_NE(synthetic_images(settings(1, 3, {8, 8}, 1)), images.col(0));
  EXPECT_NE(synthetic_images(settings(1, 3, {8, 8}, std::uint64_t{1} << 32)), images.col(0));
}

TEST(Images, DoNotDependOnHowManyThereAre) {
  EXPECT_EQ(synthetic_images(settings(7, 3, {8, 8})).leftCols(2), synthetic_images(settings(2, 3, {8, 8})));
}

/// From an implementation of the definition in Python, generator included.
TEST(Images, AreAsDefined) {
  const MatrixXd grey{{-523129, 1091350}, {-1251539, -1208404}, {1588514, -874187}, {186154, 991241}};
  EXPECT_EQ(synthetic_images(settings(2, 1, {2, 2}, 3)) * 0x1p20, grey);
  const VectorXd colour{{-1170285, 743831, 553518, 1113050, -2233687, 346218, 391561, 255794}};
  EXPECT_EQ(synthetic_images(settings(3, 2, {2, 2}, 7)).col(2) * 0x1p20, colour);
}

}  // namespace
}  // namespace nngpcheck::inputs
