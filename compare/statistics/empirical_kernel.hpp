#pragma once

#include <Eigen/Core>
#include <cstdint>

#include "nngpcheck/compare/statistics/rounding.hpp"
#include "nngpcheck/kernels/kernel_file.hpp"

namespace nngpcheck::compare {

/// The kernels of one width's networks: their mean, and its standard error per entry (the sample standard
/// deviation over √networks), both m×m.
struct EmpiricalKernel {
  std::int64_t width = 0;
  std::int64_t networks = 0;
  Eigen::MatrixXd mean;
  Eigen::MatrixXd standard_error;
};

/// z_ij = excess(mean_ij − K_ij, b_ij) / √(s_ij² + t_ij²): how far the mean is from K beyond what is allowed,
/// b the error bound of K plus the networks' rounding, in standard errors, s that of the mean and t that of
/// K; ±∞ beyond where both are 0. It has the bias of a finite width, of order 1/width, which enough networks
/// make visible. Precondition: equal shapes.
Eigen::MatrixXd standard_errors_off(const EmpiricalKernel& empirical, const kernels::LabelledKernel& limit,
                                    Precision precision);

}  // namespace nngpcheck::compare
