#pragma once

#include <string>
#include <vector>

#include "compare/summary.hpp"

namespace nngpcheck::compare {

/// The files of a run's pictures beside its report; "" for one that could not be drawn.
struct Pictures {
  std::string width_error;
  std::vector<std::string> correlations;  // one per experiment, or empty
};

/// The summary as a page of Markdown: per experiment its slope, a table and its correlations, and what all
/// this does and does not show; with the pictures there are.
std::string report(const Summary& summary, const Pictures& pictures);

}  // namespace nngpcheck::compare
