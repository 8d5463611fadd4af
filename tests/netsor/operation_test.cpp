#include "nngpcheck/netsor/operation.hpp"

#include <gmock/gmock.h>

#include "nngpcheck/netsor/passes/traits.hpp"
#include "nngpcheck/netsor/program.hpp"
#include "tests/netsor/everything.hpp"

namespace nngpcheck::netsor {
namespace {

using nngpcheck::testing::everything;

TEST(Operations, EverythingHoldsEveryInstruction) {
  std::set<std::size_t> kinds, functions;
  const Program program = everything();
  for (const Node& node : program.nodes()) {
    kinds.insert(node.operation.index());
    if (const auto* apply = std::get_if<Apply>(&node.operation)) functions.insert(apply->function.index());
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<Operation>);
  EXPECT_EQ(functions.size(), std::variant_size_v<TableFunction>);
}

TEST(Operations, OperandsComeBefore) {
  const Program program = everything();
  for (std::size_t k = 0; k < program.nodes().size(); ++k) {
    for (const std::size_t operand : operands(program.nodes()[k].operation)) EXPECT_LT(operand, k);
  }
}

TEST(Operations, OperandsAreWhatIsRead) {
  const BundleId x(1, 3), y(1, 5);
  const TableId t(1, 7), s(1, 8);
  const auto expect = [](const Operation& operation, std::vector<std::size_t> expected) {
    EXPECT_EQ(operands(operation), expected);
  };
  expect(Input{InputWeightId(1, 0), nullptr}, {});
  expect(BiasColumn{BiasId(1, 0)}, {});
  expect(Ones{}, {});
  expect(MatMul{WeightId(1, 0), x}, {3});
  expect(Mix{x, nullptr}, {3});
  expect(TableMix{x, t}, {3, 7});
  expect(Add{{{1, x}, {2, y}}}, {3, 5});
  expect(Scale{x, t}, {3, 7});
  expect(Map{Activation::named("relu"), x}, {3});
  expect(Mul{x, y}, {3, 5});
  expect(Max{y, x}, {5, 3});
  expect(Nonlin{testing::bend(), {y, x, y}}, {5, 3, 5});
  expect(Standardize{x, {0, 0}, 0}, {3});
  expect(Constant{}, {});
  expect(Gram{x, y}, {3, 5});
  expect(Mean{y}, {5});
  expect(Apply{Product{}, {t, s, t}}, {7, 8, 7});
}

TEST(Operations, SameIsEqualityAndHashAgreesWithIt) {
  const Program program = everything();
  const auto& nodes = program.nodes();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    for (std::size_t j = 0; j < nodes.size(); ++j) {
      EXPECT_EQ(same(nodes[i].operation, nodes[j].operation), i == j) << i << " " << j;
    }
    const Operation copy = nodes[i].operation;
    EXPECT_EQ(hash(copy), hash(nodes[i].operation));
  }
}

TEST(Operations, EqualConstantsInDifferentPlacesAreSame) {
  const auto constant = [](double value) {
    return Operation(Constant{std::make_shared<const Eigen::MatrixXd>(testing::matrix({{1, value}}))});
  };
  EXPECT_TRUE(same(constant(2), constant(2)));
  EXPECT_EQ(hash(constant(2)), hash(constant(2)));
  EXPECT_TRUE(same(constant(0.0), constant(-0.0)));
  EXPECT_EQ(hash(constant(0.0)), hash(constant(-0.0)));
  EXPECT_FALSE(same(constant(2), constant(3)));
}

}  // namespace
}  // namespace nngpcheck::netsor
