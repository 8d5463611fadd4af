// The format of MNIST (http://yann.lecun.com/exdb/mnist): arrays of big-endian numbers.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "nngpcheck/files/array.hpp"

namespace nngpcheck::files {

/// Whether a file begins as idx files do: two zeros, a type, and the number of axes.
bool is_idx(std::string_view bytes);

/// The array in such a file's bytes. Throws InputError, naming the file, if it is not exactly as long as it
/// says.
Array parse_idx(std::string name, std::string bytes);

}  // namespace nngpcheck::files
