// Kernels in tiles equal kernels of their parts, on any number of threads.
#include "nngpcheck/analytic/tiles.hpp"

#include <gmock/gmock.h>

#include <set>

#include "nngpcheck/analytic/limit.hpp"
#include "nngpcheck/architectures/named/cnn.hpp"
#include "nngpcheck/architectures/named/mlp.hpp"
#include "nngpcheck/architectures/named/recurrent.hpp"
#include "nngpcheck/architectures/network.hpp"
#include "nngpcheck/netsor/builder.hpp"
#include "nngpcheck/netsor/passes/restrict.hpp"
#include "reference.hpp"

namespace nngpcheck::analytic {
namespace {

using architectures::GridOutputs;
using architectures::Mask;
using Eigen::Index;
using Eigen::MatrixXd;
using testing::vectors;

std::vector<Index> range(Index first, Index last) {
  std::vector<Index> result;
  for (Index j = first; j < last; ++j) result.push_back(j);
  return result;
}

netsor::Program mlp(const char* activation, Index inputs) {
  architectures::MlpOptions options;
  options.depth = 2;
  options.activation = netsor::Activation::named(activation);
  options.weight_variance = 1.7;
  return architectures::mlp(options, vectors(inputs));
}

inputs::Inputs images(Index count, Index size) {
  inputs::Inputs result = vectors(count * size * size, 3);
  result.grid = {size, size};
  return result;
}

netsor::Program cnn(GridOutputs outputs, Index count, Index size) {
  architectures::CnnOptions options;
  options.outputs = outputs;
  return architectures::cnn(options, images(count, size));
}

// Self-attention within so many sequences.
netsor::Program attention(Mask mask, Index sequences, Index tokens) {
  inputs::Inputs data = vectors(sequences * tokens);
  data.lengths.assign(static_cast<std::size_t>(sequences), tokens);
  architectures::SelfAttention attention;
  attention.mask = mask;
  attention.weights = architectures::AttentionWeights::tied;
  return program(architectures::network({{architectures::Dense{}},
                                         {architectures::Activate{}},
                                         {attention},
                                         {architectures::LayerNorm{}},
                                         {architectures::Activate{}},
                                         {architectures::GlobalAveragePool{}}}),
                 data);
}

TEST(Tiles, CoverEveryEntryOnce) {
  const netsor::Program program = mlp("relu", 700);
  for (const auto& [rows, columns] :
       {std::pair(range(0, 700), range(0, 700)), {range(3, 9), range(0, 690)}}) {
    const bool symmetric = rows == columns;
    std::set<std::pair<Index, Index>> seen;
    const std::vector<Tile> parts = tiles(program, rows, columns, false);
    EXPECT_GT(parts.size(), 1u);
    for (const Tile& tile : parts) {
      for (const Index i : tile.rows) {
        for (const Index j : tile.columns) {
          EXPECT_TRUE(seen.emplace(i, j).second);
          if (symmetric && tile.rows != tile.columns) {
            EXPECT_TRUE(seen.emplace(j, i).second);
          }
        }
      }
    }
    EXPECT_EQ(seen.size(), rows.size() * columns.size());
  }
}

TEST(Tiles, AreOneWhereAPartTakesAsMuchAsTheWhole) {
  netsor::Builder b;
  const MatrixXd data = vectors(600).data;
  const netsor::BundleId x = b.input(b.input_weight({"U", {}, data.rows(), 1}), data);
  const netsor::BundleId y = b.standardize(x, std::vector<int>(600, 0));
  b.output(b.readout({"v", 1}), b.map(netsor::Activation::named("relu"), y));
  EXPECT_EQ(tiles(std::move(b).build(), range(0, 600), range(0, 600), false).size(), 1u);
  EXPECT_EQ(tiles(mlp("relu", 40), range(0, 40), range(0, 40), false).size(), 1u);
}

void expect_equal_parts(const netsor::Program& program, const std::vector<Index>& some) {
  const Limit whole = limit(program, {.threads = 1});
  const Limit part = limit(netsor::restrict_outputs(program, some));
  const MatrixXd allowed = whole.error_bound(some, some) + part.error_bound;
  const MatrixXd difference = whole.value(some, some) - part.value;
  EXPECT_TRUE((difference.array().abs() <= allowed.array()).all()) << difference.cwiseAbs().maxCoeff();
  EXPECT_EQ(whole.value, whole.value.transpose());
  EXPECT_LT(whole.error_bound.maxCoeff(), 1e-11 * whole.value.maxCoeff());
  for (const int threads : {2, 3}) {
    const Limit other = limit(program, {.threads = threads});
    EXPECT_EQ(other.value, whole.value);
    EXPECT_EQ(other.error_bound, whole.error_bound);
    EXPECT_EQ(explain(program, other), explain(program, whole));
  }
}

TEST(Tiles, MakeTheKernelsOfTheirParts) {
  for (const char* activation : {"relu", "erf", "gelu", "tanh", "sin"}) {
    SCOPED_TRACE(activation);
    expect_equal_parts(mlp(activation, 300), {0, 7, 255, 256, 299});
  }
  for (const GridOutputs outputs : {GridOutputs::average, GridOutputs::flatten}) {
    SCOPED_TRACE(word(outputs));
    expect_equal_parts(cnn(outputs, 5, 14), {0, 2, 4});
  }
  for (const Mask mask : {Mask::full, Mask::causal}) {
    SCOPED_TRACE(word(mask));
    const netsor::Program program = attention(mask, 40, 8);
    EXPECT_GT(tiles(program, range(0, 40), range(0, 40), false).size(), 1u);
    expect_equal_parts(program, {0, 17, 39});
  }
}

// Of a kernel of which few entries are computed in each layer, a rectangle is a part of a square.
TEST(Tiles, MakeRectangles) {
  for (const GridOutputs outputs : {GridOutputs::average, GridOutputs::flatten}) {
    const netsor::Program program = cnn(outputs, 6, 14);
    const Limit whole = limit(program);
    const std::vector<Index> rows = {5, 1}, columns = {0, 1, 4};
    const Limit block = limit(program, rows, columns);
    const MatrixXd allowed = whole.error_bound(rows, columns) + block.error_bound;
    EXPECT_TRUE(((block.value - whole.value(rows, columns)).array().abs() <= allowed.array()).all())
        << word(outputs);
    const std::vector<std::string>& labels = program.output().labels;
    EXPECT_EQ(block.labels, (std::vector<std::string>{labels[5], labels[1]}));
    EXPECT_EQ(block.columns, (std::vector<std::string>{labels[0], labels[1], labels[4]}));
  }
}

// What the parts make, put together in another order.
kernels::Kernel put_together(const std::vector<std::vector<kernels::KernelTile>>& parts, const Limit& whole) {
  kernels::Mosaic mosaic(whole.value.rows(), whole.value.cols(), whole.columns.empty());
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    for (const kernels::KernelTile& tile : *part) mosaic.add(tile);
  }
  EXPECT_EQ(mosaic.missing(), 0);
  return mosaic.take();
}

void expect_equal(const kernels::Kernel& kernel, const Limit& whole) {
  EXPECT_EQ(kernel.value, whole.value);
  EXPECT_EQ(kernel.error_bound, whole.error_bound);
  EXPECT_EQ(kernel.standard_error, whole.standard_error);
  EXPECT_EQ(kernel.repeats, whole.repeats);
  EXPECT_EQ(kernel.method, whole.method);
}

void expect_parts(const netsor::Program& program, std::int64_t count, std::size_t parts_with_tiles) {
  const Limit whole = limit(program, {.threads = 2});
  std::vector<std::vector<kernels::KernelTile>> parts;
  for (std::int64_t k = 0; k < count; ++k) parts.push_back(limit_part(program, {k, count}, {.threads = 1}));
  expect_equal(put_together(parts, whole), whole);
  EXPECT_EQ(std::erase_if(parts, [](const auto& part) { return part.empty(); }),
            static_cast<std::size_t>(count) - parts_with_tiles);
}

TEST(Tiles, MakeTheKernelOnMachinesThatShareNothing) {
  for (const char* activation : {"relu", "erf", "tanh"}) expect_parts(mlp(activation, 600), 4, 4);
  expect_parts(mlp("relu", 300), 5, 3);
  expect_parts(cnn(GridOutputs::average, 5, 14), 4, 4);
  expect_parts(cnn(GridOutputs::flatten, 5, 14), 2, 1);
  expect_parts(attention(Mask::causal, 40, 8), 3, 3);
  const std::vector<Index> rows = range(3, 9), columns = range(0, 690);
  const netsor::Program program = mlp("gelu", 700);
  const Limit block = limit(program, rows, columns);
  expect_equal(
      put_together({limit_part(program, rows, columns, {0, 2}), limit_part(program, rows, columns, {1, 2})},
                   block),
      block);
}

// A kernel of sampled paths is one tile.
TEST(Tiles, OfASampledKernelAreOne) {
  inputs::Inputs sentence = vectors(3);
  sentence.lengths = {3};
  expect_parts(architectures::gru({}, sentence), 2, 1);
}

TEST(Tiles, KeepThePlanOfTheWhole) {
  const auto lines = [](const Limit& limit) {
    std::vector<std::pair<std::string, Rule>> result;
    for (const PlanStep& step : limit.plan) result.emplace_back(step.left + " " + step.right, step.rule);
    return result;
  };
  const auto evaluations = [](const Limit& limit) {
    std::int64_t result = 0;
    for (const PlanStep& step : limit.plan) result += step.evaluations;
    return result;
  };
  const Limit whole = limit(mlp("relu", 256)), tiled = limit(mlp("relu", 512));
  EXPECT_EQ(lines(whole), lines(tiled));
  EXPECT_GT(evaluations(tiled), 3 * evaluations(whole));
  EXPECT_LT(evaluations(tiled), 5 * evaluations(whole));
}

TEST(Tiles, AreStopped) {
  const netsor::Program program = mlp("relu", 600);
  LimitOptions options;
  options.progress = Progress({}, [] { return true; });
  EXPECT_THROW(limit(program, options), Stopped);
}

}  // namespace
}  // namespace nngpcheck::analytic
