#include "nngpcheck/analytic/paths/coordinate_changes.hpp"

#include "nngpcheck/analytic/error.hpp"
#include "nngpcheck/analytic/paths/pointwise.hpp"
#include "nngpcheck/netsor/passes/traits.hpp"

namespace nngpcheck::analytic {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

const ArrayXXd& CoordinateChanges::operator()(NodeIndex node, Index column) {
  if (const auto found = changes_.find({node, column}); found != changes_.end()) return found->second;
  const Structure& structure = coordinates_.structure();
  const bool atom_of_its_own = structure.is_atom(node) && !structure.gaussian(node);
  ArrayXXd result = atom_of_its_own ? atom(node, column) : linear(node, column);
  return changes_[{node, column}] = std::move(result);
}

ArrayXXd CoordinateChanges::linear(NodeIndex node, Index column) {
  ArrayXXd result = ArrayXXd::Zero(coordinates_.paths(), directions());
  if (coordinates_.structure().sources(node) == std::vector<NodeIndex>{node}) return result;
  for (const Coordinates::Term& term : coordinates_.terms(node, column)) {
    result += term.coefficient * (*this)(term.node, term.column);
  }
  for (Index b = 0; b < directions(); ++b) {
    for (const FormChange::Term& term : forms_[static_cast<std::size_t>(b)].of(node).terms) {
      for (netsor::SparseMatrix::InnerIterator it(term.change, column); it; ++it) {
        result.col(b) += it.value() * coordinates_(term.atom, it.row());
      }
    }
  }
  return result;
}

ArrayXXd CoordinateChanges::atom(NodeIndex node, Index column) {
  const netsor::Operation& operation = coordinates_.structure().program().nodes()[node].operation;
  if (netsor::form(operation) == netsor::Form::pointwise) return pointwise(node, column);
  return netsor::visit<netsor::Form::groupwise>(
      [&](const netsor::Standardize& op) { return standardized(node, op.argument.index(), column); },
      operation);
}

ArrayXXd CoordinateChanges::pointwise(NodeIndex node, Index column) {
  const netsor::Program& program = coordinates_.structure().program();
  const netsor::Operation& operation = program.nodes()[node].operation;
  const std::vector<Column> operands = coordinates_.operands(node, column);
  Arguments values;
  std::vector<const ArrayXXd*> changes;
  bool moves = false;
  for (const auto& [operand, own] : operands) {
    values.push_back(&coordinates_(operand, own));
    changes.push_back(&(*this)(operand, own));
    moves = moves || (*changes.back() != 0).any();
  }
  ArrayXXd result = ArrayXXd::Zero(coordinates_.paths(), directions());
  if (!moves) return result;
  const auto slopes = partial_derivatives(operation, values);
  if (!slopes) {
    throw LimitError(
        "rule 5: " + program.name(node) + " may jump, so that the derivative of an expectation " +
        "is not that of its paths, and nothing else is known here; use a function without jumps");
  }
  for (std::size_t k = 0; k < changes.size(); ++k) result += changes[k]->colwise() * (*slopes)[k];
  return result;
}

// With z = x - mean and r = (v + ε)^{-1/2}, so that y = rz:
//   dy_j = r dz_j - r³ z_j Σ_k z_k dz_k / B.
ArrayXXd CoordinateChanges::standardized(NodeIndex node, NodeIndex argument, Index column) {
  const auto [members, mean, inverse] = coordinates_.group(node, column);
  const double count = static_cast<double>(members.size());
  ArrayXXd mean_change = ArrayXXd::Zero(coordinates_.paths(), directions());
  for (const Index j : members) mean_change += (*this)(argument, j) / count;
  ArrayXXd half_variance = ArrayXXd::Zero(coordinates_.paths(), directions());
  for (const Index j : members) {
    const ArrayXd centred = coordinates_(argument, j) - mean;
    half_variance += ((*this)(argument, j) - mean_change).colwise() * (centred / count);
  }
  const ArrayXd centred = coordinates_(argument, column) - mean;
  const ArrayXXd own = (*this)(argument, column) - mean_change;
  return own.colwise() * inverse - half_variance.colwise() * (centred * inverse.cube());
}

}  // namespace nngpcheck::analytic
