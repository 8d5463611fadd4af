#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "nngpcheck/compare/report/summary.hpp"

namespace nngpcheck::compare {

/// One line of a plot.
struct Curve {
  std::string label;
  ExperimentSummary experiment;
};

/// Draws mean relative squared error against width, both axes logarithmic, each point with its confidence
/// interval, and the line of the fitted slope. Where the finite-width law says what to expect, a dashed line
/// with its band, from the width on at which it holds; where it says so of no curve, a guide of slope −1. As
/// `base`.svg and `base`.png, by gnuplot. Up to 40 curves look different; longer labels than 32 characters
/// lose their middle. Throws CompareError if gnuplot is not installed or fails, or the files cannot be
/// written; both or none appear.
void plot(const std::vector<Curve>& curves, const std::filesystem::path& base);

}  // namespace nngpcheck::compare
