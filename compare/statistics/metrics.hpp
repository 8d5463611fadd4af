#pragma once

#include <Eigen/Core>

namespace nngpcheck::compare {

/// ‖sampled − kernel‖²_F / ‖kernel‖²_F, over all entries. Throws CompareError if the shapes differ, or if the
/// kernel is zero or not finite.
double relative_squared_error(const Eigen::MatrixXd& sampled, const Eigen::MatrixXd& kernel);

}  // namespace nngpcheck::compare
