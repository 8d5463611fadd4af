// Everything that the builder rejects, and what its message says: instruction, problem, remedy.
#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "nngpcheck/netsor/builder.hpp"
#include "tests/netsor/everything.hpp"
#include "tests/netsor/rejected.hpp"

namespace nngpcheck::netsor {
namespace {

using nngpcheck::testing::expect_rejected;
using nngpcheck::testing::matrix;
using nngpcheck::testing::sparse;

const double nan = std::nan("");
const double infinity = std::numeric_limits<double>::infinity();

// g1 has three columns and width n, x2 = relu(g1); g3 has three columns and width 4n; g4 is one column;
// t5 is 3×3, t6 is 2×3, and W takes width n.
struct Rejected : ::testing::Test {
  Builder b;
  InputWeightId u = b.input_weight({"U", {}, 2});
  WeightId w = b.weight({"W", {}, {}});
  WeightId e = b.weight({"E", Width(4), {}});
  ReadoutId v = b.readout({"v"});
  BundleId g = b.input(u, matrix({{1, 2, 3}, {4, 5, 6}}));
  BundleId x = b.map(Activation::named("relu"), g);
  BundleId wide = b.matmul(e, x);
  BundleId column = b.column(b.bias({"b", {}}));
  TableId square = b.gram(g, x);
  TableId table = b.constant(matrix({{1, 2, 3}, {4, 5, 6}}));
  BundleId pair = b.select(g, {0, 1});
};

TEST_F(Rejected, Names) {
  expect_rejected([&] { b.weight({"", {}, {}}); }, {"weight", "needs a name", "it keys the randomness"});
  expect_rejected([&] { b.input_weight({"", {}, 1}); }, {"input weight", "needs a name"});
  expect_rejected([&] { b.bias({"", {}}); }, {"bias", "needs a name"});
  expect_rejected([&] { b.readout({""}); }, {"readout", "needs a name"});
  expect_rejected(
      [&] {
        b.weight({"U", {}, {}});
      },
      {"weight \"U\"", "the name is taken", "choose another name"});
  expect_rejected([&] { b.readout({"b"}); },
                  {"readout \"b\"", "the name is taken", "first object again to tie it"});
}

TEST_F(Rejected, Variances) {
  for (const double variance : {-1.0, nan, infinity}) {
    expect_rejected(
        [&] {
          b.weight({"A", {}, {}, variance});
        },
        {"weight \"A\"", "variance = ", "give a finite number that is not negative"});
    expect_rejected([&] { b.input_weight({"A", {}, 1, variance}); }, {"input weight \"A\"", "variance = "});
    expect_rejected([&] { b.bias({"A", {}, variance}); }, {"bias \"A\"", "variance = "});
    expect_rejected([&] { b.readout({"A", variance}); }, {"readout \"A\"", "variance = "});
  }
  expect_rejected([&] { b.weight({"A", {}, {}, -0.5}); }, {"variance = -0.5"});
  expect_rejected([&] { b.bias({"A", {}, 1, nan}); }, {"bias \"A\"", "mean = nan", "give a finite number"});
  expect_rejected(
      [&] {
        b.input_weight({"A", {}, 0});
      },
      {"input weight \"A\"", "at least one input dimension"});
  b.weight({"A", {}, {}});  // what was rejected has not taken the name
}

TEST_F(Rejected, Input) {
  expect_rejected(
      [&] {
        b.input(u, matrix({{1, 2}}));
      },
      {"input(U, data)", "U takes 2 input dimensions but the data have 1 rows", "one column per input"});
  expect_rejected([&] { b.input(u, Eigen::MatrixXd(2, 0)); },
                  {"input(U, data)", "no columns", "give one column"});
  expect_rejected(
      [&] {
        b.input(u, matrix({{1, 2}, {3, nan}}));
      },
      {"input(U, data)", "row 1, column 1 is nan", "data must be finite"});
  expect_rejected([&] { b.input(u, matrix({{-infinity, 2}, {3, 4}})); }, {"row 0, column 0 is -inf"});
}

TEST_F(Rejected, MatMul) {
  expect_rejected(
      [&] { b.matmul(w, wide); },
      {"matmul(W, g3)", "W takes width n but g3 has width 4n", "declare the weight with columns = 4n",
       "a weight's transpose is outside NETSOR: the theorem does not cover it"});
}

TEST_F(Rejected, Mix) {
  expect_rejected(
      [&] {
        b.mix(g, sparse({{1}, {2}}));
      },
      {"mix(g1, M)", "M is 2×1 but g1 has 3 columns", "one row per column of the bundle"});
  expect_rejected([&] { b.mix(g, SparseMatrix(3, 0)); }, {"M is 3×0", "at least one column"});
  expect_rejected(
      [&] {
        b.mix(g, sparse({{1}, {nan}, {0}}));
      },
      {"mix(g1, M)", "an entry of M is not finite", "constants must be finite"});
  expect_rejected([&] { b.mix(g, table); },
                  {"mix(g1, t6)", "t6 is 2×3 but g1 has 3 columns", "one row per column of the bundle"});
  expect_rejected(
      [&] {
        b.select(g, {0, 3});
      },
      {"select(g1)", "column 3 but g1 has 3 columns", "count from 0"});
  expect_rejected([&] { b.select(column, {-1}); }, {"select(g4)", "column -1 but g4 has 1 column;"});
  expect_rejected([&] { b.select(g, {}); }, {"mix(g1, M)", "M is 3×0", "at least one column"});
}

TEST_F(Rejected, Add) {
  expect_rejected([&] { b.add(std::vector<Add::Term>{}); }, {"add", "no terms", "give at least one"});
  expect_rejected(
      [&] {
        b.add({{1, g}, {infinity, x}});
      },
      {"add", "the coefficient of x2 is inf", "coefficients must be finite"});
  expect_rejected([&] { b.add(g, wide); }, {"add(g1, g3)", "widths n and 4n differ", "equal widths"});
  expect_rejected(
      [&] {
        b.add({{1, column}, {1, g}, {1, pair}});
      },
      {"add(g1, g7)", "3 columns and 2 columns", "equally many columns, or one to broadcast"});
}

TEST_F(Rejected, Scale) {
  expect_rejected([&] { b.scale(g, square); },
                  {"scale(g1, t5)", "t5 is 3×3 but must be 1×3", "one factor per column of g1"});
  expect_rejected([&] { b.scale(pair, b.mean(g)); }, {"is 1×3 but must be 1×2"});
}

TEST_F(Rejected, ProductsAndMaxima) {
  expect_rejected([&] { b.mul(g, wide); }, {"mul(g1, g3)", "widths n and 4n differ", "need equal widths"});
  expect_rejected([&] { b.max(g, wide); }, {"max(g1, g3)", "widths n and 4n differ", "need equal widths"});
  expect_rejected([&] { b.mul(g, pair); }, {"mul(g1, g7)", "3 columns and 2 columns", "or one to broadcast"});
  expect_rejected([&] { b.max(pair, x); }, {"max(g7, x2)", "2 columns and 3 columns", "or one to broadcast"});
}

TEST_F(Rejected, Functions) {
  const auto sum = [](std::span<const double> a) { return a[0] + a[1]; };
  expect_rejected([&] { Function("", 2, sum); }, {"function", "needs a name"});
  expect_rejected([&] { Function("f", 2, {}); }, {"function \"f\"", "it is empty", "can be called"});
  expect_rejected([&] { Function("f", 0, sum); }, {"function \"f\"", "no arguments", "at least one"});
}

TEST_F(Rejected, Nonlin) {
  const auto sum = [](std::span<const double> a) { return a[0] + a[1]; };
  const Function f("f", 2, sum);
  expect_rejected([&] { b.nonlin(f, {g}); },
                  {"nonlin(f)", "takes 2 bundles but got 1", "one bundle per argument"});
  expect_rejected([&] { b.nonlin(f, {}); }, {"nonlin(f)", "got 0"});
  expect_rejected([&] { b.nonlin(Function("h", 1, sum), {g}); },
                  {"nonlin(h)", "one argument", "use map with Activation::custom"});
  expect_rejected(
      [&] {
        b.nonlin(f, {g, wide});
      },
      {"nonlin(g1, g3)", "widths n and 4n differ", "need equal widths"});
  expect_rejected(
      [&] {
        b.nonlin(testing::bend(), {column, g, pair});
      },
      {"nonlin(g1, g7)", "3 columns and 2 columns", "or one to broadcast"});
  b.nonlin(f, {g, x});
  expect_rejected(
      [&] {
        b.nonlin(Function("f", 2, sum), {x, g});
      },
      {"nonlin(f)", "another function of this program has that name", "choose another name"});
}

TEST_F(Rejected, Standardize) {
  expect_rejected(
      [&] {
        b.standardize(g, {0, 0});
      },
      {"standardize(g1)", "2 group numbers for 3 columns", "give one per column"});
  expect_rejected(
      [&] {
        b.standardize(g, {0, 0, 1});
      },
      {"standardize(g1)", "a group has one column", "two or more columns, or epsilon > 0"});
  for (const double epsilon : {-1e-5, nan, infinity}) {
    expect_rejected(
        [&] {
          b.standardize(g, {0, 0, 0}, epsilon);
        },
        {"standardize", "epsilon = ", "give a finite number that is not negative"});
  }
}

TEST_F(Rejected, Tables) {
  expect_rejected([&] { b.constant(Eigen::MatrixXd(0, 2)); },
                  {"constant", "the table is empty", "at least one"});
  expect_rejected(
      [&] {
        b.constant(matrix({{1, nan}}));
      },
      {"constant", "not finite", "constants must be finite"});
  expect_rejected([&] { b.gram(g, wide); }, {"gram(g1, g3)", "widths n and 4n differ", "need equal widths"});
  expect_rejected([&] { b.apply(Product{}, {}); }, {"apply", "no tables", "give at least one"});
}

TEST_F(Rejected, TableFunctionsOfSeveralTables) {
  for (const auto& [function, name] : {std::pair(TableFunction(SoftmaxKeys{}), "apply(softmax_keys)"),
                                       {TableFunction(Rsqrt{}), "apply(rsqrt)"},
                                       {TableFunction(Transpose{}), "apply(transpose)"},
                                       {TableFunction(Diagonal{}), "apply(diagonal)"}}) {
    expect_rejected([&] { b.apply(function, {square, square}); }, {name, "takes one table but got 2"});
  }
  expect_rejected(
      [&] {
        b.apply(Sum{{1}}, {square, square});
      },
      {"apply(sum)", "1 coefficients for 2 tables", "give one per table"});
  expect_rejected(
      [&] {
        b.apply(Sum{{1, 1}}, {square, table});
      },
      {"apply(sum)", "t5 is 3×3 but t6 is 2×3", "tables of one shape"});
  expect_rejected([&] { b.apply(Sum{{nan}}, {square}); },
                  {"apply(sum)", "a coefficient is not finite", "coefficients must be finite"});
  expect_rejected(
      [&] {
        b.apply(Product{}, {table, square});
      },
      {"apply(product)", "t6 is 2×3 but t5 is 3×3", "tables of one shape"});
}

TEST_F(Rejected, TableFunctionsOfOneTable) {
  const auto masked = [&](const Eigen::MatrixXd& mask) {
    return [&] { b.apply(SoftmaxKeys{std::make_shared<const Eigen::MatrixXd>(mask)}, {table}); };
  };
  const Eigen::MatrixXd tall = matrix({{1, 1}, {1, 1}, {1, 1}});
  const Eigen::MatrixXd closed = matrix({{1, 0, 1}, {1, 0, 0}});
  const Eigen::MatrixXd undefined = matrix({{1, 1, 1}, {1, nan, 1}});
  expect_rejected(masked(tall),
                  {"apply(softmax_keys)", "mask is 3×2 but the table is 2×3", "per key and query"});
  expect_rejected(masked(closed), {"apply(softmax_keys)", "leaves query 1 no key", "an entry that is not 0"});
  expect_rejected(masked(undefined),
                  {"apply(softmax_keys)", "entry of the mask is not finite", "give 0 or 1"});
  expect_rejected([&] { b.apply(Rsqrt{-1}, {table}); }, {"apply(rsqrt)", "epsilon = -1", "not negative"});
  expect_rejected([&] { b.apply(Diagonal{}, {table}); },
                  {"apply(diagonal)", "t6 is 2×3", "the diagonal needs a square table"});
}

TEST_F(Rejected, Output) {
  expect_rejected([&] { b.output(v, std::vector<BundleId>{}); },
                  {"output", "no blocks", "at least one bundle"});
  expect_rejected(
      [&] {
        b.output(v, {g, pair});
      },
      {"output", "g1 has 3 columns but g7 has 2 columns", "all blocks need equally many"});
  expect_rejected(
      [&] {
        b.output(v, g, {"a", "b"});
      },
      {"output", "2 labels for 3 columns", "give one per column"});
  expect_rejected([&] { b.output(v, g, {"a", "b", "a"}); }, {"output", "\"a\" appears twice", "must differ"});
  expect_rejected([] { Builder().build(); }, {"build", "no output", "call output() first"});
  b.output(v, g);  // what was rejected is not an output
  expect_rejected([&] { b.output(v, g); }, {"output", "has one already", "exactly one output"});
}

TEST_F(Rejected, ValuesOfAnotherProgram) {
  Builder other;
  const InputWeightId foreign_u = other.input_weight({"U", {}, 2});
  const WeightId foreign_w = other.weight({"W", {}, {}});
  const BiasId foreign_b = other.bias({"b", {}});
  const ReadoutId foreign_v = other.readout({"v"});
  const BundleId foreign = other.input(foreign_u, matrix({{1, 2, 3}, {4, 5, 6}}));
  const TableId foreign_table = other.gram(foreign, foreign);
  const auto expect = [](const char* instruction, auto call) {
    expect_rejected(call,
                    {instruction, "an operand belongs to another program", "build it with this builder"});
  };
  expect("input", [&] { b.input(foreign_u, matrix({{1}, {2}})); });
  expect("column", [&] { b.column(foreign_b); });
  expect("matmul", [&] { b.matmul(foreign_w, g); });
  expect("matmul", [&] { b.matmul(w, foreign); });
  expect("mix", [&] { b.mix(foreign, sparse({{1}, {0}, {0}})); });
  expect("mix", [&] { b.mix(foreign, square); });
  expect("mix", [&] { b.mix(g, foreign_table); });
  expect("select", [&] { b.select(foreign, {0}); });
  expect("add", [&] { b.add(g, foreign); });
  expect("scale", [&] { b.scale(foreign, square); });
  expect("scale", [&] { b.scale(g, foreign_table); });
  expect("map", [&] { b.map(Activation::named("relu"), foreign); });
  expect("mul", [&] { b.mul(foreign, g); });
  expect("mul", [&] { b.mul(g, foreign); });
  expect("max", [&] { b.max(foreign, foreign); });
  expect("nonlin", [&] { b.nonlin(testing::bend(), {g, x, foreign}); });
  expect("standardize", [&] { b.standardize(foreign, {0, 0, 0}); });
  expect("gram", [&] { b.gram(foreign, g); });
  expect("gram", [&] { b.gram(g, foreign); });
  expect("mean", [&] { b.mean(foreign); });
  expect("apply", [&] { b.apply(Transpose{}, {foreign_table}); });
  expect("output", [&] { b.output(foreign_v, g); });
  expect("output", [&] { b.output(v, foreign); });
  expect("type", [&] { b.type(foreign); });
  expect("type", [&] { b.type(foreign_table); });
}

TEST_F(Rejected, ProgramsThatFillTheMemory) {
  std::size_t made = 0;
  expect_rejected(
      [&] {
        for (BundleId y = x; made <= most_instructions; ++made) y = b.map(Activation::named("tanh"), y);
      },
      {"more than 1000000 instructions", "take fewer layers"});
  EXPECT_GT(made, most_instructions - 20);  // and what the fixture made
}

}  // namespace
}  // namespace nngpcheck::netsor
