// Is a wrong kernel one that a known mistake makes?
#pragma once

#include <string>
#include <vector>

#include "nngpcheck/compare/power/mutants.hpp"

namespace nngpcheck::compare {

/// The mistakes of the catalogue whose kernel is the given one, as "bias missing (hidden1.b)": in every
/// entry, up to both kernels' error bounds, four of their standard errors, and 1e-6 √(K_aa K_bb). None if the
/// right kernel is as near, or if two mistakes are that differ from each other by more: a kernel with wide
/// error bars is like many.
std::vector<std::string> known_mistakes(const kernels::Kernel& given, const kernels::Kernel& right,
                                        const Catalogue& catalogue);

}  // namespace nngpcheck::compare
