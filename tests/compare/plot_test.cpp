#include "nngpcheck/compare/report/plot.hpp"

#include <cstdlib>
#include <regex>
#include <set>

#include "scratch.hpp"

namespace nngpcheck::compare {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
namespace fs = std::filesystem;

class Plot : public Scratch {};

const ExperimentSummary example = summarize("rnn", {32, 64}, {{0.5, 0.3}, {0.2, 0.2}});

TEST_F(Plot, DrawsSvgAndPng) {
  plot({{"it's", example}, {"other_name", example}}, folder_ / "plot");
  EXPECT_THAT(read(folder_ / "plot.png"), StartsWith("\x89PNG"));
  const std::string svg = read(folder_ / "plot.svg");
  EXPECT_THAT(svg, HasSubstr("</svg>"));
  EXPECT_THAT(svg, HasSubstr("other_name: slope"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 2);
}

TEST_F(Plot, LeavesNothingWhereItCannotDraw) {
  const ExperimentSummary zero = summarize("zero", {32, 64}, {{0, 0}, {0, 0}});
  EXPECT_THAT(error_of([&] {
                plot({{"a", zero}}, folder_ / "plot");
              }),
              HasSubstr("every error is exactly zero"));
  EXPECT_THAT(error_of([&] {
                plot({{"a", example}}, folder_ / "none" / "plot");
              }),
              HasSubstr("cannot be written"));
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(Plot, SaysThatGnuplotIsMissing) {
  const std::string path = std::getenv("PATH");
  setenv("PATH", folder_.c_str(), 1);
  EXPECT_THAT(error_of([&] { plot({{"a", example}}, folder_ / "plot"); }), HasSubstr("gnuplot-nox"));
  setenv("PATH", path.c_str(), 1);
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(Plot, SaysWhatGnuplotSays) {
  const fs::path fake =
      write(folder_ / "gnuplot", "#!/bin/sh\necho 'line 3:' >&2\necho '  no ink' >&2\nexit 2\n");
  fs::permissions(fake, fs::perms::owner_all);
  const std::string path = std::getenv("PATH");
  setenv("PATH", (folder_.string() + ":" + path).c_str(), 1);
  const std::string error = error_of([&] { plot({{"a", example}}, folder_ / "plot"); });
  setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(error, "gnuplot failed to draw the plot: line 3: no ink");
  fs::remove(fake);
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(Plot, DrawsOneWidthAndWidthsThatAreClose) {
  plot({{"a", summarize("a", {4096}, {{0.5, 0.3}})}}, folder_ / "one");
  EXPECT_THAT(read(folder_ / "one.svg"), AllOf(HasSubstr(">a<"), Not(HasSubstr("a: slope"))));
  // Slopes of thousands: at width 1 the fitted lines are beyond all numbers.
  for (const double narrower : {0.01, 0.9}) {
    plot({{"a", summarize("a", {4096, 4097}, {{narrower, 0.3}, {0.1, 0.3}})}}, folder_ / "two");
    EXPECT_THAT(read(folder_ / "two.svg"), HasSubstr("a: slope "));
  }
}

/// 15/n is predicted of both widths, and holds at the second.
Prediction prediction() {
  Prediction result;
  result.relative_c = 15;
  result.widths = {{32, 15. / 32, {0.4, 0.5}, false}, {64, 15. / 64, {0.2, 0.25}, true}};
  return result;
}

TEST_F(Plot, DrawsWhatIsPredictedInsteadOfAGuide) {
  plot({{"a", example}}, folder_ / "plain");
  EXPECT_THAT(read(folder_ / "plain.svg"), AllOf(HasSubstr("for comparison"), Not(HasSubstr("predicted"))));
  ExperimentSummary predicted = example;
  predicted.predicted = prediction();
  plot({{"a", predicted}, {"b", example}}, folder_ / "predicted");
  const std::string svg = read(folder_ / "predicted.svg");
  EXPECT_THAT(svg, AllOf(HasSubstr("predicted, nothing fitted"), Not(HasSubstr("for comparison"))));
  // Where the band holds nowhere, the line alone.
  predicted.predicted->widths.back().holds = false;
  plot({{"a", predicted}}, folder_ / "line");
  const auto polygons = [](const std::string& text) {
    const std::regex polygon("<polygon");
    return std::distance(std::sregex_iterator(text.begin(), text.end(), polygon), std::sregex_iterator());
  };
  EXPECT_LT(polygons(read(folder_ / "line.svg")), polygons(svg));
  predicted.predicted = Prediction{.none = "no law"};
  plot({{"a", predicted}}, folder_ / "none");
  EXPECT_EQ(read(folder_ / "none.svg"), read(folder_ / "plain.svg"));
}

TEST_F(Plot, TellsManyCurvesApart) {
  std::vector<Curve> curves;
  for (int k = 0; k < 40; ++k) curves.push_back({"same name", example});
  plot(curves, folder_ / "plot");
  const std::string svg = read(folder_ / "plot.svg");
  std::set<std::string> marks;  // in the legend: a shape in a colour
  const std::regex mark("<use xlink:href='#(gpPt\\d+)'[^>]*color='([^']*)'");
  for (std::sregex_iterator it(svg.begin(), svg.end(), mark), end; it != end; ++it) {
    if (it->str(2) != "#FFFFFF") marks.insert(it->str(1) + it->str(2));  // nor halos
  }
  EXPECT_EQ(marks.size(), 40u);
}

TEST_F(Plot, ShortensLongLabels) {
  plot({{std::string(60, 'x'), example}}, folder_ / "plot");
  EXPECT_THAT(read(folder_ / "plot.svg"),
              AllOf(HasSubstr(std::string(16, 'x') + "…" + std::string(15, 'x') + ": slope"),
                    Not(HasSubstr(std::string(17, 'x')))));
}

}  // namespace
}  // namespace nngpcheck::compare
