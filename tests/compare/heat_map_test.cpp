#include "nngpcheck/compare/report/heat_map.hpp"

#include <cmath>

#include "scratch.hpp"

namespace nngpcheck::compare {
namespace {

using Eigen::MatrixXd;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
namespace fs = std::filesystem;

TEST(Correlation, IsTheNormalizedKernel) {
  const MatrixXd kernel{{4, 3}, {3, 9}};
  EXPECT_EQ(correlation(kernel), (MatrixXd{{1, 0.5}, {0.5, 1}}));
  const MatrixXd huge = 1e300 * kernel;
  EXPECT_NEAR(correlation(huge)(0, 1), 0.5, 1e-15);
  EXPECT_EQ(correlation(MatrixXd{{1, -1 - 1e-15}, {-1 - 1e-15, 1}})(0, 1), -1);
}

TEST(Correlation, IsMissingWithoutVariance) {
  const MatrixXd values = correlation(MatrixXd{{2, 0}, {0, 0}});
  EXPECT_EQ(values(0, 0), 1);
  EXPECT_TRUE(std::isnan(values(0, 1)));
  EXPECT_TRUE(std::isnan(values(1, 0)));
  EXPECT_TRUE(std::isnan(values(1, 1)));
}

class HeatMaps : public Scratch {
 protected:
  std::string svg(const MatrixXd& values, const Colours& colours,
                  const std::vector<std::string>& labels) const {
    plot_heat_map(values, colours, labels, folder_ / "map");
    return read(folder_ / "map.svg");
  }
  std::string svg(const MatrixXd& values, const std::vector<std::string>& labels) const {
    return svg(values, correlation_colours({values}), labels);
  }
};

const MatrixXd positive{{1, 0.25}, {0.25, 1}};
const MatrixXd negative{{1, -0.25}, {-0.25, 1}};
// The ends of the two palettes, as gnuplot writes them.
const std::string yellow = "rgb(253, 231,  37)", red = "rgb(103,   0,  31)";

std::vector<std::string> numbers(int count) {
  std::vector<std::string> result;
  for (int k = 0; k < count; ++k) result.push_back("label" + std::to_string(k));
  return result;
}

TEST_F(HeatMaps, AreDrawnAsSvgAndPng) {
  const std::string drawn = svg(positive, {"it's 0:0 the", "50%"});
  EXPECT_THAT(read(folder_ / "map.png"), StartsWith("\x89PNG"));
  EXPECT_THAT(drawn, AllOf(HasSubstr("</svg>"), HasSubstr("it's 0:0 the"), HasSubstr("50%<"),
                           HasSubstr("correlation")));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 2);
  EXPECT_EQ(svg(positive, {"it's 0:0 the", "50%"}), drawn);
}

TEST_F(HeatMaps, HaveColoursForTheirValues) {
  EXPECT_THAT(svg(positive, {"a", "b"}), AllOf(HasSubstr(yellow), Not(HasSubstr(red))));
  EXPECT_THAT(svg(negative, {"a", "b"}), AllOf(HasSubstr(red), Not(HasSubstr(yellow))));
  EXPECT_THAT(svg(positive, correlation_colours({positive, negative}), {"a", "b"}), Not(HasSubstr(yellow)));
  EXPECT_THAT(svg(MatrixXd{{1, -1e-16}, {-1e-16, 1}}, {"a", "b"}), HasSubstr(yellow));
}

TEST(StandardErrorColours, ReachTheLargest) {
  EXPECT_EQ(standard_error_colours(negative).range, 4);
  EXPECT_EQ(standard_error_colours(MatrixXd{{1, -7.5}, {NAN, 3}}).range, 7.5);
}

TEST_F(HeatMaps, LeaveMissingValuesOut) {
  const MatrixXd half = correlation(MatrixXd{{2, 0}, {0, 0}});
  const std::string drawn = svg(half, {"a", "b"});
  EXPECT_THAT(drawn, HasSubstr("rgb(200, 200, 200)"));  // the grey behind
  EXPECT_NE(drawn, svg(MatrixXd{{1, 0}, {0, 0}}, {"a", "b"}));
  EXPECT_NO_THROW(svg(correlation(MatrixXd::Zero(2, 2)), {"a", "b"}));
}

TEST_F(HeatMaps, TakeAnySize) {
  EXPECT_NO_THROW(svg(MatrixXd::Ones(1, 1), {"a"}));
  EXPECT_THAT(svg(MatrixXd::Identity(24, 24), numbers(24)), HasSubstr("label23"));
  EXPECT_THAT(svg(MatrixXd::Identity(25, 25), numbers(25)),
              AllOf(Not(HasSubstr("label23")), HasSubstr("<image style='image-rendering:pixelated'")));
  MatrixXd large = MatrixXd::Random(300, 300);
  large(3, 4) = NAN;
  EXPECT_LT(svg(large, numbers(300)).size(), 200'000u);
  EXPECT_EQ(heat_map_stride(160), 1);
  EXPECT_EQ(heat_map_stride(161), 2);
  EXPECT_EQ(heat_map_stride(320), 2);
}

TEST_F(HeatMaps, ShortenLongLabels) {
  const std::string drawn = svg(MatrixXd::Ones(1, 1), {"ääääääääääääääääää"});
  EXPECT_THAT(drawn, AllOf(HasSubstr("ääääääää…äääääää<"), Not(HasSubstr("äääääääää"))));
}

}  // namespace
}  // namespace nngpcheck::compare
