#include "nngpcheck/analytic/columns/linear_form.hpp"

#include <algorithm>
#include <numeric>

#include "nngpcheck/analytic/uncertain.hpp"

namespace nngpcheck::analytic {

namespace {

using netsor::Index;
using netsor::Overloaded;
using netsor::SparseMatrix;
using Term = LinearForm::Term;

SparseMatrix identity(Index size) {
  SparseMatrix result(size, size);
  result.setIdentity();
  return result;
}

const Coefficients& explicit_coefficients(const Term& term, Index columns, Coefficients& storage) {
  if (term.coefficients) return *term.coefficients;
  storage.value = identity(columns);
  return storage;
}

// Every term of the form times a matrix (and its bound, 0×0 if exact) from the right.
void multiply(LinearForm& form, const SparseMatrix& matrix, const SparseMatrix& bound) {
  for (Term& term : form.terms) {
    if (!term.coefficients) {
      term.coefficients = Coefficients{matrix, bound};
      continue;
    }
    Coefficients& c = *term.coefficients;
    SparseMatrix error;
    if (c.bound.size() > 0) error = c.bound * matrix.cwiseAbs();
    if (bound.size() > 0) {
      SparseMatrix own = c.value.cwiseAbs() * bound;
      error = error.size() > 0 ? SparseMatrix(error + own) : own;
    }
    c.value = SparseMatrix(c.value * matrix);
    c.bound = error;
  }
}

void scale_by(LinearForm& form, double coefficient, Index columns) {
  if (coefficient == 1) return;
  for (Term& term : form.terms) {
    if (!term.coefficients) term.coefficients = Coefficients{identity(columns), {}};
    term.coefficients->value *= coefficient;
    if (term.coefficients->bound.size() > 0) term.coefficients->bound *= std::abs(coefficient);
  }
}

void accumulate(LinearForm& form, LinearForm&& other, Index columns) {
  for (Term& term : other.terms) {
    const auto place = std::lower_bound(form.terms.begin(), form.terms.end(), term.atom,
                                        [](const Term& t, NodeIndex atom) { return t.atom < atom; });
    if (place == form.terms.end() || place->atom != term.atom) {
      form.terms.insert(place, std::move(term));
      continue;
    }
    Coefficients left_storage, right_storage;
    const Coefficients& left = explicit_coefficients(*place, columns, left_storage);
    const Coefficients& right = explicit_coefficients(term, columns, right_storage);
    Coefficients sum{left.value + right.value, {}};
    if (left.bound.size() > 0 && right.bound.size() > 0) {
      sum.bound = left.bound + right.bound;
    } else {
      sum.bound = left.bound.size() > 0 ? left.bound : right.bound;
    }
    place->coefficients = std::move(sum);
  }
}

SparseMatrix row_of_ones(Index columns) { return Eigen::MatrixXd::Ones(1, columns).sparseView(); }

SparseMatrix diagonal(const Eigen::MatrixXd& row) {
  SparseMatrix result(row.cols(), row.cols());
  for (Index j = 0; j < row.cols(); ++j) result.insert(j, j) = row(0, j);
  result.makeCompressed();
  return result;
}

template <class Visit>
void for_each_row(const Coefficients& c, const Visit& visit) {
  for (const SparseMatrix* matrix : {&c.value, &c.bound}) {
    for (Index j = 0; j < matrix->outerSize(); ++j) {
      for (SparseMatrix::InnerIterator it(*matrix, j); it; ++it) visit(it.row());
    }
  }
}

// The rows that hold something, of either matrix; in a time that grows with what they hold.
std::vector<Index> filled_rows(const Coefficients& c) {
  std::vector<Index> result;
  if (c.value.nonZeros() > c.value.rows()) {
    std::vector<bool> filled(static_cast<std::size_t>(c.value.rows()));
    for_each_row(c, [&](Index row) { filled[static_cast<std::size_t>(row)] = true; });
    for (Index row = 0; row < c.value.rows(); ++row) {
      if (filled[static_cast<std::size_t>(row)]) result.push_back(row);
    }
    return result;
  }
  for_each_row(c, [&](Index row) { result.push_back(row); });
  if (!std::is_sorted(result.begin(), result.end())) std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

}  // namespace

const LinearForm& LinearForms::of(NodeIndex node) {
  if (const auto found = made_.find(node); found != made_.end()) return found->second;
  return made_.emplace(node, make(node)).first->second;
}

// X_k M_k, or X_k's own terms where M_k is a number and X_k is not broadcast.
LinearForm LinearForms::times(LinearForm form, const netsor::LinearTerm& term, Index columns) {
  std::visit(Overloaded{
                 [&](double coefficient) {
                   const Index own = structure_.columns(term.bundle.index());
                   scale_by(form, coefficient, own);
                   if (own != columns) multiply(form, row_of_ones(columns), {});
                 },
                 [&](const netsor::SharedSparse& matrix) { multiply(form, *matrix, {}); },
                 [&](netsor::LinearTerm::Table table) {
                   const UncertainMatrix& t = table_(table.id.index());
                   multiply(form, t.value.sparseView(), t.bound.sparseView());
                 },
                 [&](netsor::LinearTerm::Diagonal factors) {
                   const UncertainMatrix& t = table_(factors.id.index());
                   multiply(form, diagonal(t.value), diagonal(t.bound));
                 },
             },
             term.matrix);
  return form;
}

LinearForm LinearForms::make(NodeIndex node) {
  const netsor::Operation& operation = structure_.program().nodes()[node].operation;
  if (netsor::form(operation) != netsor::Form::linear) return {{{node, {}}}};
  const Index columns = structure_.columns(node);
  LinearForm result;
  for (const netsor::LinearTerm& term : netsor::linear_terms(operation)) {
    const NodeIndex operand = term.bundle.index();
    // A Gaussian operand of a bundle that is not Gaussian is an atom.
    const bool atom = structure_.gaussian(operand) && !structure_.gaussian(node);
    accumulate(result, times(atom ? LinearForm{{{operand, {}}}} : of(operand), term, columns), columns);
  }
  return result;
}

std::vector<Index> columns_read(const Term& term, Index columns) {
  if (term.coefficients) return filled_rows(*term.coefficients);
  std::vector<Index> all(static_cast<std::size_t>(columns));
  std::iota(all.begin(), all.end(), Index{0});
  return all;
}

}  // namespace nngpcheck::analytic
