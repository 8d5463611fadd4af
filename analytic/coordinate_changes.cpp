#include "analytic/coordinate_changes.hpp"

#include <cmath>
#include <numbers>
#include <optional>

#include "analytic/error.hpp"
#include "analytic/normal.hpp"
#include "analytic/scalar_activation.hpp"

namespace nngpcheck::analytic {

namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;
using Kind = netsor::Activation::Kind;

/// φ'(x) of a function without jumps.
using Derivative = double (*)(double x);

Derivative derivative_of(Kind kind) {
  switch (kind) {
    case Kind::erf:
      return [](double x) { return 2 * std::numbers::inv_sqrtpi * std::exp(-x * x); };
    case Kind::erf_sigmoid:
      return [](double x) { return std::numbers::inv_sqrtpi * std::exp(-x * x); };
    case Kind::sigmoid:
      return [](double x) { return 1 / ((1 + std::exp(-x)) * (1 + std::exp(x))); };
    case Kind::tanh:
      return [](double x) { return 1 / (std::cosh(x) * std::cosh(x)); };
    case Kind::hardtanh:
      return [](double x) { return std::abs(x) < 1 ? 1.0 : 0.0; };
    case Kind::gelu:
      return [](double x) { return normal_cdf(x) + x * normal_density(x); };
    case Kind::silu:
      return [](double x) { return 1 / (1 + std::exp(-x)) + x / ((1 + std::exp(-x)) * (1 + std::exp(x))); };
    case Kind::softplus:
      return [](double x) { return 1 / (1 + std::exp(-x)); };
    case Kind::elu:
      return [](double x) { return x < 0 ? std::exp(x) : 1.0; };
    case Kind::sin:
      return [](double x) { return std::cos(x); };
    case Kind::cos:
      return [](double x) { return -std::sin(x); };
    case Kind::exp:
      return [](double x) { return std::exp(x); };
    case Kind::gaussian:
      return [](double x) { return -2 * x * std::exp(-x * x); };
    default:
      return nullptr;
  }
}

std::optional<ArrayXd> derivative(const netsor::Activation& phi, const ArrayXd& x) {
  if (const auto form = homogeneous_form(phi)) {
    if (form->power == 0) return {};
    const int rest = form->power - 1;
    return x.unaryExpr([&](double element) {
      const double slope = element > 0 ? form->positive : -form->negative;
      return form->power * slope * integer_power(std::abs(element), rest);
    });
  }
  const Derivative slope = derivative_of(phi.kind());
  if (!slope) return {};
  return x.unaryExpr(slope);
}

}  // namespace

bool has_derivative(const netsor::Activation& phi) { return derivative(phi, ArrayXd::Ones(1)).has_value(); }

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

ArrayXXd CoordinateChanges::map(const netsor::Activation& phi, const Column& argument) {
  const ArrayXXd& change = (*this)(argument.first, argument.second);
  if ((change == 0).all()) return change;
  const auto slope = derivative(phi, coordinates_(argument.first, argument.second));
  if (!slope) {
    throw LimitError("rule 5: " + phi.name() + " may jump, so that the derivative of an expectation is not " +
                     "that of its paths, and nothing else is known here; use a function without jumps");
  }
  return change.colwise() * *slope;
}

ArrayXXd CoordinateChanges::atom(NodeIndex node, Index column) {
  const Structure& structure = coordinates_.structure();
  const auto operand = [&](netsor::BundleId id) {
    return Column(id.index(), structure.operand_column(id.index(), column));
  };
  const auto value = [&](const Column& c) -> const ArrayXd& { return coordinates_(c.first, c.second); };
  const auto change = [&](const Column& c) -> const ArrayXXd& { return (*this)(c.first, c.second); };
  return std::visit(
      netsor::Overloaded{
          [&](const netsor::Map& op) -> ArrayXXd { return map(op.activation, operand(op.argument)); },
          [&](const netsor::Mul& op) -> ArrayXXd {
            const Column left = operand(op.left), right = operand(op.right);
            return change(left).colwise() * value(right) + change(right).colwise() * value(left);
          },
          [&](const netsor::Max& op) -> ArrayXXd {
            const Column left = operand(op.left), right = operand(op.right);
            const ArrayXd first = (value(left) > value(right)).cast<double>();
            return change(left).colwise() * first + change(right).colwise() * (1 - first);
          },
          [&](const netsor::Standardize& op) -> ArrayXXd {
            return standardized(node, op.argument.index(), column);
          },
          [&](const auto&) -> ArrayXXd { throw std::logic_error("not an atom"); },
      },
      structure.program().nodes()[node].operation);
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
