// The binary version of the CIFAR-10 data set (https://www.cs.toronto.edu/~kriz/cifar.html).
#pragma once

#include <Eigen/Core>
#include <filesystem>

namespace nngpcheck::config {

/// Number of images in such a file: records of 3073 bytes, a label and 3·32·32 pixels. Throws ConfigError if
/// there is no such file, or if its size is no positive multiple of that.
Eigen::Index cifar_count(const std::filesystem::path& file);

/// The images first, …, first + count - 1 as columns 3072×count: the red channel's 32 rows of 32 pixels, then
/// green, then blue; a byte p becomes p/127.5 - 1 ∈ [-1, 1]. Labels are skipped, and only these records are
/// read. Precondition: 0 ≤ first, 1 ≤ count, first + count ≤ cifar_count(file). Throws ConfigError if the
/// file cannot be read.
Eigen::MatrixXd read_cifar(const std::filesystem::path& file, Eigen::Index first, Eigen::Index count);

}  // namespace nngpcheck::config
