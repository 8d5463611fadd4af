#pragma once

#include <Eigen/Core>
#include <cstdint>

#include "nngpcheck/compare/statistics/rounding.hpp"
#include "nngpcheck/kernels/kernel.hpp"

namespace nngpcheck::compare {

/// z_ij = excess(M_ij − K_ij, b_ij) / √(s_ij² + t_ij²): how far the mean M of networks is from K beyond what
/// is allowed, b the error bound of K plus the networks' rounding, in standard errors, s that of the mean and
/// t that of K; ±∞ beyond where both are 0. It has the bias of a finite width, of order 1/width, which enough
/// networks make visible. Precondition: equal shapes.
Eigen::MatrixXd standard_errors_off(const kernels::Kernel& mean, const kernels::Kernel& limit,
                                    Precision precision);

}  // namespace nngpcheck::compare
