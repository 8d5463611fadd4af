// What the traits say of every instruction, against what the tests' interpreter does.
#include "nngpcheck/netsor/passes/traits.hpp"

#include <gmock/gmock.h>

#include <random>
#include <set>

#include "nngpcheck/netsor/builder.hpp"
#include "tests/netsor/everything.hpp"
#include "tests/netsor/interpreter.hpp"

namespace nngpcheck::netsor {
namespace {

using namespace nngpcheck::testing;
using Eigen::MatrixXd;

constexpr std::int64_t n = 6;

// Values of a program's instructions that have nothing to do with each other, positive for 1/√.
std::vector<MatrixXd> unrelated_values(const Program& program, unsigned seed) {
  std::mt19937_64 engine(seed);
  std::uniform_real_distribution<double> entry(0.1, 1.1);
  std::vector<MatrixXd> result;
  for (const Node& node : program.nodes()) {
    const auto* bundle = std::get_if<BundleType>(&node.type);
    const auto* table = std::get_if<TableType>(&node.type);
    MatrixXd value(bundle ? bundle->width.at(n) : table->rows, bundle ? bundle->columns : table->columns);
    for (double& x : value.reshaped()) x = entry(engine);
    result.push_back(std::move(value));
  }
  return result;
}

struct Laboratory {
  Program program = everything();
  Weights weights = draw(program, n);
  std::vector<MatrixXd> values = unrelated_values(program, 1);

  std::size_t size() const { return program.nodes().size(); }
  const Operation& operation(std::size_t k) const { return program.nodes()[k].operation; }
  MatrixXd run(std::size_t k, const std::vector<MatrixXd>& with) const {
    return evaluate(program, weights, n, k, with);
  }
};

using Dependence = std::set<std::pair<Index, Index>>;  // column of the operand, column of the result

// Which columns of the result move with which columns of an operand, found by changing each: in all
// coordinates, once a little and once so much that a maximum notices.
Dependence measured(const Laboratory& lab, std::size_t k, std::size_t operand) {
  Dependence result;
  const MatrixXd before = lab.run(k, lab.values);
  for (const MatrixXd& change :
       {unrelated_values(lab.program, 2)[operand], MatrixXd(10 * lab.values[operand])}) {
    for (Index column = 0; column < change.cols(); ++column) {
      std::vector<MatrixXd> values = lab.values;
      values[operand].col(column) = change.col(column);
      const MatrixXd after = lab.run(k, values);
      for (Index j = 0; j < after.cols(); ++j) {
        if (after.col(j) != before.col(j)) result.emplace(column, j);
      }
    }
  }
  return result;
}

// The same by indexing maps; by default those of the traits.
Dependence stated(const Laboratory& lab, std::size_t k, std::size_t operand,
                  const std::optional<ColumnMap>& instead = {}) {
  Dependence result;
  const Index columns = lab.values[k].cols(), available = lab.values[operand].cols();
  for_each_operand(lab.operation(k), [&](const auto& id, const ColumnMap& map) {
    if (id.index() != operand) return;
    for (Index j = 0; j < columns; ++j) {
      for (const Index column : columns_read(instead.value_or(map), {j}, available))
        result.emplace(column, j);
    }
  });
  return result;
}

TEST(Traits, IndexingMapsAreWhatMoves) {
  const Laboratory lab;
  std::set<std::size_t> wrong_maps_noticed;
  for (std::size_t k = 0; k < lab.size(); ++k) {
    for (const std::size_t operand : operands(lab.operation(k))) {
      const Dependence truth = measured(lab, k, operand);
      EXPECT_FALSE(truth.empty());
      EXPECT_EQ(stated(lab, k, operand), truth) << "instruction " << k + 1 << ", operand " << operand + 1;
      // A wrong map is noticed: reading all columns for one's own, and the other way round.
      for (const ColumnMap& wrong : {ColumnMap(OwnColumn{}), ColumnMap(AllColumns{})}) {
        const Index available = lab.values[operand].cols();
        if (available > 1 && lab.values[k].cols() <= available && stated(lab, k, operand, wrong) != truth)
          wrong_maps_noticed.insert(lab.operation(k).index());
      }
    }
  }
  // Every kind of instruction that reads anything.
  std::set<std::size_t> reading;
  for (std::size_t k = 0; k < lab.size(); ++k) {
    if (!operands(lab.operation(k)).empty()) reading.insert(lab.operation(k).index());
  }
  EXPECT_EQ(wrong_maps_noticed, reading);
}

TEST(Traits, AMapReadsOneColumnIfNoColumnReadsTwo) {
  const Laboratory lab;
  for (std::size_t k = 0; k < lab.size(); ++k) {
    for (const auto& [operand, map] : bundle_operands(lab.operation(k))) {
      const Index available = lab.program.type(operand).columns;
      bool at_most_one = true;
      for (Index j = 0; j < lab.values[k].cols(); ++j) {
        at_most_one = at_most_one && columns_read(map, {j}, available).size() <= 1;
      }
      EXPECT_EQ(reads_one_column(map, available), at_most_one) << k + 1;
    }
  }
}

// ---- Forms ----

std::vector<MatrixXd> with_bundles(const Laboratory& lab, std::size_t k, const auto& change) {
  std::vector<MatrixXd> values = lab.values;
  std::set<std::size_t> changed;
  for (const BundleOperand& operand : bundle_operands(lab.operation(k))) {
    if (changed.insert(operand.bundle.index()).second) {
      values[operand.bundle.index()] = change(values[operand.bundle.index()]);
    }
  }
  return values;
}

// Coordinates in another order in, the result in that order out.
bool coordinatewise(const Laboratory& lab, std::size_t k) {
  const auto reversed = [](const MatrixXd& x) { return MatrixXd(x.colwise().reverse()); };
  const MatrixXd expected = reversed(lab.run(k, lab.values));
  return lab.run(k, with_bundles(lab, k, reversed)).isApprox(expected, 1e-12);
}

bool additive(const Laboratory& lab, std::size_t k) {
  const std::vector<MatrixXd> others = unrelated_values(lab.program, 3);
  std::vector<MatrixXd> second = lab.values, sum = lab.values;
  for (const BundleOperand& operand : bundle_operands(lab.operation(k))) {
    second[operand.bundle.index()] = others[operand.bundle.index()];
    sum[operand.bundle.index()] = lab.values[operand.bundle.index()] + others[operand.bundle.index()];
  }
  const MatrixXd expected = lab.run(k, lab.values) + lab.run(k, second);
  return lab.run(k, sum).isApprox(expected, 1e-12);  // rounding of a few sums of numbers of size 1
}

TEST(Traits, FormsAreWhatInstructionsDo) {
  const Laboratory lab;
  for (std::size_t k = 0; k < lab.size(); ++k) {
    const Operation& operation = lab.operation(k);
    const Form form = netsor::form(operation);
    const bool makes_bundle = std::holds_alternative<BundleType>(lab.program.nodes()[k].type);
    EXPECT_EQ(form == Form::table, !makes_bundle) << k + 1;
    EXPECT_TRUE(form == Form::source || !random_object(operation)) << k + 1;
    if (!makes_bundle || bundle_operands(operation).empty()) {
      EXPECT_TRUE(form == Form::source || form == Form::table) << k + 1;
      continue;
    }
    EXPECT_EQ(coordinatewise(lab, k), form != Form::source) << k + 1;
    if (form == Form::source) continue;
    EXPECT_EQ(additive(lab, k), form == Form::linear) << k + 1;
    for (const BundleOperand& operand : bundle_operands(operation)) {
      const bool own = std::holds_alternative<OwnColumn>(operand.columns);
      EXPECT_TRUE(form == Form::linear || own == (form == Form::pointwise)) << k + 1;
    }
  }
}

TEST(Traits, LinearTermsAddUpToTheInstruction) {
  const Laboratory lab;
  for (std::size_t k = 0; k < lab.size(); ++k) {
    if (form(lab.operation(k)) != Form::linear) continue;
    const MatrixXd expected = lab.run(k, lab.values);
    MatrixXd sum = MatrixXd::Zero(expected.rows(), expected.cols());
    for (const LinearTerm& term : linear_terms(lab.operation(k))) {
      const MatrixXd& x = lab.values[term.bundle.index()];
      sum += std::visit(
          Overloaded{
              [&](double c) { return MatrixXd(c * x.replicate(1, x.cols() == 1 ? sum.cols() : 1)); },
              [&](const SharedSparse& m) { return MatrixXd(x * MatrixXd(*m)); },
              [&](LinearTerm::Table table) { return MatrixXd(x * lab.values[table.id.index()]); },
              [&](LinearTerm::Diagonal table) {
                return MatrixXd(x * lab.values[table.id.index()].row(0).asDiagonal());
              },
          },
          term.matrix);
    }
    EXPECT_TRUE(sum.isApprox(expected, 1e-12)) << k + 1;
  }
}

TEST(Traits, RandomObjectsAreThoseOfTheSources) {
  const Program program = everything();
  std::set<std::string> names;
  for (const Node& node : program.nodes()) {
    if (const auto object = random_object(node.operation)) {
      names.insert(std::visit([&](auto id) { return program[id].name; }, *object));
    }
  }
  EXPECT_THAT(names, ::testing::ElementsAre("E", "U", "W", "b"));
}

// ---- Visiting by form ----

TEST(Traits, AVisitorOfAFormMeetsNoOther) {
  const auto name = [](const Operation& operation) {
    return visit<Form::source>(Overloaded{
                                   [](const Input&) { return std::string("input"); },
                                   [](const BiasColumn&) { return std::string("bias"); },
                                   [](const Ones&) { return std::string("ones"); },
                                   [](const MatMul&) { return std::string("product"); },
                               },
                               operation);
  };
  EXPECT_EQ(name(Ones{}), "ones");
  EXPECT_EQ(name(BiasColumn{BiasId(1, 0)}), "bias");
  EXPECT_THROW(name(Map{Activation::named("relu"), BundleId(1, 0)}), std::logic_error);
}

}  // namespace
}  // namespace nngpcheck::netsor
