#pragma once

#include <string>

#include "compare/summary.hpp"

namespace nngpcheck::compare {

/// The summary as a page of Markdown: per experiment its slope and a table, the picture width_error.png if
/// `picture` is not empty, and what all this does and does not show.
std::string report(const Summary& summary, const std::string& picture);

}  // namespace nngpcheck::compare
