#include "nngpcheck/compare/report/plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "nngpcheck/compare/error.hpp"
#include "nngpcheck/compare/report/gnuplot.hpp"
#include "nngpcheck/compare/report/text.hpp"

namespace nngpcheck::compare {

namespace {

const std::string style = R"(set encoding utf8
set logscale xy
set format y "10^{%L}"
set xlabel "width n" offset 0,0.3
set ylabel "relative squared error  ‖K_n − K‖^2 / ‖K‖^2"
set border 3
set tics nomirror out
set grid xtics ytics linecolor "#e4e4e4" linetype 1
)";

/// Distinguishable for the colour-blind (Okabe and Ito). With five shapes of points, 40 curves differ.
const std::vector<std::string> line_colours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                               "#56b4e9", "#e69f00", "#000000", "#a6761d"};
constexpr std::size_t shapes = 5;

constexpr std::size_t longest_label = 32;

std::string legend(const Curve& curve) {
  const std::string label = shortened(curve.label, longest_label);
  if (!curve.experiment.rate) return label;
  const Rate& rate = *curve.experiment.rate;
  return fmt::format("{}: slope {} ± {:.3f}", label, number(rate.slope, 3), rate.interval.upper - rate.slope);
}

/// The ranges of a plot: half a decade below the smallest mean and above the largest.
struct Frame {
  double left, right, bottom, top;
};

Frame frame(const std::vector<Curve>& curves) {
  Frame result{INFINITY, 0, INFINITY, 0};
  for (const Curve& curve : curves) {
    for (const WidthSummary& width : curve.experiment.widths) {
      const double n = static_cast<double>(width.width), error = width.mean_relative_squared_error;
      result.left = std::min(result.left, n / 1.3);
      result.right = std::max(result.right, n * 1.3);
      if (error > 0) result.bottom = std::min(result.bottom, error / 3);
      result.top = std::max(result.top, error * 3);
    }
  }
  if (!(result.top > 0)) throw CompareError("nothing to plot: every error is exactly zero");
  return result;
}

/// At the widths themselves where they are few; gnuplot's decades otherwise.
std::string ticks(const std::vector<Curve>& curves) {
  std::set<std::int64_t> widths;
  for (const Curve& curve : curves) {
    for (const WidthSummary& width : curve.experiment.widths) widths.insert(width.width);
  }
  if (widths.size() > 12) return "set format x \"10^{%L}\"\n";
  return fmt::format("set xtics ({})\n", fmt::join(widths, ", "));
}

/// From top to bottom: the frame, its axis, and the legend, where it covers nothing. In pixels of the SVG.
struct Layout {
  explicit Layout(std::size_t curves) : legend(22 * (static_cast<int>(curves) + 1) + 6) {}

  std::string commands() const {
    const auto from_below = [&](int pixels) { return static_cast<double>(pixels) / height; };
    return fmt::format(
        "set tmargin at screen {:.6f}\nset bmargin at screen {:.6f}\n"
        "set key at screen 0.08,{:.6f} left top Left reverse maxcols 1 samplen 2.5\n",
        from_below(legend + axis + frame), from_below(legend + axis), from_below(legend));
  }

  static constexpr int width = 600, above = 16, frame = 370, axis = 66;
  int legend;
  int height = above + frame + axis + legend;
};

bool any_predicted(const std::vector<Curve>& curves) {
  return std::any_of(curves.begin(), curves.end(),
                     [](const Curve& curve) { return curve.experiment.prediction() != nullptr; });
}

/// A line of slope −1 that passes above every curve's first point.
std::string guide(const std::vector<Curve>& curves, const Frame& limits) {
  if (any_predicted(curves)) return "";
  double scale = 0;
  for (const Curve& curve : curves) {
    const WidthSummary& first = curve.experiment.widths.front();
    scale = std::max(scale, 1.6 * first.mean_relative_squared_error * static_cast<double>(first.width));
  }
  return fmt::format("$guide << EOD\n{} {}\n{} {}\nEOD\n", limits.left, scale / limits.left, limits.right,
                     scale / limits.right);
}

/// The band, which is proportional to 1/n, from there to the end of the frame.
std::string band(std::size_t c, const Curve& curve, const Frame& limits) {
  const Prediction* predicted = curve.experiment.prediction();
  const PredictedWidth* first = predicted ? first_that_holds(*predicted) : nullptr;
  if (!first) return "";
  std::string result = fmt::format("$band{} << EOD\n", c);
  for (const double width : {static_cast<double>(first->width), limits.right}) {
    const double scale = static_cast<double>(first->width) / width;
    result += fmt::format("{} {} {}\n", width, std::max(scale * first->band.lower, limits.bottom),
                          scale * first->band.upper);
  }
  return result + "EOD\n";
}

std::string data(const std::vector<Curve>& curves, const Frame& limits) {
  std::string result;
  for (std::size_t c = 0; c < curves.size(); ++c) {
    result += fmt::format("$curve{} << EOD\n", c);
    for (const WidthSummary& width : curves[c].experiment.widths) {
      // A logarithmic axis has no room for the lower end of a band that reaches zero.
      result += fmt::format("{} {} {} {}\n", width.width, width.mean_relative_squared_error,
                            std::max(width.interval.lower, limits.bottom), width.interval.upper);
    }
    result += "EOD\n";
    result += band(c, curves[c], limits);
  }
  return result;
}

/// The line of the fitted slope through the middle of the curve's points, as a function of gnuplot's x; ""
/// without a slope.
std::string fitted(const ExperimentSummary& experiment) {
  if (!experiment.rate) return "";
  double log_width = 0, log_error = 0;  // means
  for (const WidthSummary& width : experiment.widths) {
    const auto count = static_cast<double>(experiment.widths.size());
    log_width += std::log(static_cast<double>(width.width)) / count;
    log_error += std::log(width.mean_relative_squared_error) / count;
  }
  // From the middle on: at width 1 the line of a steep slope would overflow.
  return fmt::format("[{}:{}] {:.9g} * (x/{:.9g})**({:.9g})", experiment.widths.front().width,
                     experiment.widths.back().width, std::exp(log_error), std::exp(log_width),
                     experiment.rate->slope);
}

std::string commands(const std::vector<Curve>& curves) {
  std::string result = "plot ";
  result +=
      any_predicted(curves)
          ? "NaN with lines dashtype 2 linewidth 1.5 linecolor '#444444' title 'predicted, nothing fitted'"
          : "$guide with lines dashtype 2 linewidth 1.5 linecolor '#888888' title 'slope −1, for comparison'";
  for (std::size_t c = 0; c < curves.size(); ++c) {
    const std::string& colour = line_colours[c % line_colours.size()];
    const std::size_t point = 5 + 2 * (c % shapes);
    if (const Prediction* predicted = curves[c].experiment.prediction(); predicted != nullptr) {
      if (first_that_holds(*predicted))
        result += fmt::format(", $band{} using 1:2:3 with filledcurves linecolor '{}' notitle", c, colour);
      result += fmt::format(", {:.9g}/x with lines dashtype 2 linewidth 1.5 linecolor '{}' notitle",
                            predicted->relative_c, colour);
    }
    const std::string line = fitted(curves[c].experiment);
    if (!line.empty())
      result += fmt::format(", {} with lines linewidth 1.5 linecolor '{}' notitle", line, colour);
    result += fmt::format(
        ", $curve{} using 1:2:3:4 with yerrorbars pointtype {} pointsize 0.8 linecolor '{}' title {} "
        "noenhanced",
        c, point, colour, quoted(legend(curves[c])));
  }
  return result + "\n";
}

}  // namespace

void plot(const std::vector<Curve>& curves, const std::filesystem::path& base) {
  const Frame limits = frame(curves);
  std::string text = data(curves, limits) + guide(curves, limits) + style + ticks(curves);
  text += fmt::format("set xrange [{}:{}]\nset yrange [{}:{}]\n", limits.left, limits.right, limits.bottom,
                      limits.top);
  // Many bands lie on top of each other.
  text += fmt::format("set style fill transparent solid {:.3f} noborder\n",
                      std::min(0.2, 1.2 / static_cast<double>(curves.size())));
  const Layout layout(curves.size());
  draw({Layout::width, layout.height, 15}, text + layout.commands(), commands(curves), base);
}

}  // namespace nngpcheck::compare
