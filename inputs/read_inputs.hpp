#pragma once

#include <filesystem>

#include "nngpcheck/inputs/inputs.hpp"

namespace nngpcheck::inputs {

/// The inputs in a file, one per row:
///   - text: a table with one input per line, whatever its header and its separator, or tokens of sequences
///   below the
///     header sequence,position,token,…: sequences and positions count 0, 1, … in order, and labels are
///     "sequence:position token";
///   - arrays, the first axis of which counts inputs: .npy, "x.npz:name", MNIST's idx, CIFAR's .bin; rows are
///   vectors,
///     further axes sequences or images;
///   - both also gzipped.
/// docs/architectures.md says what is guessed. Throws InputError for anything else, for what could be read
/// in several ways (experiment files have keys to say which), and for numbers that are not finite.
Inputs read_inputs(const std::filesystem::path& file);

}  // namespace nngpcheck::inputs
