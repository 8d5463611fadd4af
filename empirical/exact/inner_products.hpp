// Inner products of columns.
#pragma once

#include <Eigen/Core>

#include "nngpcheck/empirical/random/simd.hpp"

namespace nngpcheck::empirical {

/// XᵀY for columns of length `inner`, the rows of x and y, summed in blocks of fixed length. Exactly
/// symmetric if they are the same.
Eigen::MatrixXd inner_products(Rows<const double> x, Rows<const double> y, std::size_t inner);

}  // namespace nngpcheck::empirical
