#include "nngpcheck/compare/report/plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "nngpcheck/compare/error.hpp"
#include "nngpcheck/compare/report/text.hpp"
#include "nngpcheck/compare/report/width_axes.hpp"

namespace nngpcheck::compare {

namespace {

constexpr std::size_t shapes = 5;  // of points; with the colours, 40 curves differ

std::string legend(const Curve& curve) {
  const std::string label = label_text(curve.label);
  if (!curve.experiment.rate) return label;
  const Rate& rate = *curve.experiment.rate;
  return fmt::format("{}: slope {} ± {:.3f}", label, number(rate.slope, 3), rate.interval.upper - rate.slope);
}

/// Half a decade below the smallest mean and above the largest.
Frame frame(const std::vector<Curve>& curves) {
  Frame result;
  for (const Curve& curve : curves) {
    for (const WidthSummary& width : curve.experiment.widths) {
      const double error = width.mean_relative_squared_error;
      result.include_width(width.width);
      if (error > 0) result.bottom = std::min(result.bottom, error / 3);
      result.top = std::max(result.top, error * 3);
    }
  }
  if (!(result.top > 0)) throw CompareError("nothing to plot: every error is exactly zero");
  return result;
}

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
    const std::string& colour = colour_of(c);
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
  std::set<std::int64_t> widths;
  for (const Curve& curve : curves) {
    for (const WidthSummary& width : curve.experiment.widths) widths.insert(width.width);
  }
  draw({data(curves, limits) + guide(curves, limits), "relative squared error  ‖K_n − K‖^2 / ‖K‖^2",
        "set format y \"10^{%L}\"\n", commands(curves), limits, widths, curves.size()},
       base);
}

}  // namespace nngpcheck::compare
