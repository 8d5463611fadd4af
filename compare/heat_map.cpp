#include "compare/heat_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "compare/gnuplot.hpp"

namespace nngpcheck::compare {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;

constexpr std::size_t most_labels = 24;
constexpr std::size_t longest_label = 16;
constexpr Index most_squares = 64;  // columns; a bitmap beyond, as m² squares make a large SVG
constexpr double rounding = 1e-9;   // a correlation above its negative is not negative

const std::string style = R"(set encoding utf8
set object 1 rectangle from graph 0,0 to graph 1,1 behind fillcolor '#c8c8c8' fillstyle solid noborder
set border 15 linecolor '#404040'
unset key
set tics scale 0
set style fill solid noborder
)";

/// Of equally many steps in lightness (viridis).
const std::string sequential =
    "set palette defined (0 '#440154', 0.25 '#3b528b', 0.5 '#21918c', 0.75 '#5ec962', 1 '#fde725')\n"
    "set cbrange [0:1]\n";
const std::string diverging =
    "set palette defined (-1 '#053061', -0.5 '#4393c3', 0 '#f7f7f7', 0.5 '#d6604d', 1 '#67001f')\n"
    "set cbrange [-1:1]\n";

/// The first characters of a UTF-8 text, and … if there were more.
std::string shortened(const std::string& text) {
  std::size_t characters = 0;
  std::size_t cut = 0;
  for (std::size_t k = 0; k < text.size(); ++k) {
    if ((static_cast<unsigned char>(text[k]) & 0xC0) == 0x80) continue;
    if (++characters == longest_label) cut = k;
  }
  return characters > longest_label ? text.substr(0, cut) + "…" : text;
}

std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

/// Lengths on the canvas, in pixels of the SVG.
struct Layout {
  Layout(std::size_t panels, const std::vector<std::string>& labels) {
    std::size_t longest = 0;
    for (const std::string& label : labels) longest = std::max(longest, width_of(label));
    upright = longest <= 2;
    before = below = 24 + static_cast<int>(8 * longest);
    width = before + static_cast<int>(panels) * (side + gap) + bar;
    height = above + side + below;
  }

  static constexpr int side = 420, above = 48, gap = 24, bar = 70;
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

/// The values of each map as lines "column row value".
std::string data(const std::vector<HeatMap>& maps, bool squares) {
  std::string result;
  for (std::size_t k = 0; k < maps.size(); ++k) {
    result += fmt::format("$map{} << EOD\n", k);
    const MatrixXd& values = maps[k].values;
    for (Index i = 0; i < values.rows(); ++i) {
      for (Index j = 0; j < values.cols(); ++j) {
        // gnuplot draws a square without value in white, but leaves such a pixel out.
        if (std::isnan(values(i, j)) && squares) continue;
        result += fmt::format("{} {} {:.6g}\n", j, i, values(i, j));
      }
    }
    if (squares) result += "-9 -9 0\n";  // outside the frame: a map without any value would be an error
    result += "EOD\n";
  }
  return result;
}

/// The commands that draw panel k.
std::string panel(const Layout& layout, std::size_t k, const HeatMap& map, bool last, bool squares) {
  const int left = layout.before + static_cast<int>(k) * (Layout::side + Layout::gap);
  const auto x = [&](int pixels) { return static_cast<double>(pixels) / layout.width; };
  const auto y = [&](int pixels) { return static_cast<double>(pixels) / layout.height; };
  std::string result = fmt::format(
      "set lmargin at screen {:.6f}\nset rmargin at screen {:.6f}\nset bmargin at screen {:.6f}\n"
      "set tmargin at screen {:.6f}\nset title {} noenhanced\n",
      x(left), x(left + Layout::side), y(layout.below), y(layout.below + Layout::side), quoted(map.title));
  if (k > 0) result += "unset ytics\n";
  result += last ? fmt::format("set colorbox user origin {:.6f},{:.6f} size {:.6f},{:.6f}\n",
                               x(left + Layout::side + 14), y(layout.below), x(14), y(Layout::side))
                 : "unset colorbox\n";
  result += fmt::format(
      "plot $map{} {} notitle\n", k,
      squares ? "using 1:2:(0.52):(0.52):3 with boxxyerror linecolor palette" : "using 1:2:3 with image");
  return result;
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

void plot_heat_maps(const std::vector<HeatMap>& maps, const std::vector<std::string>& labels,
                    const std::filesystem::path& base) {
  std::vector<std::string> shown;
  if (labels.size() <= most_labels) {
    for (const std::string& label : labels) shown.push_back(shortened(label));
  }
  const Layout layout(maps.size(), shown);
  const Index size = std::ssize(labels);
  const bool squares = size <= most_squares;
  bool negative = false;
  for (const HeatMap& map : maps) negative = negative || (map.values.array() < -rounding).any();
  std::string setup = data(maps, squares) + style + (negative ? diverging : sequential);
  setup += fmt::format("set xrange [-0.5:{0}.5]\nset yrange [{0}.5:-0.5]\n", size - 1);
  std::string commands = "set multiplot\n";
  commands += shown.empty() ? "unset xtics\nunset ytics\n"
                            : fmt::format(
                                  "set xtics {0} scale 0 {1} font ',11' noenhanced\n"
                                  "set ytics {0} scale 0 font ',11' noenhanced\n",
                                  ticks(shown), layout.upright ? "" : "rotate by 90 right");
  for (std::size_t k = 0; k < maps.size(); ++k) {
    commands += panel(layout, k, maps[k], k + 1 == maps.size(), squares);
  }
  draw({layout.width, layout.height, 14}, setup, commands + "unset multiplot\n", base);
}

}  // namespace nngpcheck::compare
