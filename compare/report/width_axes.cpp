#include "nngpcheck/compare/report/width_axes.hpp"

#include <fmt/format.h>

#include <vector>

#include "nngpcheck/compare/report/text.hpp"

namespace nngpcheck::compare {

namespace {

const std::string style = R"(set encoding utf8
set logscale xy
set xlabel "width n" offset 0,0.3
set border 3
set tics nomirror out
set grid xtics ytics linecolor "#e4e4e4" linetype 1
)";

constexpr std::size_t longest_label = 32;

/// At the widths themselves where they are few; gnuplot's decades otherwise.
std::string ticks(const std::set<std::int64_t>& widths) {
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

}  // namespace

const std::string& colour_of(std::size_t curve) {
  static const std::vector<std::string> colours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                   "#56b4e9", "#e69f00", "#000000", "#a6761d"};
  return colours[curve % colours.size()];
}

std::string label_text(const std::string& label) { return shortened(label, longest_label); }

void draw(const WidthPlot& plot, const std::filesystem::path& base) {
  const Layout layout(plot.curves);
  std::string setup = plot.data + style + ticks(plot.widths);
  setup += fmt::format("set ylabel {}\n", quoted(plot.y_label)) + plot.y_ticks;
  setup += fmt::format("set xrange [{}:{}]\nset yrange [{}:{}]\n", plot.frame.left, plot.frame.right,
                       plot.frame.bottom, plot.frame.top);
  // Many bands lie on top of each other.
  setup += fmt::format("set style fill transparent solid {:.3f} noborder\n",
                       std::min(0.2, 1.2 / static_cast<double>(plot.curves)));
  draw({Layout::width, layout.height, 15}, setup + layout.commands(), plot.commands, base);
}

}  // namespace nngpcheck::compare
