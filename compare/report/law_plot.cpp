#include "nngpcheck/compare/report/law_plot.hpp"

#include <fmt/format.h>

#include "nngpcheck/compare/error.hpp"
#include "nngpcheck/compare/report/width_axes.hpp"
#include "nngpcheck/compare/statistics/prediction.hpp"

namespace nngpcheck::compare {

namespace {

/// What is drawn, at width 1: all of it falls as n^(-1/2).
struct Lines {
  double middle, lower, upper;
  double exact_from;  // from this width on, within the frame
};

double exact_from(const analytic::FiniteWidthLaw& law, const Frame& frame) {
  constexpr double step = 1.05;  // a ratio of widths
  std::vector<std::int64_t> widths;
  for (double width = frame.left; width < frame.right; width *= step)
    widths.push_back(static_cast<std::int64_t>(std::ceil(width)));
  const Prediction prediction = predict(law, widths, 1, {0});
  const PredictedWidth* first = first_that_holds(prediction);
  return first == nullptr ? frame.right
                          : std::clamp(static_cast<double>(first->width), frame.left, frame.right);
}

Lines lines(const LawCurve& curve, const Frame& frame) {
  const analytic::FiniteWidthLaw& law = curve.law;
  return {law.heavy_tails.empty() ? std::sqrt(law.relative_c().value) : law.quantile(1, 0.5),
          law.quantile(1, 0.05), law.quantile(1, 0.95), exact_from(law, frame)};
}

std::string legend(const LawCurve& curve) {
  const std::string label = label_text(curve.label);
  if (!curve.law.fluctuates()) return label + ": 0, every network's kernel is K";
  if (!curve.law.heavy_tails.empty()) return label + ": median, as no mean square exists";
  return fmt::format("{}: 1 % at n = {:.3g}", label, curve.law.width_for(0.01));
}

/// At 1, 2 and 5 times powers of 10, as percentages; at the powers alone where these are many.
std::string percentages(double bottom, double top) {
  std::vector<std::string> result;
  for (double power = std::pow(10, std::floor(std::log10(bottom))); power <= top; power *= 10) {
    for (const double tick : {power, 2 * power, 5 * power}) {
      const bool shown = tick == power || top < 300 * bottom;
      if (shown && bottom <= tick && tick <= top)
        result.push_back(fmt::format("'{:.3g} %%' {}", 100 * tick, tick));
    }
  }
  return fmt::format("set ytics ({})\n", fmt::join(result, ", "));
}

/// Adds a curve's band, its line and its entry of the legend.
void add(WidthPlot& plot, std::size_t number, const LawCurve& curve) {
  Frame& frame = plot.frame;
  const std::string& colour = colour_of(number);
  const auto line = [&](double from, double to, double middle, int dashes) {
    if (from >= to) return;
    plot.commands +=
        fmt::format(", [{}:{}] {:.9g}/sqrt(x) with lines dashtype {} linewidth 1.5 linecolor '{}' notitle",
                    from, to, middle, dashes, colour);
  };
  if (curve.law.fluctuates()) {
    const Lines at = lines(curve, frame);
    frame.bottom = std::min(frame.bottom, at.lower / std::sqrt(frame.right) / 1.3);
    frame.top = std::max(frame.top, at.upper / std::sqrt(frame.left) * 1.3);
    plot.data += fmt::format("$band{} << EOD\n", number);
    for (const double n : {frame.left, frame.right})
      plot.data += fmt::format("{} {} {}\n", n, at.lower / std::sqrt(n), at.upper / std::sqrt(n));
    plot.data += "EOD\n";
    plot.commands +=
        fmt::format(", $band{} using 1:2:3 with filledcurves linecolor '{}' notitle", number, colour);
    line(frame.left, at.exact_from, at.middle, 2);
    line(at.exact_from, frame.right, at.middle, 1);
  }
  plot.commands += fmt::format(", NaN with lines linewidth 1.5 linecolor '{}' title {} noenhanced", colour,
                               quoted(legend(curve)));
}

}  // namespace

void plot_law(const std::vector<LawCurve>& curves, const std::filesystem::path& base) {
  WidthPlot plot{.y_label = "error of one network  ‖K_n − K‖ / ‖K‖", .curves = curves.size()};
  for (const LawCurve& curve : curves) {
    for (const std::int64_t width : curve.widths) plot.frame.include_width(width);
    plot.widths.insert(curve.widths.begin(), curve.widths.end());
  }
  plot.commands =
      "plot NaN with lines dashtype 2 linewidth 1.5 linecolor '#444444' title "
      "'root mean square (dashed: too narrow), 5 % to 95 %'";
  for (std::size_t c = 0; c < curves.size(); ++c) add(plot, c, curves[c]);
  plot.commands += "\n";
  if (plot.data.empty()) throw CompareError("nothing to plot: the kernel of every network is K");
  plot.y_ticks = percentages(plot.frame.bottom, plot.frame.top);
  draw(plot, base);
}

}  // namespace nngpcheck::compare
