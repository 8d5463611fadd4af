#include "nngpcheck/compare/report/heat_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "nngpcheck/compare/report/gnuplot.hpp"
#include "nngpcheck/compare/report/text.hpp"

namespace nngpcheck::compare {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;

constexpr std::size_t most_labels = 24;
constexpr Index most_rows = 160;  // beyond, the file is large, and nobody sees a row
constexpr std::size_t longest_label = 16;
constexpr double rounded = 1e-9;  // a correlation above its negative is not negative

const std::string style = R"(set encoding utf8
set object 1 rectangle from graph 0,0 to graph 1,1 behind fillcolor '#c8c8c8' fillstyle solid noborder
set border 15 linecolor '#404040'
unset key
set style fill solid noborder
)";

/// Of equally many steps in lightness (viridis).
const std::string sequential =
    "set palette maxcolors 64 defined "
    "(0 '#440154', 0.25 '#3b528b', 0.5 '#21918c', 0.75 '#5ec962', 1 '#fde725')\n";
/// An odd number of steps: white is 0.
const std::string diverging =
    "set palette maxcolors 63 defined "
    "(-1 '#053061', -0.5 '#4393c3', 0 '#f7f7f7', 0.5 '#d6604d', 1 '#67001f')\n";

/// Lengths on the canvas, in pixels of the SVG.
struct Layout {
  explicit Layout(const std::vector<std::string>& labels) {
    std::size_t longest = 0;
    for (const std::string& label : labels) longest = std::max(longest, characters(label));
    upright = longest <= 2;
    before = 18 + static_cast<int>(8.5 * static_cast<double>(longest));
    below = upright ? 30 : before;
    width = before + side + bar;
    height = above + side + below;
  }

  static constexpr int side = 384, above = 14, bar = 90;
  int before, below, width, height;
  bool upright;  // whether the columns' labels are short enough to stand side by side
};

/// Position k has the label k.
std::string ticks(const std::vector<std::string>& labels) {
  std::string result;
  for (std::size_t k = 0; k < labels.size(); ++k) {
    std::string text = quoted(labels[k]);
    // gnuplot would put the position in place of a %.
    for (std::size_t at = 0; (at = text.find('%', at)) != std::string::npos; at += 2) text.insert(at, 1, '%');
    result += fmt::format("{}{} {}", k > 0 ? ", " : "", text, k);
  }
  return "(" + result + ")";
}

std::string axes(const std::vector<std::string>& labels, bool upright) {
  if (labels.empty()) return "unset xtics\nunset ytics\n";
  return fmt::format("set xtics {0} scale 0 {1} noenhanced\nset ytics {0} scale 0 noenhanced\n",
                     ticks(labels), upright ? "" : "rotate by 90 right");
}

/// The values as lines "column row value".
std::string data(const MatrixXd& values) {
  std::string result = "$map << EOD\n";
  for (Index i = 0; i < values.rows(); ++i) {
    for (Index j = 0; j < values.cols(); ++j) {
      result += fmt::format("{} {} {:.6g}\n", j, i, values(i, j));
    }
  }
  return result + "EOD\n";
}

std::string palette(const Colours& colours) {
  const bool both_signs = colours.map == Colours::Map::diverging;
  return fmt::format("{}set cbrange [{}:{}]\nset cblabel {} noenhanced\n",
                     both_signs ? diverging : sequential, both_signs ? -colours.range : 0, colours.range,
                     quoted(colours.meaning));
}

/// Where the frame and the colour bar are.
std::string places(const Layout& layout) {
  const auto x = [&](int pixels) { return static_cast<double>(pixels) / layout.width; };
  const auto y = [&](int pixels) { return static_cast<double>(pixels) / layout.height; };
  const int right = layout.before + Layout::side;
  return fmt::format(
      "set lmargin at screen {:.6f}\nset rmargin at screen {:.6f}\nset bmargin at screen {:.6f}\n"
      "set tmargin at screen {:.6f}\nset colorbox user origin {:.6f},{:.6f} size {:.6f},{:.6f}\n",
      x(layout.before), x(right), y(layout.below), y(layout.below + Layout::side), x(right + 12),
      y(layout.below), x(12), y(Layout::side));
}

}  // namespace

MatrixXd correlation(const MatrixXd& kernel) {
  MatrixXd result(kernel.rows(), kernel.cols());
  for (Index i = 0; i < kernel.rows(); ++i) {
    for (Index j = 0; j < kernel.cols(); ++j) {
      const bool defined = kernel(i, i) > 0 && kernel(j, j) > 0;
      // Two roots: the product of two variances may overflow. They leave the diagonal off 1 by rounding.
      const double value = i == j ? 1 : kernel(i, j) / std::sqrt(kernel(i, i)) / std::sqrt(kernel(j, j));
      result(i, j) = defined ? std::clamp(value, -1.0, 1.0) : std::numeric_limits<double>::quiet_NaN();
    }
  }
  return result;
}

Colours correlation_colours(const std::vector<MatrixXd>& correlations) {
  const bool negative = std::any_of(correlations.begin(), correlations.end(),
                                    [](const MatrixXd& values) { return (values.array() < -rounded).any(); });
  return {negative ? Colours::Map::diverging : Colours::Map::sequential, 1, "correlation"};
}

Colours standard_error_colours(const MatrixXd& differences) {
  double largest = 4;
  for (const double value : differences.reshaped()) {
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  }
  return {Colours::Map::diverging, largest, "standard errors"};
}

Index heat_map_stride(Index m) { return (m + most_rows - 1) / most_rows; }

void plot_heat_map(const MatrixXd& values, const Colours& colours, const std::vector<std::string>& labels,
                   const std::filesystem::path& base) {
  std::vector<std::string> shown;
  if (labels.size() <= most_labels) {
    for (const std::string& label : labels) shown.push_back(shortened(label, longest_label));
  }
  const Layout layout(shown);
  const Eigen::ArithmeticSequence drawn = Eigen::seq(0, values.rows() - 1, heat_map_stride(values.rows()));
  std::string setup = data(values(drawn, drawn)) + style + palette(colours) + axes(shown, layout.upright);
  setup += fmt::format("set xrange [-0.5:{0}.5]\nset yrange [{0}.5:-0.5]\n", drawn.size() - 1);
  draw({layout.width, layout.height, 13}, setup + places(layout),
       "plot $map using 1:2:3 with image notitle\n", base);
}

}  // namespace nngpcheck::compare
