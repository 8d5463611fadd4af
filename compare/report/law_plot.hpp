#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "nngpcheck/analytic/law.hpp"

namespace nngpcheck::compare {

/// One line of a plot: from the narrowest of these widths to the widest.
struct LawCurve {
  std::string label;
  std::vector<std::int64_t> widths;
  analytic::FiniteWidthLaw law;
};

/// Draws ‖K̂ − K‖/‖K‖ of one network against width, both axes logarithmic, as the law predicts it: in root
/// mean square, √C/‖K‖ n^(-1/2), or its median where mean squares do not exist; and the band between its 5 %
/// and 95 % quantiles. Lines are dashed where the first order in 1/n is not exact yet, by the rule of
/// `predict`. Files and errors as of `plot`.
void plot_law(const std::vector<LawCurve>& curves, const std::filesystem::path& base);

}  // namespace nngpcheck::compare
