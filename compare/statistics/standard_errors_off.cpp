#include "nngpcheck/compare/statistics/standard_errors_off.hpp"

#include <cmath>

#include "nngpcheck/compare/statistics/ladder_statistics.hpp"

namespace nngpcheck::compare {

Eigen::MatrixXd standard_errors_off(const kernels::Kernel& mean, const kernels::Kernel& limit,
                                    Precision precision) {
  const Eigen::MatrixXd allowed = limit.error_bound + rounding(precision).error * entry_scales(limit.value);
  Eigen::MatrixXd result(mean.value.rows(), mean.value.cols());
  for (Eigen::Index i = 0; i < result.rows(); ++i) {
    for (Eigen::Index j = 0; j < result.cols(); ++j) {
      const double error = std::hypot(mean.standard_error(i, j), limit.standard_error(i, j));
      result(i, j) = excess_t(mean.value(i, j) - limit.value(i, j), allowed(i, j), error);
    }
  }
  return result;
}

}  // namespace nngpcheck::compare
