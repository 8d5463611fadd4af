#pragma once

#include <string>

#include "nngpcheck/support/part.hpp"

namespace nngpcheck::cli {

/// "2/3" is the second of three. Throws UsageError, which names the option, for anything else.
support::Part part_of(const std::string& text, const std::string& option);

}  // namespace nngpcheck::cli
