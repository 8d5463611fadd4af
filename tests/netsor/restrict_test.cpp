#include "nngpcheck/netsor/passes/restrict.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "nngpcheck/netsor/builder.hpp"
#include "nngpcheck/netsor/printer.hpp"
#include "tests/netsor/everything.hpp"
#include "tests/netsor/interpreter.hpp"
#include "tests/netsor/rejected.hpp"

namespace nngpcheck::netsor {
namespace {

using namespace nngpcheck::testing;
using Eigen::MatrixXd;
using Columns = std::vector<Index>;

constexpr std::int64_t n = 5;
constexpr double rounding = 1e-12;  // of sums of a few dozen numbers of size 1

// Some data of dimension 2.
MatrixXd wave(Index columns) {
  MatrixXd result(2, columns);
  for (int j = 0; j < columns; ++j) result.col(j) << std::sin(3 * j), std::cos(1 + 2 * j);
  return result;
}

TEST(Restriction, KeepsWhereInstructionsComeFrom) {
  Builder b;
  const auto labels =
      std::make_shared<const std::vector<std::string>>(std::vector<std::string>{"p", "q", "r"});
  const BundleId g = b.input(b.input_weight({"U", {}, 2}), wave(3));
  b.set_origin(std::make_shared<const Origin>(Origin{"first", {labels}}));
  const BundleId x = b.map(Activation::named("tanh"), g);
  b.set_origin(std::make_shared<const Origin>(Origin{"second", {labels}}));
  EXPECT_EQ(b.map(Activation::named("tanh"), g), x) << "an origin makes no other instruction";
  b.output(b.readout({"v"}), x);
  const Program program = std::move(b).build();
  EXPECT_EQ(program.place(0, {1}), "g1");
  EXPECT_EQ(program.place(1), "layer \"first\" (x2)");
  EXPECT_EQ(program.place(1, {1, 2}), "layer \"first\" (x2), inputs \"q\" and \"r\"");
  EXPECT_EQ(program.place(1, {2, 2}), "layer \"first\" (x2), input \"r\"");
  const Program part = restrict_outputs(program, {2, 1});
  EXPECT_EQ(part.place(1, {0}), "layer \"first\" (x2), input \"q\"");
}

// Eight inputs through two layers and a pooling in pairs: four outputs.
Program pooled() {
  Builder b;
  const BundleId g = b.input(b.input_weight({"U", {}, 2}), wave(8));
  const BundleId x = b.map(Activation::named("tanh"), b.add(g, b.column(b.bias({"b", {}}))));
  SparseMatrix pairs(8, 4);
  for (Index j = 0; j < 8; ++j) pairs.insert(j, j / 2) = 0.5;
  b.output(b.readout({"v"}), b.matmul(b.weight({"W", {}, {}}), b.mix(x, pairs)), {"a", "b", "c", "d"});
  return std::move(b).build();
}

MatrixXd numbers(const Program& program, const Weights& weights) { return outputs(program, weights, n); }

TEST(Restrict, OutputsAreTheSelectedColumns) {
  for (const Program& program : {everything(), pooled()}) {
    const Weights weights = draw(program, n);
    const MatrixXd full = numbers(program, weights);
    ASSERT_GT(full.cwiseAbs().minCoeff(), 0);
    for (const Columns& columns : {Columns{0}, {3}, {2, 0}, {1, 2, 3}, {3, 2, 1, 0}, {0, 1, 2, 3}}) {
      const Program restricted = restrict_outputs(program, columns);
      const MatrixXd expected = full(Eigen::all, columns);
      EXPECT_LT((numbers(restricted, weights) - expected).cwiseAbs().maxCoeff(), rounding);
      EXPECT_EQ(draw(restricted, n), weights);
    }
    // The check can fail: other columns are other numbers.
    EXPECT_GT((numbers(restrict_outputs(program, {1}), weights) - full.col(0)).cwiseAbs().maxCoeff(), 1e-3);
  }
}

TEST(Restrict, LabelsFollowTheirColumns) {
  EXPECT_THAT(restrict_outputs(everything(), {2, 0}).output().labels, ::testing::ElementsAre("c", "a"));
}

TEST(Restrict, ColumnsThatNothingNeedsAreGone) {
  const Program restricted = restrict_outputs(pooled(), {1, 3});
  EXPECT_EQ(print(restricted),
            "Input:  U : A(n, 2), iid N(0, 1/2)\n"
            "Input:  W : A(n, n), iid N(0, 1/n)\n"
            "Input:  b : G(n), iid N(0, 1)\n"
            " 1: g1 := U D1 : G(n)^4    // D1 is 2×4\n"
            " 2: g2 := b : G(n)^1\n"
            " 3: g3 := g1 + g2 : G(n)^4\n"
            " 4: x4 := tanh(g3) : H(n)^4\n"
            " 5: x5 := x4 M5 : H(n)^2    // M5 is 4×2, 4 nonzeros\n"
            " 6: g6 := W x5 : G(n)^2\n"
            "Output: vᵀ g6 / √n, v ~ N(0, 1), 2 columns\n");
  const Program original = pooled();
  const MatrixXd& data = *std::get<Input>(original.nodes()[0].operation).data;
  EXPECT_EQ(*std::get<Input>(restricted.nodes()[0].operation).data, data(Eigen::all, Columns{2, 3, 6, 7}));
}

TEST(Restrict, AllColumnsInOrderGiveTheSameProgram) {
  for (const Program& program : {pooled(), everything()}) {
    EXPECT_EQ(print(restrict_outputs(program, {0, 1, 2, 3})), print(program));
    EXPECT_NE(print(restrict_outputs(program, {1, 0, 2, 3})), print(program));
  }
}

TEST(Restrict, OnlyTouchedGroupsAreStandardized) {
  Builder b;
  const BundleId g = b.input(b.input_weight({"U", {}, 2}), wave(6));
  b.output(b.readout({"v"}), b.standardize(g, {0, 1, 0, 1, 2, 2}));
  const Program program = std::move(b).build();
  const Program restricted = restrict_outputs(program, {3, 0});
  EXPECT_EQ(restricted.type(restricted.bundle(0)).columns, 4);
  const Weights weights = draw(program, n);
  const MatrixXd expected = numbers(program, weights)(Eigen::all, Columns{3, 0});
  EXPECT_LT((numbers(restricted, weights) - expected).cwiseAbs().maxCoeff(), rounding);
}

TEST(Restrict, AColumnOfZerosStaysZero) {
  Builder b;
  const BundleId g = b.input(b.input_weight({"U", {}, 1}), matrix({{1, 2}}));
  b.output(b.readout({"v"}), b.mix(g, sparse({{0, 1}, {0, 1}})));
  const Program program = std::move(b).build();
  EXPECT_EQ(numbers(restrict_outputs(program, {0}), draw(program, n)), MatrixXd::Zero(n, 1));
}

TEST(Restrict, RectangleSharesInstructions) {
  for (const Program& program : {everything(), pooled()}) {
    const Weights weights = draw(program, n);
    const MatrixXd full = numbers(program, weights);
    const Columns rows{2, 0}, columns{3, 0, 1};
    const Rectangle rectangle = restrict_rectangle(program, rows, columns);
    const MatrixXd expected = full(Eigen::all, Columns{2, 0, 3, 0, 1});
    EXPECT_LT((numbers(rectangle.program, weights) - expected).cwiseAbs().maxCoeff(), rounding);
    const auto values = evaluate(rectangle.program, weights, n);
    ASSERT_EQ(rectangle.rows.size(), program.output().blocks.size());
    ASSERT_EQ(rectangle.columns.size(), program.output().blocks.size());
    const MatrixXd first = full.topRows(n);  // the first block has width n
    EXPECT_LT((values[rectangle.rows[0].index()] - first(Eigen::all, rows)).cwiseAbs().maxCoeff(), rounding);
    EXPECT_LT((values[rectangle.columns[0].index()] - first(Eigen::all, columns)).cwiseAbs().maxCoeff(),
              rounding);
  }
}

TEST(Restrict, EqualSidesOfARectangleAreOneBundle) {
  const Rectangle rectangle = restrict_rectangle(pooled(), {1, 3}, {1, 3});
  EXPECT_EQ(rectangle.rows, rectangle.columns);
  EXPECT_NE(restrict_rectangle(pooled(), {1, 3}, {3, 1}).rows, rectangle.columns);
}

TEST(Restrict, ABundleWithSeveralReadersIsWrittenOnce) {
  Builder b;
  const BundleId x = b.map(Activation::named("tanh"), b.input(b.input_weight({"U", {}, 2}), wave(6)));
  const WeightId w = b.weight({"W", {}, {}});
  const BundleId first = b.matmul(w, b.select(x, {0, 1, 2}));
  b.output(b.readout({"v"}), b.add(first, b.select(x, {3, 2, 1})));
  const Program program = std::move(b).build();
  const Program restricted = restrict_outputs(program, {0, 1});
  EXPECT_EQ(restricted.nodes().size(), program.nodes().size());
  EXPECT_EQ(restricted.type(restricted.bundle(0)).columns, 4);  // inputs 0, 1 and 3, 2
}

// Two sequences of three tokens, the columns `visible` to each other by a table that a mask leaves of scores,
// scaled and averaged.
Program attending(const MatrixXd& visible) {
  Builder b;
  const BundleId x = b.map(Activation::named("tanh"), b.input(b.input_weight({"U", {}, 2}), wave(6)));
  const TableId scores = b.gram(x, b.matmul(b.weight({"W", {}, {}}), x));
  const auto mask = std::make_shared<const MatrixXd>(visible);
  const TableId weights = b.apply(SoftmaxKeys{mask}, {scores});
  const TableId both = b.apply(
      Product{}, {b.apply(Sum{{1, 0.5}}, {weights, b.apply(Transpose{}, {scores})}), b.constant(visible)});
  const BundleId attended = b.add(b.mix(x, weights), b.mix(x, both));
  const TableId squares = b.apply(Diagonal{}, {b.gram(attended, attended)});
  SparseMatrix average(6, 2);
  for (Index j = 0; j < 6; ++j) average.insert(j, j / 3) = 1. / 3;
  b.output(b.readout({"v"}), b.mix(b.scale(attended, b.apply(Rsqrt{0.1}, {squares})), average));
  return std::move(b).build();
}

TEST(Restrict, TablesKeepWhatTheirColumnsRead) {
  MatrixXd apart = MatrixXd::Zero(6, 6);
  apart.topLeftCorner(3, 3).setOnes();
  apart.bottomRightCorner(3, 3).triangularView<Eigen::Upper>().setOnes();  // causal
  MatrixXd together = apart;
  together(0, 5) = 1;
  for (const auto& [visible, columns] : {std::pair(apart, 3), {together, 6}}) {
    const Program program = attending(visible);
    const Weights weights = draw(program, n);
    const MatrixXd full = numbers(program, weights);
    for (const Index output : {0, 1}) {
      const Program restricted = restrict_outputs(program, {output});
      EXPECT_LT((numbers(restricted, weights) - full.col(output)).cwiseAbs().maxCoeff(), rounding);
      EXPECT_GT((numbers(restricted, weights) - full.col(1 - output)).cwiseAbs().maxCoeff(), 1e-3);
      EXPECT_EQ(restricted.type(restricted.bundle(0)).columns, output == 0 ? 3 : columns);
    }
    EXPECT_EQ(print(restrict_outputs(program, {0, 1})), print(program));
  }
}

// Of a table that is read twice, the larger part is made, for all that meets it.
TEST(Restrict, TablesThatMeetHaveOnePart) {
  Builder b;
  const BundleId x = b.input(b.input_weight({"U", {}, 2}), wave(4));
  MatrixXd diagonal = MatrixXd::Identity(4, 4), all = MatrixXd::Ones(4, 4);
  const TableId scores = b.gram(x, x);
  const TableId narrow = b.apply(Product{}, {scores, b.constant(diagonal)});
  const BundleId first = b.mix(x, b.constant(all - diagonal));
  const BundleId second = b.mix(first, narrow);
  b.output(b.readout({"v"}),
           b.add(second, b.mix(x, b.apply(Product{}, {narrow, b.apply(Transpose{}, {scores})}))));
  const Program program = std::move(b).build();
  const Weights weights = draw(program, n);
  const MatrixXd full = numbers(program, weights);
  for (const Columns& columns : {Columns{0}, {3, 1}, {0, 1, 2, 3}}) {
    const MatrixXd expected = full(Eigen::all, columns);
    EXPECT_LT((numbers(restrict_outputs(program, columns), weights) - expected).cwiseAbs().maxCoeff(),
              rounding);
  }
}

TEST(Restrict, DeepProgramsDoNotExhaustTheStack) {
  Builder b;
  const WeightId w = b.weight({"W", {}, {}});
  BundleId x = b.input(b.input_weight({"U", {}, 1}), matrix({{1, 2}}));
  for (int k = 0; k < 50000; ++k) x = b.matmul(w, x);
  b.output(b.readout({"v"}), x);
  EXPECT_EQ(restrict_outputs(std::move(b).build(), {0}).nodes().size(), 50001u);
}

TEST(Restrict, TablesThatShareTablesTakeLinearTime) {
  Builder b;
  const BundleId g = b.input(b.input_weight({"U", {}, 1}), matrix({{1, 2}}));
  TableId table = b.gram(g, g);
  for (int k = 0; k < 60; ++k) table = b.apply(Sum{{0.5, 0.25}}, {table, table});
  b.output(b.readout({"v"}), b.mix(g, table));
  EXPECT_EQ(restrict_outputs(std::move(b).build(), {0, 1}).nodes().size(), 63u);
}

TEST(Restrict, Rejects) {
  const Program program = pooled();
  expect_rejected([&] { restrict_outputs(program, {}); },
                  {"restrict_outputs", "no output is selected", "at least"});
  expect_rejected([&] { restrict_outputs(program, {4}); },
                  {"restrict_outputs", "output 4 of 4", "count from 0"});
  expect_rejected([&] { restrict_outputs(program, {-1}); }, {"output -1 of 4", "count from 0"});
  expect_rejected([&] { restrict_outputs(program, {1, 1}); }, {"output 1 is selected twice", "once"});
  expect_rejected([&] { restrict_rectangle(program, {}, {0}); }, {"restrict_rectangle: rows", "no output"});
  expect_rejected([&] { restrict_rectangle(program, {0}, {7}); },
                  {"restrict_rectangle: columns", "output 7 of 4"});
}

}  // namespace
}  // namespace nngpcheck::netsor
