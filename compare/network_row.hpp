// What a run records of each network, besides what is summed over networks.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <string>
#include <vector>

#include "compare/gaussianity.hpp"

namespace nngpcheck::compare {

/// So many inputs of a kernel, or all if it has fewer, are *watched*: spread evenly, the first among them.
inline constexpr Eigen::Index most_watched = 4;

/// Their indices, of so many.
std::vector<Eigen::Index> watched(Eigen::Index inputs);

/// relative_squared_error; kernel_i_j for i ≤ j < most_watched, the upper triangle of the watched inputs'
/// kernel column by column; output_i. Always the same: what does not exist is NaN.
std::vector<std::string> network_columns();

/// The numbers of network_columns, of a network with this kernel and these outputs (or none). Throws as
/// relative_squared_error(sampled, kernel).
Eigen::RowVectorXd network_row(const Eigen::MatrixXd& sampled, const Eigen::VectorXd& outputs,
                               const Eigen::MatrixXd& kernel);

/// Kernels and outputs of the watched inputs, from such rows of one width. No outputs if those are missing.
OutputSamples output_samples(std::int64_t width, const Eigen::MatrixXd& rows, Eigen::Index inputs);

}  // namespace nngpcheck::compare
