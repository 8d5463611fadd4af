#include "nngpcheck/inputs/inputs.hpp"

#include <limits>

#include "nngpcheck/inputs/joined_inputs.hpp"
#include "tests/architectures/fixtures.hpp"

namespace nngpcheck::architectures {
namespace {

using namespace nngpcheck::testing;

TEST(Inputs, ValidOnesPass) {
  validate(vectors(1));
  validate(sentences({2, 3, 1}));
  EXPECT_EQ(vectors(4).count(), 4);
  EXPECT_EQ(vectors(4).dimension(), 3);
}

TEST(Inputs, Refused) {
  const auto refused = [](auto spoil, std::initializer_list<const char*> parts) {
    inputs::Inputs inputs = sentences({2, 1});
    spoil(inputs);
    expect_refused([&] { validate(inputs); }, "", parts);
  };
  expect_refused([] { validate(inputs::Inputs{}); }, "",
                 {"the inputs are empty", "give at least one column"});
  refused([](inputs::Inputs& i) { i.data.resize(0, 3); }, {"the inputs are empty", "at least one dimension"});
  refused([](inputs::Inputs& i) { i.data(2, 1) = std::nan(""); }, {"not finite"});
  refused([](inputs::Inputs& i) { i.data(0, 0) = std::numeric_limits<double>::infinity(); }, {"not finite"});
  refused([](inputs::Inputs& i) { i.labels.pop_back(); }, {"3 columns but 2 labels", "give one per column"});
  refused([](inputs::Inputs& i) { i.labels[2] = i.labels[0]; },
          {"two inputs have the same label", "must differ"});
  refused([](inputs::Inputs& i) { i.lengths = {3, 0}; }, {"a sequence is empty", "at least one token"});
  refused(
      [](inputs::Inputs& i) {
        i.lengths = {2, 2};
      },
      {"4 tokens but the inputs 3 columns", "must add up"});
}

TEST(Inputs, OfTwoFilesAreJoined) {
  inputs::Inputs rows = sentences({2, 1}), columns = sentences({2, 3});
  columns.batch = {0, 1};
  const inputs::Inputs both = inputs::joined(rows, columns);
  EXPECT_NO_THROW(validate(both));
  EXPECT_EQ(both.lengths, (std::vector<Eigen::Index>{2, 1, 2, 3}));
  EXPECT_EQ(both.batch, (std::vector<int>{0, 0, 1, 2}));
  EXPECT_EQ(both.data.leftCols(3), rows.data);
  EXPECT_EQ(both.data.rightCols(5), columns.data);
  EXPECT_EQ(both.labels.front(), "row " + rows.labels.front());
  EXPECT_EQ(both.labels.back(), "column " + columns.labels.back());
}

TEST(Inputs, OfTwoKindsAreNotJoined) {
  const auto refused = [](const inputs::Inputs& rows, const inputs::Inputs& columns,
                          std::initializer_list<const char*> parts) {
    expect_refused([&] { inputs::joined(rows, columns); }, "", parts);
  };
  refused(vectors(2), sentences({2}), {"the rows are vectors, but the columns are sequences", "of one kind"});
  inputs::Inputs grid = vectors(4), other = vectors(4), graph = vectors(2), thin = vectors(2);
  grid.grid = {2, 2};
  other.grid = {4};
  graph.graph.emplace();
  thin.data.conservativeResize(1, Eigen::NoChange);
  refused(grid, other, {"samples on a grid of 2×2, but the columns are samples on a grid of 4"});
  refused(graph, graph, {"the nodes of a graph are one sample"});
  refused(thin, vectors(2), {"the rows have 1 numbers each, but the columns 3", "of one dimension"});
}

}  // namespace
}  // namespace nngpcheck::architectures
