#include "nngpcheck/analytic/paths/coordinates.hpp"

#include "nngpcheck/analytic/error.hpp"
#include "nngpcheck/analytic/paths/pointwise.hpp"
#include "nngpcheck/netsor/passes/traits.hpp"

namespace nngpcheck::analytic {

using Eigen::ArrayXd;
using Eigen::Index;

namespace {

bool is_source(const Structure& structure, NodeIndex node) {
  return structure.sources(node) == std::vector<NodeIndex>{node};
}

}  // namespace

const ArrayXd& Coordinates::operator()(NodeIndex node, Index column) {
  if (const auto found = values_.find({node, column}); found != values_.end()) return found->second;
  ArrayXd result;
  if (is_source(structure_, node) || (structure_.is_atom(node) && !structure_.gaussian(node))) {
    result = atom(node, column);
  } else {
    result = ArrayXd::Zero(paths_);
    for (const Term& term : terms(node, column)) {
      result += term.coefficient * (*this)(term.node, term.column);
    }
  }
  return values_[{node, column}] = std::move(result);
}

std::vector<Coordinates::Term> Coordinates::terms(NodeIndex node, Index column) {
  std::vector<Term> result;
  for (const LinearForm::Term& term : forms_.of(node).terms) {
    for_each_coefficient(term, column, [&](Index row, double coefficient) {
      result.push_back({term.atom, row, coefficient});
    });
  }
  return result;
}

std::vector<Column> Coordinates::operands(NodeIndex node, Index column) const {
  std::vector<Column> result;
  for (const auto& [operand, columns] :
       netsor::bundle_operands(structure_.program().nodes()[node].operation)) {
    for (const Index read : netsor::columns_read(columns, {column}, structure_.columns(operand.index()))) {
      result.emplace_back(operand.index(), read);
    }
  }
  return result;
}

ArrayXd Coordinates::atom(NodeIndex node, Index column) {
  const netsor::Operation& operation = structure_.program().nodes()[node].operation;
  if (std::holds_alternative<netsor::Ones>(operation)) return ArrayXd::Ones(paths_);
  if (netsor::form(operation) == netsor::Form::source) {
    throw LimitError("rule 5: " + structure_.program().name(node) + " was not sampled");
  }
  if (netsor::form(operation) == netsor::Form::groupwise) {
    return netsor::visit<netsor::Form::groupwise>(
        [&](const netsor::Standardize& op) {
          const auto [members, mean, inverse] = group(node, column);
          for (const Index j : members) {
            values_[{node, j}] = ((*this)(op.argument.index(), j) - mean) * inverse;
          }
          return values_.at({node, column});
        },
        operation);
  }
  Arguments arguments;
  for (const auto& [operand, own] : operands(node, column)) arguments.push_back(&(*this)(operand, own));
  return pointwise(operation, arguments);
}

Coordinates::Group Coordinates::group(NodeIndex standardize, Index column) {
  const auto& op = std::get<netsor::Standardize>(structure_.program().nodes()[standardize].operation);
  Group result{{}, ArrayXd::Zero(paths_), {}};
  for (std::size_t j = 0; j < op.group.size(); ++j) {
    if (op.group[j] == op.group[static_cast<std::size_t>(column)]) {
      result.members.push_back(static_cast<Index>(j));
    }
  }
  const double count = static_cast<double>(result.members.size());
  for (const Index j : result.members) result.mean += (*this)(op.argument.index(), j) / count;
  ArrayXd variance = ArrayXd::Zero(paths_);
  for (const Index j : result.members) {
    variance += ((*this)(op.argument.index(), j) - result.mean).square() / count;
  }
  result.inverse = (variance + op.epsilon).rsqrt();
  if (!result.inverse.allFinite()) {
    throw LimitError("rule 5: " + structure_.program().place(standardize, {result.members.front()}) +
                     " divides by a variance of 0; use an epsilon > 0, or inputs that differ");
  }
  return result;
}

}  // namespace nngpcheck::analytic
