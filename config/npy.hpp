// NumPy's array files, versions 1 to 3 (numpy.lib.format).
#pragma once

#include <Eigen/Core>
#include <filesystem>

namespace nngpcheck::config {

/// A two-dimensional float32 or float64 array, little-endian, in C order. Throws ConfigError for any other
/// array, and for a file that is not exactly as long as its header says (before anything is allocated).
Eigen::MatrixXd read_npy(const std::filesystem::path& file);

}  // namespace nngpcheck::config
