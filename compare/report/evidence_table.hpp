// A check's evidence at a glance, for the message of a failed test.
#pragma once

#include <string>

#include "nngpcheck/compare/verdict/check.hpp"

namespace nngpcheck::compare {

/// Lines of "  name  value", each ended by a newline:
///
///       reason            the worst entry is off
///       worst entry       (dog, lazy)
///       given             0.3121
///       estimated         0.2987 ± 0.0009
///       difference        0.0134, 4.4 % of √(K̂_aa K̂_bb)
///       networks          64 ladders of widths 64, 128, …, 8192; round 1, numbers 64 to 127
///       detectable error  0.61 %
///       fluctuations      fall as width^-0.50
///       squared error     falls as width^-0.98 (95 %: -1.02 to -0.94)
///
/// Without the lines that the result has no number for. K̂ is the networks' estimate.
std::string evidence_table(const CheckResult& result);

}  // namespace nngpcheck::compare
