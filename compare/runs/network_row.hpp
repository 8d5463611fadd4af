// What a run records of each network, besides what is summed over networks.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <string>
#include <vector>

#include "nngpcheck/compare/statistics/gaussianity.hpp"

namespace nngpcheck::compare {

/// So many inputs of a kernel, or all if it has fewer, are *watched*: spread evenly, the first among them.
inline constexpr Eigen::Index most_watched = 4;

/// Their indices, of so many.
std::vector<Eigen::Index> watched(Eigen::Index inputs);

/// The columns of a run's samples: relative_squared_error; kernel_i_j for i ≤ j < w, the upper triangle of
/// the watched inputs' kernel column by column; output_i for i < w.
class NetworkColumns {
 public:
  /// For kernels of up to so many inputs: w is how many of them are watched.
  explicit NetworkColumns(Eigen::Index most_inputs);

  std::vector<std::string> names() const;

  /// The numbers of a network with this kernel and these outputs (or none). What it does not have, as its
  /// kernel is smaller or there are no outputs, is NaN. Throws as relative_squared_error(sampled, kernel).
  Eigen::RowVectorXd row(const Eigen::MatrixXd& sampled, const Eigen::VectorXd& outputs,
                         const Eigen::MatrixXd& kernel) const;

  /// Kernels and outputs of the watched inputs, from such rows of one width, for kernels of `inputs`. No
  /// outputs if those are missing.
  OutputSamples output_samples(std::int64_t width, const Eigen::MatrixXd& rows, Eigen::Index inputs) const;

 private:
  Eigen::Index watched_;
  Eigen::Index first_output_;
};

}  // namespace nngpcheck::compare
