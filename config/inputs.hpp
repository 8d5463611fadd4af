#pragma once

#include <filesystem>

#include "architectures/inputs.hpp"

namespace nngpcheck::config {

/// The inputs in a file, one per row, in one of three formats:
///   - CSV with the header sequence,position,token,x0,x1,…: tokens of sequences 0, 1, … in order, each with
///     positions 0, 1, …; labels are "sequence:position token";
///   - CSV with the header x0,x1,…: vectors; labels are "0", "1", …;
///   - a file that ends in .npy: a matrix (see read_npy), its rows as vectors.
/// Throws ConfigError for anything else, and for numbers that are not finite.
architectures::Inputs read_inputs(const std::filesystem::path& file);

}  // namespace nngpcheck::config
