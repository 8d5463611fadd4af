#include "compare/empirical_kernel.hpp"

#include <cmath>
#include <limits>

namespace nngpcheck::compare {

Eigen::MatrixXd standard_errors_off(const EmpiricalKernel& empirical, const LabelledKernel& limit) {
  Eigen::MatrixXd result(empirical.mean.rows(), empirical.mean.cols());
  for (Eigen::Index i = 0; i < result.rows(); ++i) {
    for (Eigen::Index j = 0; j < result.cols(); ++j) {
      const double error = std::hypot(empirical.standard_error(i, j), limit.standard_error(i, j));
      result(i, j) = error > 0 ? (empirical.mean(i, j) - limit.kernel(i, j)) / error
                               : std::numeric_limits<double>::quiet_NaN();
    }
  }
  return result;
}

}  // namespace nngpcheck::compare
