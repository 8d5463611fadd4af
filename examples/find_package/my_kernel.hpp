#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <numbers>

/// The kernel of `depth` hidden layers of relu, weights N(0, weight_variance/fan_in), biases
/// N(0, bias_variance): the arc-cosine recursion of Cho and Saul. Inputs are the columns.
inline Eigen::MatrixXd relu_kernel(const Eigen::MatrixXd& inputs, int depth, double weight_variance,
                                   double bias_variance) {
  Eigen::MatrixXd kernel = inputs.transpose() * inputs / static_cast<double>(inputs.rows());
  for (int layer = 0; layer < depth; ++layer) {
    const Eigen::MatrixXd covariance = (weight_variance * kernel).array() + bias_variance;
    for (Eigen::Index a = 0; a < kernel.rows(); ++a) {
      for (Eigen::Index b = 0; b < kernel.cols(); ++b) {
        const double scale = std::sqrt(covariance(a, a) * covariance(b, b));
        const double angle = std::acos(std::clamp(covariance(a, b) / scale, -1.0, 1.0));
        kernel(a, b) =
            scale * (std::sin(angle) + (std::numbers::pi - angle) * std::cos(angle)) / (2 * std::numbers::pi);
      }
    }
  }
  return kernel;
}
