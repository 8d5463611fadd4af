// Kernels that somebody computed elsewhere.
#pragma once

#include <filesystem>
#include <optional>

#include "compare/check.hpp"
#include "netsor/program.hpp"

namespace nngpcheck::cli {

/// The kernel of a program in a file, rows and columns in the order of the program's outputs:
///   - .npy: an m×m array, float32 or float64;
///   - .csv: m rows of m numbers; a header of labels, if there is one, must be those of the outputs;
///   - .json: as `nngpcheck kernel -o` writes it; "stderr", "error_bound" and "labels" may be missing.
/// `standard_error` is a second file of such numbers, none negative. Throws ConfigError, naming the file, the
/// entry, the problem and the remedy.
compare::KernelEstimate read_given_kernel(const std::filesystem::path& file,
                                          const std::optional<std::filesystem::path>& standard_error,
                                          const netsor::Program& program);

}  // namespace nngpcheck::cli
