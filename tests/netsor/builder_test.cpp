// What the builder makes of valid instructions: types, and structural deduplication.
#include "nngpcheck/netsor/builder.hpp"

#include <gmock/gmock.h>

#include "tests/netsor/everything.hpp"
#include "tests/netsor/rejected.hpp"

namespace nngpcheck::netsor {
namespace {

using nngpcheck::testing::bend;
using nngpcheck::testing::expect_rejected;
using nngpcheck::testing::matrix;
using nngpcheck::testing::sparse;

const Activation relu = Activation::named("relu");

void expect_bundle(const Builder& b, BundleId id, Width width, Index columns, bool gaussian) {
  EXPECT_EQ(b.type(id).width, width);
  EXPECT_EQ(b.type(id).columns, columns);
  EXPECT_EQ(b.type(id).gaussian, gaussian);
}

void expect_table(const Builder& b, TableId id, Index rows, Index columns) {
  EXPECT_EQ(b.type(id).rows, rows);
  EXPECT_EQ(b.type(id).columns, columns);
}

// A builder with a Gaussian bundle g of three columns, a general one x, and a weight W.
struct Fixture : ::testing::Test {
  Builder b;
  InputWeightId u = b.input_weight({"U", {}, 2});
  WeightId w = b.weight({"W", {}, {}});
  Eigen::MatrixXd data = matrix({{1, 2, 3}, {4, 5, 6}});
  BundleId g = b.input(u, data);
  BundleId x = b.map(relu, g);
};

using BuilderTypes = Fixture;
using BuilderDeduplication = Fixture;

TEST_F(BuilderTypes, Bundles) {
  const WeightId wide = b.weight({"E", Width(4), {}});
  const TableId table = b.constant(matrix({{1, 2}, {3, 4}, {5, 6}}));
  const BundleId column = b.column(b.bias({"b", {}}));
  expect_bundle(b, g, {}, 3, true);
  expect_bundle(b, column, {}, 1, true);
  expect_bundle(b, b.ones(Width(4)), Width(4), 1, true);
  expect_bundle(b, b.matmul(wide, x), Width(4), 3, true);
  expect_bundle(b, b.mix(g, sparse({{1, 2}, {0, 1}, {0, 0}})), {}, 2, true);
  expect_bundle(b, b.mix(x, sparse({{1, 2}, {0, 1}, {0, 0}})), {}, 2, false);
  expect_bundle(b, b.mix(g, table), {}, 2, true);
  expect_bundle(b, b.mix(x, table), {}, 2, false);
  expect_bundle(b, b.select(g, {2, 0, 2, 1}), {}, 4, true);
  expect_bundle(b, b.add(column, g), {}, 3, true);
  expect_bundle(b, b.add(g, x), {}, 3, false);
  expect_bundle(b, b.scale(g, b.mean(g)), {}, 3, true);
  expect_bundle(b, b.scale(x, b.mean(g)), {}, 3, false);
  expect_bundle(b, x, {}, 3, false);
  expect_bundle(b, b.mul(column, g), {}, 3, false);
  expect_bundle(b, b.max(g, column), {}, 3, false);
  expect_bundle(b, b.nonlin(bend(), {column, g, x}), {}, 3, false);
  expect_bundle(b, b.nonlin(bend(), {column, column, column}), {}, 1, false);
  expect_bundle(b, b.standardize(g, {0, 0, 0}), {}, 3, false);
}

TEST_F(BuilderTypes, Tables) {
  const TableId rectangular = b.gram(g, b.ones());
  const TableId square = b.gram(g, x);
  expect_table(b, b.constant(matrix({{1, 2}})), 1, 2);
  expect_table(b, rectangular, 3, 1);
  expect_table(b, square, 3, 3);
  expect_table(b, b.mean(x), 1, 3);
  expect_table(b, b.apply(SoftmaxKeys{}, {rectangular}), 3, 1);
  expect_table(b, b.apply(Rsqrt{1}, {rectangular}), 3, 1);
  expect_table(b, b.apply(Transpose{}, {rectangular}), 1, 3);
  expect_table(b, b.apply(Diagonal{}, {square}), 1, 3);
  expect_table(b, b.apply(Sum{{1, 2}}, {rectangular, rectangular}), 3, 1);
  expect_table(b, b.apply(Product{}, {rectangular, rectangular}), 3, 1);
}

TEST_F(BuilderTypes, ProgramKeepsObjectsInstructionsAndOutput) {
  const ReadoutId v = b.readout({"v", 2});
  b.output(v, {x, b.matmul(b.weight({"E", Width(4), {}}), x)}, {"p", "q", "r"});
  const Program program = std::move(b).build();
  EXPECT_EQ(program.nodes().size(), 3u);
  EXPECT_EQ(program.outputs(), 3);
  EXPECT_EQ(program.output().blocks.size(), 2u);
  EXPECT_THAT(program.output().labels, ::testing::ElementsAre("p", "q", "r"));
  EXPECT_EQ(program[u].name, "U");
  EXPECT_EQ(program[w].name, "W");
  EXPECT_EQ(program.weights().size(), 2u);
  EXPECT_EQ(program.readout().variance, 2);
  EXPECT_EQ(program.type(x).columns, 3);
  EXPECT_EQ(program.bundle(1), x);
  EXPECT_EQ(program.name(0), "g1");
  EXPECT_EQ(program.name(1), "x2");
  EXPECT_EQ(*std::get<Input>(program[g].operation).data, data);
}

TEST_F(BuilderTypes, LabelsDefaultToNumbers) {
  b.output(b.readout({"v"}), x);
  EXPECT_THAT(std::move(b).build().output().labels, ::testing::ElementsAre("0", "1", "2"));
}

TEST_F(BuilderDeduplication, IdenticalInstructionsAreOne) {
  const BundleId column = b.column(b.bias({"b", {}}));
  const TableId square = b.gram(g, x);
  const SparseMatrix m = sparse({{1, 2}, {0, 1}, {0, 0}});
  EXPECT_EQ(b.matmul(w, x), b.matmul(w, x));
  EXPECT_EQ(b.map(relu, g), x);
  EXPECT_EQ(b.ones(), b.ones());
  EXPECT_EQ(b.mix(g, m), b.mix(g, m));
  EXPECT_EQ(b.mix(g, square), b.mix(g, square));
  EXPECT_EQ(b.add(g, column), b.add(column, g));
  EXPECT_EQ(b.scale(g, b.mean(x)), b.scale(g, b.mean(x)));
  EXPECT_EQ(b.mul(g, x), b.mul(x, g));
  EXPECT_EQ(b.max(g, x), b.max(x, g));
  EXPECT_EQ(b.nonlin(bend(), {g, x, x}), b.nonlin(Function(bend()), {g, x, x}));
  EXPECT_NE(b.nonlin(bend(), {g, x, x}), b.nonlin(bend(), {x, g, x}));
  EXPECT_EQ(b.gram(g, x), square);
  EXPECT_EQ(b.standardize(g, {0, 0, 0}, 0.5), b.standardize(g, {0, 0, 0}, 0.5));
  for (const TableFunction& function :
       {TableFunction(SoftmaxKeys{}), TableFunction(Rsqrt{1}), TableFunction(Transpose{}),
        TableFunction(Diagonal{}), TableFunction(Sum{{2}}), TableFunction(Product{})}) {
    EXPECT_EQ(b.apply(function, {square}), b.apply(function, {square}));
  }
}

TEST_F(BuilderDeduplication, ConstantsCompareByValue) {
  EXPECT_EQ(b.input(u, matrix({{1, 2, 3}, {4, 5, 6}})), g);
  EXPECT_EQ(b.constant(matrix({{1, 2}})), b.constant(matrix({{1, 2}})));
  EXPECT_EQ(b.mix(g, sparse({{1}, {0}, {2}})), b.mix(g, sparse({{1}, {0}, {2}})));
  const auto mask = [] { return std::make_shared<const Eigen::MatrixXd>(matrix({{1, 0}, {1, 1}})); };
  const TableId table = b.constant(matrix({{1, 2}, {3, 4}}));
  EXPECT_EQ(b.apply(SoftmaxKeys{mask()}, {table}), b.apply(SoftmaxKeys{mask()}, {table}));
}

TEST_F(BuilderDeduplication, DifferentInstructionsStayApart) {
  const TableId table = b.constant(matrix({{1, 2}, {3, 4}}));
  EXPECT_NE(b.input(u, matrix({{1, 2, 3}, {4, 5, 7}})), g);
  EXPECT_NE(b.input(u, matrix({{1, 2}, {4, 5}})), g);
  EXPECT_NE(b.constant(matrix({{1, 2}})), b.constant(matrix({{1}, {2}})));
  EXPECT_NE(b.mix(g, sparse({{1}, {0}, {2}})), b.mix(g, sparse({{1}, {2}, {0}})));
  EXPECT_NE(b.matmul(w, x), b.matmul(w, g));
  EXPECT_NE(b.map(relu, g), b.map(Activation::named("tanh"), g));
  EXPECT_NE(b.ones(), b.ones(Width(2)));
  EXPECT_NE(b.mul(g, x), b.max(g, x));
  EXPECT_NE(b.gram(g, x), b.gram(x, g));
  EXPECT_NE(b.add({{1, g}, {2, x}}), b.add({{2, g}, {1, x}}));
  EXPECT_NE(b.standardize(g, {0, 0, 0}, 1), b.standardize(g, {0, 0, 0}, 2));
  EXPECT_NE(b.standardize(g, {0, 0, 1}, 1), b.standardize(g, {0, 1, 1}, 1));
  EXPECT_NE(b.apply(Rsqrt{1}, {table}), b.apply(Rsqrt{2}, {table}));
  EXPECT_NE(b.apply(Sum{{1}}, {table}), b.apply(Sum{{2}}, {table}));
  EXPECT_NE(b.apply(Transpose{}, {table}), b.apply(Product{}, {table}));
  const auto mask = std::make_shared<const Eigen::MatrixXd>(matrix({{1, 0}, {1, 1}}));
  EXPECT_NE(b.apply(SoftmaxKeys{}, {table}), b.apply(SoftmaxKeys{mask}, {table}));
}

TEST_F(BuilderDeduplication, RandomObjectsAreNeverMerged) {
  const WeightId other = b.weight({"W'", {}, {}});
  EXPECT_NE(w, other);
  EXPECT_NE(b.matmul(w, x), b.matmul(other, x));
  EXPECT_NE(b.input(u, data), b.input(b.input_weight({"U'", {}, 2}), data));
  EXPECT_NE(b.column(b.bias({"b", {}})), b.column(b.bias({"b'", {}})));
}

TEST_F(BuilderDeduplication, ActivationsGoByFunction) {
  const auto f = [](const char* name) { return Activation::custom(name, [](double z) { return z; }); };
  const Activation mine = f("mine"), copy = mine;
  EXPECT_EQ(b.map(mine, g), b.map(copy, g));
  EXPECT_NE(b.map(mine, g), b.map(f("yours"), g));
  EXPECT_EQ(b.map(Activation::from_expression("x*x + 1"), g),
            b.map(Activation::from_expression("x * x+1", "h"), g));
  EXPECT_EQ(b.map(Activation::named("relu6"), g), b.map(Activation::from_expression("clip(x, 0, 6)"), g));
}

TEST_F(BuilderDeduplication, TwoFunctionsOfOneNameAreRefused) {
  b.map(Activation::from_expression("x*x", "f"), g);
  expect_rejected([&] { b.map(Activation::from_expression("tanh(x)", "f"), x); },
                  {"map(f, ", "another function", "called \"f\"", "give one of them another name"});
  const auto square = [](double z) { return z * z; };
  b.map(Activation::custom("mine", square), g);
  expect_rejected([&] { b.map(Activation::custom("mine", square), g); },
                  {"called \"mine\"", "use the same Activation (or a copy) if they are one function"});
}

TEST_F(BuilderDeduplication, SumsAreCollected) {
  EXPECT_EQ(b.add(x, x), b.add({{2, x}}));
  EXPECT_NE(b.add(x, x), x);
  EXPECT_EQ(b.add({{0.5, x}, {0.5, x}}), x);
  EXPECT_EQ(b.add({{1, x}}), x);
  EXPECT_EQ(b.add({{1, g}, {3, x}, {-2, x}}), b.add(g, x));
}

TEST_F(BuilderDeduplication, InstructionsThatChangeNothingAreNotRecorded) {
  EXPECT_EQ(b.map(Activation::named("identity"), x), x);
  EXPECT_EQ(b.max(x, x), x);
  EXPECT_EQ(b.select(x, {0, 1, 2}), x);
  EXPECT_NE(b.select(x, {0, 2, 1}), x);
  EXPECT_NE(b.select(x, {0, 1}), x);
}

TEST_F(BuilderDeduplication, ASquareIsMapSquare) {
  EXPECT_EQ(b.mul(x, x), b.map(Activation::named("square"), x));
  EXPECT_EQ(b.mul(x, x), b.map(Activation::named("power_2"), x));
}

TEST_F(BuilderDeduplication, StoredZerosAreDropped) {
  SparseMatrix stored(3, 2);
  stored.insert(0, 0) = 1;
  stored.insert(1, 1) = 0;
  EXPECT_EQ(b.mix(g, stored), b.mix(g, sparse({{1, 0}, {0, 0}, {0, 0}})));
}

TEST_F(BuilderDeduplication, GroupsAreNumberedByFirstAppearance) {
  EXPECT_EQ(b.standardize(g, {7, -2, 7}, 1), b.standardize(g, {0, 1, 0}, 1));
  const BundleId made = b.standardize(g, {7, -2, 7}, 1);
  b.output(b.readout({"v"}), made);
  const Program program = std::move(b).build();
  EXPECT_THAT(std::get<Standardize>(program[made].operation).group, ::testing::ElementsAre(0, 1, 0));
}

}  // namespace
}  // namespace nngpcheck::netsor
