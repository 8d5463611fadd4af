// Kernels that somebody computed elsewhere.
#pragma once

#include <Eigen/Core>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "nngpcheck/kernels/kernel.hpp"

namespace nngpcheck::kernels {

/// The kernel in a file, rows and columns in the order of these labels, a program's outputs:
///   - an array (.npy, "x.npz:K"): m×m, further axes of length 1 (neural-tangents' (m, m, 1, 1));
///   - a text: m rows of m numbers, as numpy.savetxt or pandas write them; a header and an index, if there
///     are any, must be these labels, or count 0, 1, …;
///   - .json: as `nngpcheck kernel -o` writes it; all but "kernel" may be missing.
/// A kernel that was computed in a type of epsilon ε is symmetric up to its rounding: half its digits at
/// least, so K_ab and K_ba may differ by √ε √(K_aa K_bb). Then their mean is taken, and half their difference
/// added to the error bound. ε is that of an array's type, but at least that of float32 if all numbers are
/// float32's, or in a text their shortest decimals. `standard_error` is a second file of such numbers, and of
/// the repeats behind them. Throws InputError, naming the file, the entry, the problem and the remedy.
Kernel read_kernel(const std::filesystem::path& file,
                   const std::optional<std::filesystem::path>& standard_error,
                   const std::vector<std::string>& labels);

/// A kernel given as a matrix of a type of epsilon `epsilon`, made symmetric in the same way. Throws
/// InputError, which says `name` where a file would be named.
Kernel given_kernel(Eigen::MatrixXd value, double epsilon, const std::string& name);

}  // namespace nngpcheck::kernels
