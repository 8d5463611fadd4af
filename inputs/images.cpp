#include "nngpcheck/inputs/images.hpp"

#include <cmath>
#include <numbers>
#include <random>

namespace nngpcheck::inputs {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr Index waves = 4;
constexpr double highest_frequency = 0.75;
constexpr double resolution = 1 << 20;

/// Uniform numbers that are a function of (seed, image); the standard fixes every step of this.
class Uniform {
 public:
  Uniform(std::uint64_t seed, std::uint64_t image) {
    std::seed_seq words{low(seed), low(seed >> 32), low(image), low(image >> 32)};
    engine_.seed(words);
  }

  /// On [lower, upper).
  double operator()(double lower, double upper) {
    return lower + (upper - lower) * static_cast<double>(engine_() >> 11) * 0x1p-53;
  }

 private:
  static std::uint32_t low(std::uint64_t number) { return static_cast<std::uint32_t>(number); }

  std::mt19937_64 engine_;
};

/// p_a / h_a of every position: axes×positions, in row-major order.
MatrixXd coordinates(const std::vector<Index>& size) {
  Index positions = 1;
  for (const Index extent : size) positions *= extent;
  MatrixXd result(std::ssize(size), positions);
  Index stride = positions;
  for (Index a = 0; a < result.rows(); ++a) {
    const Index extent = size[static_cast<std::size_t>(a)];
    stride /= extent;
    for (Index p = 0; p < positions; ++p) {
      result(a, p) = static_cast<double>(p / stride % extent) / static_cast<double>(extent);
    }
  }
  return result;
}

VectorXd image(Uniform uniform, Index channels, const MatrixXd& position) {
  MatrixXd wave(position.cols(), waves);
  for (Index w = 0; w < waves; ++w) {
    VectorXd turns = VectorXd::Constant(position.cols(), uniform(0, 1));
    for (Index a = 0; a < position.rows(); ++a) {
      turns += uniform(-highest_frequency, highest_frequency) * position.row(a).transpose();
    }
    wave.col(w) = turns.unaryExpr([](double t) { return std::cos(2 * std::numbers::pi * t); });
  }
  MatrixXd result(position.cols(), channels);
  for (Index c = 0; c < channels; ++c) {
    result.col(c).setConstant(uniform(-1, 1));
    for (Index w = 0; w < waves; ++w) result.col(c) += uniform(0.5, 1.5) * wave.col(w);
  }
  result.array() -= result.mean();
  result /= std::sqrt(result.squaredNorm() / static_cast<double>(result.size()));
  return (result.reshaped() * resolution).array().round() / resolution;
}

}  // namespace

MatrixXd synthetic_images(const ImageSettings& settings) {
  const MatrixXd position = coordinates(settings.size);
  MatrixXd result(settings.channels * position.cols(), settings.count);
  for (Index i = 0; i < settings.count; ++i) {
    result.col(i) = image({settings.seed, static_cast<std::uint64_t>(i)}, settings.channels, position);
  }
  return result;
}

}  // namespace nngpcheck::inputs
