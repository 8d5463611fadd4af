#include "nngpcheck/compare/statistics/empirical_kernel.hpp"

#include <cmath>

#include "nngpcheck/compare/statistics/ladder_statistics.hpp"

namespace nngpcheck::compare {

Eigen::MatrixXd standard_errors_off(const EmpiricalKernel& empirical, const kernels::LabelledKernel& limit,
                                    Precision precision) {
  const Eigen::MatrixXd allowed = limit.error_bound + rounding(precision).error * entry_scales(limit.kernel);
  Eigen::MatrixXd result(empirical.mean.rows(), empirical.mean.cols());
  for (Eigen::Index i = 0; i < result.rows(); ++i) {
    for (Eigen::Index j = 0; j < result.cols(); ++j) {
      const double error = std::hypot(empirical.standard_error(i, j), limit.standard_error(i, j));
      result(i, j) = excess_t(empirical.mean(i, j) - limit.kernel(i, j), allowed(i, j), error);
    }
  }
  return result;
}

}  // namespace nngpcheck::compare
