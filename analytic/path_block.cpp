#include "analytic/path_block.hpp"

#include "analytic/error.hpp"
#include "analytic/evaluation.hpp"
#include "analytic/factorization.hpp"
#include "analytic/path_needs.hpp"
#include "analytic/scalar_activation.hpp"
#include "netsor/passes/traits.hpp"

namespace nngpcheck::analytic {

using Eigen::ArrayXd;
using Eigen::Index;

void PathBlock::Conditional::add(double coefficient, const Conditional& other) {
  if (other.array.size() == 0) {
    array.size() > 0 ? void(array += coefficient * other.constant)
                     : void(constant += coefficient * other.constant);
  } else if (array.size() == 0) {
    array = constant + coefficient * other.array;
  } else {
    array += coefficient * other.array;
  }
}

void PathBlock::Conditional::multiply(const Conditional& other) {
  if (other.array.size() > 0) {
    multiply(other.array);
  } else if (array.size() > 0) {
    array *= other.constant;
  } else {
    constant *= other.constant;
  }
}

void PathBlock::Conditional::multiply(const ArrayXd& other) {
  if (array.size() > 0) {
    array *= other;
  } else {
    array = constant * other;
  }
}

namespace {

// φ of every element. The exponential is vectorised; its absolute rounding is far below any sampling error.
ArrayXd map(const netsor::Activation& phi, const ArrayXd& x) {
  using Kind = netsor::Activation::Kind;
  if (phi.kind() == Kind::tanh) return 1 - 2 / ((2 * x).exp() + 1);
  if (phi.kind() == Kind::sigmoid) return 1 / (1 + (-x).exp());
  return x.unaryExpr([&](double element) { return evaluate(phi, element); });
}

}  // namespace

const ArrayXd& BlockNormals::operator[](int coordinate) {
  ArrayXd& result = made_[static_cast<std::size_t>(coordinate)];
  if (result.size() == 0) result = sobol_.normals(coordinate, first_, count_);
  return result;
}

void PathBlock::draw(const Draw& draw) {
  ArrayXd value = ArrayXd::Constant(normals_.count(), draw.mean);
  for (const auto& [coordinate, weight] : draw.weights) value += weight * normals_[coordinate];
  known_values_[draw.column] = std::move(value);
}

bool PathBlock::known(NodeIndex node) const {
  return node == one || subset(values_.structure().families(node), sampled_);
}

PathBlock::Sum PathBlock::sum(NodeIndex x, Index i, NodeIndex y, Index j) {
  const auto of = [](const auto& array) { return Sum{array.sum(), array.abs().sum()}; };
  if (known(x) && known(y)) return y == one ? of(value(x, i)) : of(value(x, i) * value(y, j));
  const Conditional result = conditional(x, i, y, j);
  if (result.array.size() > 0) return of(result.array);
  const double value = result.constant * static_cast<double>(normals_.count());
  return {value, std::abs(value)};
}

std::vector<PathBlock::Entry> PathBlock::entries(NodeIndex node, Index column) {
  if (node == one) return {{one, 0, 1.0}};
  std::vector<Entry> result;
  for (const LinearForm::Term& term : values_.form(node).terms) {
    for (const auto& [row, coefficient] : column_entries(term, column)) {
      result.push_back({term.atom, row, coefficient});
    }
  }
  return result;
}

const ArrayXd& PathBlock::value(NodeIndex node, Index column) {
  if (const auto found = known_values_.find({node, column}); found != known_values_.end())
    return found->second;
  const Structure& structure = values_.structure();
  ArrayXd result;
  if (structure.gaussian(node) && structure.families(node).empty()) {
    result = ArrayXd::Constant(normals_.count(), values_[Demand::mean(node)].value(column, 0));
  } else if (structure.is_atom(node)) {
    result = atom_value(node, column);
  } else {
    result = ArrayXd::Zero(normals_.count());
    for (const auto& [atom, atom_column, coefficient] : entries(node, column)) {
      result += coefficient * value(atom, atom_column);
    }
  }
  return known_values_[{node, column}] = std::move(result);
}

ArrayXd PathBlock::atom_value(NodeIndex node, Index column) {
  const Structure& structure = values_.structure();
  const auto operand = [&](netsor::BundleId id) -> const ArrayXd& {
    return value(id.index(), structure.operand_column(id.index(), column));
  };
  const netsor::Operation& operation = structure.program().nodes()[node].operation;
  if (structure.gaussian(node)) {
    throw LimitError("rule 5: " + structure.program().name(node) + " was not sampled");
  }
  return netsor::visit<netsor::Form::pointwise, netsor::Form::groupwise>(
      netsor::Overloaded{
          [&](const netsor::Map& op) -> ArrayXd { return map(op.activation, operand(op.argument)); },
          [&](const netsor::Mul& op) -> ArrayXd {
            const ArrayXd& left = operand(op.left);
            return left * operand(op.right);
          },
          [&](const netsor::Max& op) -> ArrayXd {
            const ArrayXd& left = operand(op.left);
            return left.max(operand(op.right));
          },
          [&](const netsor::Standardize& op) -> ArrayXd {
            standardize(node, op.group[static_cast<std::size_t>(column)]);
            return known_values_.at({node, column});
          },
      },
      operation);
}

void PathBlock::standardize(NodeIndex node, int group) {
  const auto& op = std::get<netsor::Standardize>(values_.structure().program().nodes()[node].operation);
  std::vector<Index> members;
  for (std::size_t j = 0; j < op.group.size(); ++j) {
    if (op.group[j] == group) members.push_back(static_cast<Index>(j));
  }
  const double count = static_cast<double>(members.size());
  ArrayXd mean = ArrayXd::Zero(normals_.count());
  for (const Index j : members) mean += value(op.argument.index(), j) / count;
  ArrayXd variance = ArrayXd::Zero(normals_.count());
  for (const Index j : members) variance += (value(op.argument.index(), j) - mean).square() / count;
  const ArrayXd inverse = (variance + op.epsilon).rsqrt();
  if (!inverse.allFinite()) {
    throw LimitError("rule 5: " + values_.structure().program().place(node, {members.front()}) +
                     " divides by a variance of 0; use an epsilon > 0, or inputs that differ");
  }
  for (const Index j : members) known_values_[{node, j}] = (value(op.argument.index(), j) - mean) * inverse;
}

// The cases are those of the planner's PathNeeds, which has asked for what is read here.
PathBlock::Conditional PathBlock::conditional(NodeIndex x, Index i, NodeIndex y, Index j) {
  if (Column(y, j) < Column(x, i)) {  // `one` comes last
    std::swap(x, y);
    std::swap(i, j);
  }
  const Structure& structure = values_.structure();
  if (known(x) && known(y)) {
    Conditional result{1, {}};
    result.multiply(value(x, i));
    if (y != one) result.multiply(value(y, j));
    return result;
  }
  if (independent_of(structure, sampled_, x, y)) return {values_.moment_entry(x, i, y, j), {}};
  if (structure.is_atom(x) && (y == one || structure.is_atom(y))) return conditional_atoms(x, i, y, j);
  const std::pair<Column, Column> key{{x, i}, {y, j}};
  if (const auto found = conditionals_.find(key); found != conditionals_.end()) return found->second;
  Conditional result;
  const auto right = entries(y, j);
  for (const auto& [a, column_a, coefficient_a] : entries(x, i)) {
    for (const auto& [b, column_b, coefficient_b] : right) {
      result.add(coefficient_a * coefficient_b, conditional(a, column_a, b, column_b));
    }
  }
  return conditionals_[key] = std::move(result);
}

PathBlock::Conditional PathBlock::conditional_atoms(NodeIndex x, Index i, NodeIndex y, Index j) {
  const Structure& structure = values_.structure();
  // The column of a factor that a column of the product reads.
  const auto factor_column = [&](NodeIndex product, NodeIndex factor, Index column) {
    return factor == product ? column : structure.operand_column(factor, column);
  };
  const Factorization factors = factorize(structure, x, y, sampled_);
  Conditional result{1, {}};
  for (const NodeIndex factor : factors.known_left)
    result.multiply(value(factor, factor_column(x, factor, i)));
  for (const NodeIndex factor : factors.known_right)
    result.multiply(value(factor, factor_column(y, factor, j)));
  for (const auto& [left, right] : factors.groups) {
    std::vector<Column> members;
    for (const NodeIndex factor : left) members.emplace_back(factor, factor_column(x, factor, i));
    for (const NodeIndex factor : right) members.emplace_back(factor, factor_column(y, factor, j));
    if (members.size() == 1) members.emplace_back(one, 0);
    result.multiply(conditional(members[0].first, members[0].second, members[1].first, members[1].second));
  }
  return result;
}

}  // namespace nngpcheck::analytic
