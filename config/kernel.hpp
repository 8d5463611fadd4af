// Kernels that somebody computed elsewhere.
#pragma once

#include <Eigen/Core>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace nngpcheck::config {

/// A kernel m×m and its error bars, which are of the same size, not negative, or empty: not given.
struct GivenKernel {
  Eigen::MatrixXd value;
  Eigen::MatrixXd standard_error = {};
  Eigen::MatrixXd error_bound = {};
};

/// The kernel in a file, rows and columns in the order of these labels, a program's outputs:
///   - .npy: an m×m array, float32 or float64;
///   - .csv: m rows of m numbers; a header of labels, if there is one, must be these;
///   - .json: as `nngpcheck kernel -o` writes it; "stderr", "error_bound" and "labels" may be missing.
/// `standard_error` is a second file of such numbers. Throws ConfigError, naming the file, the entry, the
/// problem and the remedy.
GivenKernel read_kernel(const std::filesystem::path& file,
                        const std::optional<std::filesystem::path>& standard_error,
                        const std::vector<std::string>& labels);

}  // namespace nngpcheck::config
