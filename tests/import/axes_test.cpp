// Axes that grow with the width: how they are cut, viewed and brought together.
#include "nngpcheck/import/axes.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace nngpcheck::importer {
namespace {

const Size n = {16, 32, 48};

Size times(std::int64_t factor, std::int64_t more = 0) {
  return {16 * factor + more, 32 * factor + more, 48 * factor + more};
}
Size fixed(std::int64_t size) { return {size, size, size}; }

/// The work again until no width is split.
template <class Work>
auto settled(const Work& work) {
  for (;;) {
    try {
      return work();
    } catch (const Split&) {
    }
  }
}

TEST(Axes, OfConstantSizeAreFinite) {
  Widths widths(n);
  EXPECT_TRUE(is_finite(widths.axis("x", 0, fixed(5))));
  EXPECT_FALSE(is_finite(widths.axis("w", 0, times(1))));
}

TEST(Axes, CutIntoGates) {
  Widths widths(n);
  const auto pieces = settled([&] { return widths.cut(widths.axis("w", 0, times(3)), {n, n, n}); });
  ASSERT_EQ(pieces.size(), 3u);
  for (const Axis& piece : pieces) EXPECT_EQ(widths.size(piece), n);
  EXPECT_EQ(widths.axis("w", 0, times(3)).size(), 3u);
}

TEST(Axes, ViewedAsHeadsAreBlocks) {
  Widths widths(n);
  const auto axes = settled([&] { return widths.divide(widths.axis("q", 1, n), {fixed(2), {8, 16, 24}}); });
  EXPECT_EQ(slots(axes[0]), 2);
  EXPECT_EQ(widths.width(axes[1][0].width), netsor::Width(1, 2));
}

TEST(Axes, ViewedAsPositionsAreInterleaved) {
  Widths widths(n);
  const auto axes = settled([&] {
    return widths.divide(widths.axis("c", 0, times(4)), {n, fixed(2), fixed(2)});
  });
  ASSERT_EQ(axes.size(), 3u);
  EXPECT_EQ(widths.size(axes[0]), n);
  EXPECT_EQ(widths.axis("c", 0, times(4)), (Axis{{axes[0][0].width, 4}}));
}

TEST(Axes, MeetingBlocksAreSplitAlike) {
  Widths widths(n);
  settled([&] {
    Axis both = widths.axis("h", 0, n);
    both.push_back({finite, 5});
    widths.unify(widths.axis("w", 1, times(1, 5)), both);
    return 0;
  });
  const Axis weight = widths.axis("w", 1, times(1, 5));
  ASSERT_EQ(weight.size(), 2u);
  EXPECT_EQ(weight[1], (Group{finite, 5}));
}

TEST(Axes, ThatDoNotFitAreRefused) {
  Widths widths(n);
  EXPECT_THROW(widths.unify(widths.axis("a", 0, n), widths.axis("b", 0, times(2))), AxesMixed);
  // Five tokens of n entries are not n rows of five.
  const Axis mixed = widths.merge(finite_axis(5), widths.axis("c", 0, n));
  EXPECT_THROW(settled([&] { return widths.divide(mixed, {n, fixed(5)}); }), AxesMixed);
  EXPECT_THROW(widths.merge(widths.axis("a", 0, n), widths.axis("c", 0, n)), AxesMixed);
}

}  // namespace
}  // namespace nngpcheck::importer
