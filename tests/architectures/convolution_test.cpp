// Convolution and pooling against their definitions.
#include "nngpcheck/netsor/printer.hpp"
#include "tests/architectures/layer_fixtures.hpp"

namespace nngpcheck::architectures {
namespace {

using namespace nngpcheck::testing;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using ::testing::ElementsAre;

const std::vector<Padding> paddings = {"valid", "zero", "circular", "SAME", {0}, {1}, {3}};

// The size of given padding, else -1.
Index size_of(const Padding& padding) { return padding.sizes().empty() ? -1 : padding.sizes().front(); }

Index outputs_of(Index length, Index kernel, Index stride, Index dilation, const Padding& padding) {
  const Index size = padding == "valid" ? 0 : size_of(padding);
  if (size < 0)
    return static_cast<Index>(std::ceil(static_cast<double>(length) / static_cast<double>(stride)));
  return (length + 2 * size - dilation * (kernel - 1) - 1) / stride + 1;
}

// Where output o of one axis reads at offset k, straight from the definition; -1 outside.
Index reads(Index length, Index o, Index k, Index kernel, Index stride, Index dilation,
            const Padding& padding) {
  Index left = padding == "valid" ? 0 : dilation * (kernel - 1) / 2;
  if (padding ==
      "same") {  // the last window ends as little beyond the end as the first begins before it, or one more
    const Index last =
        (outputs_of(length, kernel, stride, dilation, padding) - 1) * stride + dilation * (kernel - 1);
    left = last < length ? 0 : (last - (length - 1)) / 2;
  }
  if (size_of(padding) >= 0) left = size_of(padding);
  const Index at = o * stride + k * dilation - left;
  if (padding == "circular") return ((at % length) + length) % length;
  return at >= 0 && at < length ? at : -1;
}

TEST(Conv, OneAxisEqualsItsDefinition) {
  const inputs::Inputs inputs = sentences({5, 7});
  for (const Padding& padding : paddings) {
    for (const auto& [kernel, stride, dilation] :
         {std::tuple{3, 1, 1}, {2, 1, 1}, {3, 2, 1}, {2, 3, 2}, {4, 2, 1}, {1, 2, 1}}) {
      Conv conv{.kernel = {kernel},
                .stride = {stride},
                .dilation = {dilation},
                .padding = padding,
                .bias_variance = 1};
      const Sample found = sample({{conv, "c"}}, inputs);
      std::vector<VectorXd> expected;
      Index first = 0;
      for (const Index length : inputs.lengths) {
        for (Index o = 0; o < outputs_of(length, kernel, stride, dilation, padding); ++o) {
          VectorXd sum = found.weights.at("c.b").col(0);
          for (Index k = 0; k < kernel; ++k) {
            const Index at = reads(length, o, k, kernel, stride, dilation, padding);
            if (at >= 0)
              sum += found.weights.at("c.W[" + std::to_string(k) + "]") * inputs.data.col(first + at);
          }
          expected.push_back(sum);
        }
        first += length;
      }
      SCOPED_TRACE(padding.text() + " " + std::to_string(kernel) + " " + std::to_string(stride));
      const MatrixXd values = found.values();
      ASSERT_EQ(values.cols(), std::ssize(expected));
      for (Index j = 0; j < values.cols(); ++j)
        expect_equal(values.col(j), expected[static_cast<std::size_t>(j)]);
    }
  }
}

TEST(Conv, PaddingMayDifferBetweenAxes) {
  const inputs::Inputs inputs = grids(2, {3, 4});
  const Conv given{.kernel = {3, 5}, .padding = {1, 2}}, zero{.kernel = {3, 5}};
  Sample found = sample({{given, "c"}}, inputs);
  expect_equal(found.values(), sample({{zero, "c"}}, inputs).values());  // that keeps the size, too
  const Conv shorter{.kernel = {3, 5}, .padding = {1, 1}};
  EXPECT_EQ(sample({{shorter, "c"}}, inputs).program.outputs(), 2 * 3 * 2);
}

TEST(Conv, SameIsZeroAtStrideOneOnly) {
  const inputs::Inputs inputs = grids(2, {4, 6});
  const auto values = [&](const Padding& padding, std::int64_t stride) {
    return sample({{Conv{.kernel = {4, 3}, .stride = {stride}, .padding = padding}, "c"}}, inputs).values();
  };
  expect_equal(values("same", 1), values("zero", 1));
  EXPECT_GT((values("same", 2) - values("zero", 2)).cwiseAbs().maxCoeff(), 1e-3);
}

TEST(Conv, TwoAxesEqualTheDefinition) {
  const inputs::Inputs inputs = grids(2, {3, 4});
  const Conv conv{.kernel = {2, 3}, .stride = {1, 2}, .dilation = {2, 1}, .padding = "zero"};
  const Sample found = sample({{Dense{}, "d"}, relu(), {conv, "c"}}, inputs);
  const MatrixXd hidden = (found.weights.at("d.W") * inputs.data).cwiseMax(0);
  MatrixXd expected = MatrixXd::Zero(n, 2 * 3 * 2);
  for (Index s = 0; s < 2; ++s) {
    for (Index i = 0; i < 3; ++i) {
      for (Index j = 0; j < 2; ++j) {
        for (Index a = 0; a < 2; ++a) {
          for (Index b = 0; b < 3; ++b) {
            const Index row = reads(3, i, a, 2, 1, 2, "zero"), column = reads(4, j, b, 3, 2, 1, "zero");
            if (row < 0 || column < 0) continue;
            const std::string name = "c.W[" + std::to_string(a) + "," + std::to_string(b) + "]";
            expected.col(s * 6 + i * 2 + j) += found.weights.at(name) * hidden.col(s * 12 + row * 4 + column);
          }
        }
      }
    }
  }
  expect_equal(found.values(), expected);
  EXPECT_EQ(found.program.output().labels[7], "1:0,1");
}

TEST(Conv, KernelOfOneIsADenseLayer) {
  const inputs::Inputs inputs = grids(2, {2, 2, 3});
  const Sample conv =
      sample({{Dense{}, "d"}, relu(), {Conv{.kernel = {1}, .bias_variance = 0.5}, "c"}}, inputs);
  Sample dense = sample({{Dense{}, "d"}, relu(), {Dense{.bias_variance = 0.5}, "c"}}, inputs);
  dense.weights["c.W"] = conv.weights.at("c.W[0,0,0]");
  expect_equal(conv.values(), dense.values());
}

TEST(Pool, EqualsItsDefinition) {
  const inputs::Inputs inputs = sentences({5, 4});
  const MatrixXd hidden = sample({{Dense{}, "d"}}, inputs).values();
  for (const auto kind : {Pool::Kind::average, Pool::Kind::sum, Pool::Kind::maximum}) {
    for (const Padding& padding :
         {Padding("valid"), Padding("zero"), Padding("circular"), Padding("same"), Padding{1}}) {
      const Pool pool{.kind = kind, .kernel = {3}, .stride = {2}, .padding = padding};
      const MatrixXd values = sample({{Dense{}, "d"}, {pool}}, inputs).values();
      Index column = 0, first = 0;
      for (const Index length : inputs.lengths) {
        for (Index o = 0; o < outputs_of(length, 3, 2, 1, padding); ++o, ++column) {
          VectorXd sum = VectorXd::Zero(n), largest = VectorXd::Constant(n, -1e300);
          for (Index k = 0; k < 3; ++k) {
            const Index at = reads(length, o, k, 3, 2, 1, padding);
            if (at < 0) continue;
            sum += hidden.col(first + at);
            largest = largest.cwiseMax(hidden.col(first + at));
          }
          expect_equal(values.col(column), kind == Pool::Kind::average ? (sum / 3).eval()
                                           : kind == Pool::Kind::sum   ? sum
                                                                       : largest);
        }
        first += length;
      }
      EXPECT_EQ(column, values.cols());
    }
  }
}

TEST(Pool, TheStrideIsTheKernelUnlessGiven) {
  EXPECT_EQ(sample({{Dense{}}, {Pool{}}}, sentences({6})).values().cols(), 3);
}

TEST(Flatten, SitesBecomeBlocksOfOneWeight) {
  const inputs::Inputs inputs = grids(2, {2, 2});
  const Sample found = sample({{Dense{}, "d"}, relu(), {Flatten{}}, {Dense{}, "f"}}, inputs);
  const MatrixXd hidden = (found.weights.at("d.W") * inputs.data).cwiseMax(0);
  MatrixXd expected = MatrixXd::Zero(n, 2);
  for (Index s = 0; s < 2; ++s) {
    for (Index p = 0; p < 4; ++p) {
      expected.col(s) += found.weights.at("f.W@" + std::to_string(p)) * hidden.col(4 * s + p);
    }
  }
  expect_equal(found.values(), expected);
  EXPECT_EQ(found.program.weights().front().variance, 0.25);  // a quarter of the fan-in each
  EXPECT_THAT(found.program.output().labels, ElementsAre("0", "1"));
}

TEST(Flatten, BlocksOfAnyWidthHaveASum) {
  const Layers layers = {{Conv{.width = netsor::Width(1, 2)}}, relu(), {Flatten{}}};
  const std::string text = netsor::print(program(network(layers), grids(1, {8, 8})));
  EXPECT_THAT(text, ::testing::HasSubstr("] / √(32n), v"));
}

TEST(Flatten, DataAreChannelMajor) {
  const inputs::Inputs inputs = grids(2, {2});
  const Sample found = sample({{Flatten{}}, {Dense{}, "f"}}, inputs);
  MatrixXd data(6, 2);  // 3 channels, 2 positions
  for (Index s = 0; s < 2; ++s) {
    for (Index c = 0; c < 3; ++c) {
      for (Index p = 0; p < 2; ++p) data(2 * c + p, s) = inputs.data(c, 2 * s + p);
    }
  }
  expect_equal(found.values(), found.weights.at("f.W") * data);
}

}  // namespace
}  // namespace nngpcheck::architectures
