// The binary versions of the CIFAR data sets (https://www.cs.toronto.edu/~kriz/cifar.html).
#pragma once

#include <string>

#include "nngpcheck/files/array.hpp"

namespace nngpcheck::files {

/// The images (N, 3, 32, 32) in such a file's bytes, channels first. A record is 3·32·32 pixels behind one
/// label from 0 to 9 (CIFAR-10) or behind two, from 0 to 19 and 0 to 99 (CIFAR-100). Throws InputError,
/// naming the file, unless it consists of such records.
Array parse_cifar(std::string name, std::string bytes);

}  // namespace nngpcheck::files
