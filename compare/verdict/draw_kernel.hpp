// Ladders of networks that somebody else draws.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <functional>

#include "nngpcheck/compare/verdict/check.hpp"

namespace nngpcheck::compare {

/// The empirical kernel, m×m and symmetric, of network number `network` of a width. Networks of different
/// numbers or widths are independent; the same arguments give the same network.
using DrawKernel = std::function<Eigen::MatrixXd(std::int64_t width, std::uint64_t network)>;

/// Draws one network after the other, ladder by ladder and from narrow to wide, so that a mistake shows
/// early. Throws CompareError if kernels differ in shape or are not square; what `draw` throws passes
/// through.
DrawLadders ladders_of(DrawKernel draw);

}  // namespace nngpcheck::compare
