// Whether two programs are the same, independently of how they are written as text.
#pragma once

#include <string>

#include "nngpcheck/netsor/program.hpp"

namespace nngpcheck::testing {

/// Where the second program differs from the first: in random objects, instructions with their constants and
/// types, output, labels, and where instructions come from; "" if nowhere. Functions are equal if they are as
/// values.
std::string difference(const netsor::Program& left, const netsor::Program& right);

}  // namespace nngpcheck::testing
