// NumPy's array files, versions 1 to 3 (numpy.lib.format).
#pragma once

#include <Eigen/Core>
#include <filesystem>
#include <string>
#include <string_view>

#include "nngpcheck/files/array.hpp"

namespace nngpcheck::files {

bool is_npy(std::string_view bytes);

/// The array in an npy file's bytes: bool, integers of 8 to 64 bits, float16 to float64, of either byte
/// order, in C or Fortran order. Throws InputError, naming the file and what to save instead, for other
/// types, and for a file that is not exactly as long as its header says (before anything is allocated).
Array parse_npy(std::string name, std::string bytes);

/// A matrix: the array in such a file if it has two axes, or more that are all of length 1 behind the first
/// two.
Eigen::MatrixXd read_npy(const std::filesystem::path& file);

/// An npy file's bytes: float64, in C order.
std::string npy_bytes(const Eigen::MatrixXd& matrix);

/// That matrix of an array.
Eigen::MatrixXd as_matrix(const Array& array);

}  // namespace nngpcheck::files
