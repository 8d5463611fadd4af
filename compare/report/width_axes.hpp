// Private to compare/: what plots against width have in common.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>

#include "nngpcheck/compare/report/gnuplot.hpp"

namespace nngpcheck::compare {

/// Colours that the colour-blind distinguish (Okabe and Ito), over and over.
const std::string& colour_of(std::size_t curve);

/// A curve's label as legends show it: up to 32 characters.
std::string label_text(const std::string& label);

/// The ranges of a plot.
struct Frame {
  double left = INFINITY, right = 0, bottom = INFINITY, top = 0;

  void include_width(std::int64_t width) {
    left = std::min(left, static_cast<double>(width) / 1.3);
    right = std::max(right, static_cast<double>(width) * 1.3);
  }
};

/// So many curves, each with a line of the legend, below one more line: `data` defines what `commands` plot.
/// Both axes are logarithmic, that of widths with ticks at `widths` where they are few.
struct WidthPlot {
  std::string data = {}, y_label = {}, y_ticks = {}, commands = {};  // y_ticks: commands, too
  Frame frame = {};
  std::set<std::int64_t> widths = {};
  std::size_t curves = 0;
};

/// As `base`.svg and `base`.png; throws as `draw` does.
void draw(const WidthPlot& plot, const std::filesystem::path& base);

}  // namespace nngpcheck::compare
