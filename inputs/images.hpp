// Images that need no file: smooth random ones, for examples and tests.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

namespace nngpcheck::inputs {

struct ImageSettings {
  Eigen::Index count = 0;          // at least 1
  Eigen::Index channels = 1;       // at least 1
  std::vector<Eigen::Index> size;  // at least one axis, each at least 1, and at least 4 positions in all
  std::uint64_t seed = 0;
};

/// Images as columns (channels·positions)×count; a column holds channel 0's positions in row-major order (the
/// last axis fastest), then channel 1's, and so on. Image i is, in channel c and at position p of a grid of
/// h_1×h_2×…,
///
///     y_c(p) = b_c + Σ_{w=1..4} A_cw cos(2π(θ_w + Σ_a f_wa p_a / h_a)),
///
/// f_wa uniform on [-3/4, 3/4) (waves across the image), θ_w on [0, 1), b_c on [-1, 1), A_cw on [1/2, 3/2),
/// all independent; then minus its mean and divided by its standard deviation over all channels and
/// positions, and rounded to multiples of 2^-20. So its mean is 0 and its variance 1 up to that rounding,
/// neighbours are alike, and so are channels, which share their waves.
///
/// The numbers of image i are those of std::mt19937_64 with std::seed_seq of seed and i (32-bit words, low
/// word first), each (x >> 11)·2^-53, in the order: for each wave θ and f of each axis; for each channel b
/// and the A. So they depend neither on the number of images nor on their size, and the rounding makes the
/// images the same wherever cos is accurate; they are exact in float32. Precondition: the settings are as
/// stated.
Eigen::MatrixXd synthetic_images(const ImageSettings& settings);

}  // namespace nngpcheck::inputs
