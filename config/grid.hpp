#pragma once

#include "architectures/inputs.hpp"

namespace nngpcheck::config {

/// Columns as samples of their own, with the labels "0", "1", ….
architectures::Inputs as_vectors(Eigen::MatrixXd samples);

/// Samples on a grid of P positions. Column s of `samples` (d·P rows) holds channel 0's positions in
/// row-major order, then channel 1's, and so on, as PyTorch stores them; in the result it is the P columns
/// s·P, …, with d channels each. Labels are "s:p_1,p_2,…", such as "3:5,7". Precondition: P divides the
/// number of rows.
architectures::Inputs as_grids(const Eigen::MatrixXd& samples, const std::vector<Eigen::Index>& grid);

}  // namespace nngpcheck::config
