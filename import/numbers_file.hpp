// Private to import/: the arrays of an archive.
#pragma once

#include <string>

#include "nngpcheck/import/archive.hpp"

namespace nngpcheck::importer {

/// The array in an npy file's bytes: numbers of 4 or 8 bytes, 64-bit integers, bytes or booleans, little
/// endian, in C order, of any number of axes. Throws InputError, naming the file, for anything else, and for
/// numbers that are NaN.
Numbers parse_numbers(const std::string& name, const std::string& bytes);

}  // namespace nngpcheck::importer
