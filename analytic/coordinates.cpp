#include "analytic/coordinates.hpp"

#include "analytic/error.hpp"
#include "analytic/scalar_activation.hpp"

namespace nngpcheck::analytic {

using Eigen::ArrayXd;
using Eigen::Index;

// The exponential is vectorised; its absolute rounding is far below any sampling error.
ArrayXd evaluate(const netsor::Activation& phi, const ArrayXd& x) {
  using Kind = netsor::Activation::Kind;
  if (phi.kind() == Kind::tanh) return 1 - 2 / ((2 * x).exp() + 1);
  if (phi.kind() == Kind::sigmoid) return 1 / (1 + (-x).exp());
  return x.unaryExpr([&](double element) { return evaluate(phi, element); });
}

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
    for (const auto& [row, coefficient] : column_entries(term, column)) {
      result.push_back({term.atom, row, coefficient});
    }
  }
  return result;
}

ArrayXd Coordinates::atom(NodeIndex node, Index column) {
  const auto operand = [&](netsor::BundleId id) -> const ArrayXd& {
    return (*this)(id.index(), structure_.operand_column(id.index(), column));
  };
  return std::visit(
      netsor::Overloaded{
          [&](const netsor::Map& op) -> ArrayXd { return evaluate(op.activation, operand(op.argument)); },
          [&](const netsor::Mul& op) -> ArrayXd {
            const ArrayXd& left = operand(op.left);
            return left * operand(op.right);
          },
          [&](const netsor::Max& op) -> ArrayXd {
            const ArrayXd& left = operand(op.left);
            return left.max(operand(op.right));
          },
          [&](const netsor::Standardize& op) -> ArrayXd {
            const auto [members, mean, inverse] = group(node, column);
            for (const Index j : members) {
              values_[{node, j}] = ((*this)(op.argument.index(), j) - mean) * inverse;
            }
            return values_.at({node, column});
          },
          [&](const netsor::Ones&) -> ArrayXd { return ArrayXd::Ones(paths_); },
          [&](const auto&) -> ArrayXd {
            throw LimitError("rule 5: " + structure_.program().name(node) + " was not sampled");
          },
      },
      structure_.program().nodes()[node].operation);
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
    throw LimitError("rule 5: " + structure_.program().name(standardize) +
                     " divides by a variance of 0; use an epsilon > 0, or inputs that differ");
  }
  return result;
}

}  // namespace nngpcheck::analytic
