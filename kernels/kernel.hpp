// A kernel with its error bars.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <string>
#include <vector>

namespace nngpcheck::kernels {

/// A kernel, wherever it comes from: what is true is value + κ entrywise, up to `error_bound`, where κ has
/// mean zero and standard deviation `standard_error`. Rows and columns are inputs, or outputs of a program.
struct Kernel {
  Eigen::MatrixXd value;                // symmetric, unless it has `columns`
  Eigen::MatrixXd standard_error = {};  // of the same size, or empty: 0
  Eigen::MatrixXd error_bound = {};     // of the same size, or empty: 0
  /// How many independent values the standard error was estimated from, such as randomizations or networks,
  /// so that an error in units of it has Student's law with repeats − 1 degrees of freedom; 0: it is known.
  std::int64_t repeats = 0;
  std::vector<std::string> labels = {};   // one per row, or none
  std::vector<std::string> columns = {};  // one per column; none: those of the rows
  std::string method = {};                // how it was computed, in a line
};

}  // namespace nngpcheck::kernels
