#include "nngpcheck/compare/statistics/rounding.hpp"

namespace nngpcheck::compare {

Rounding rounding(Precision precision) {
  return precision == Precision::float64 ? Rounding{1e-12, 1e-10} : Rounding{1e-7, 1e-5};
}

Eigen::MatrixXd entry_scales(const Eigen::MatrixXd& kernel) {
  const Eigen::VectorXd root = kernel.diagonal().cwiseMax(0).cwiseSqrt();
  const Eigen::MatrixXd scales = root * root.transpose();
  return (scales.array() == 0).select(kernel.diagonal().maxCoeff(), scales);
}

}  // namespace nngpcheck::compare
