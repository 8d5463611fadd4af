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

/// Draws mean relative squared error against width, both axes logarithmic, each curve with its confidence
/// band, the line of its fitted slope, and a guide of slope −1, as `base`.svg and `base`.png, by gnuplot. Up
/// to 40 curves look different; longer labels than 32 characters lose their middle. Throws CompareError if
/// gnuplot is not installed or fails, or the files cannot be written; both or none appear.
void plot(const std::vector<Curve>& curves, const std::filesystem::path& base);

}  // namespace nngpcheck::compare
