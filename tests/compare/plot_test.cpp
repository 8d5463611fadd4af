#include "compare/plot.hpp"

#include <cstdlib>

#include "compare/report.hpp"
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

TEST(Report, StatesEvidenceAndItsLimits) {
  const std::string text = report({{example}}, {"width_error.png", {"correlation_rnn.png"}});
  EXPECT_THAT(text, HasSubstr("## rnn"));
  EXPECT_THAT(text, HasSubstr("](width_error.png)"));
  EXPECT_THAT(text, HasSubstr("](correlation_rnn.png)"));
  EXPECT_THAT(text, HasSubstr("| 32 | 2 | 4.0000e-01 |"));
  EXPECT_THAT(text, HasSubstr("not evidence that K is right"));
  EXPECT_THAT(report({{example}}, {}), Not(HasSubstr(".png")));
}

}  // namespace
}  // namespace nngpcheck::compare
