#include "nngpcheck/compare/statistics/metrics.hpp"

#include <cmath>

#include "nngpcheck/compare/error.hpp"

namespace nngpcheck::compare {

double relative_squared_error(const Eigen::MatrixXd& sampled, const Eigen::MatrixXd& kernel) {
  if (sampled.rows() != kernel.rows() || sampled.cols() != kernel.cols()) {
    throw CompareError("a sampled kernel and the analytic one differ in shape; they must be of one program");
  }
  // Scaling first keeps the squares of very small and very large kernels in range.
  const double scale = kernel.size() > 0 ? kernel.cwiseAbs().maxCoeff() : 0;
  if (!(scale > 0) || !kernel.allFinite()) {
    throw CompareError(
        "the analytic kernel is zero or not finite, so that no error is relative to it; "
        "check the variances");
  }
  return ((sampled - kernel) / scale).squaredNorm() / (kernel / scale).squaredNorm();
}

}  // namespace nngpcheck::compare
