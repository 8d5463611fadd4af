#include "nngpcheck/analytic/columns/form_changes.hpp"

#include <algorithm>

namespace nngpcheck::analytic {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using netsor::SparseMatrix;

void accumulate(FormChange& sum, NodeIndex atom, SparseMatrix change) {
  const auto place = std::lower_bound(sum.terms.begin(), sum.terms.end(), atom,
                                      [](const FormChange::Term& t, NodeIndex a) { return t.atom < a; });
  if (place != sum.terms.end() && place->atom == atom) {
    place->change = SparseMatrix(place->change + change);
  } else {
    sum.terms.insert(place, {atom, std::move(change)});
  }
}

void accumulate(FormChange& sum, const FormChange& change, const SparseMatrix& matrix) {
  for (const FormChange::Term& term : change.terms) {
    accumulate(sum, term.atom, SparseMatrix(term.change * matrix));
  }
}

// Σ_k A_k M_k D over the terms of a form.
void accumulate(FormChange& sum, const LinearForm& form, const SparseMatrix& matrix) {
  for (const LinearForm::Term& term : form.terms) {
    accumulate(sum, term.atom, term.coefficients ? SparseMatrix(term.coefficients->value * matrix) : matrix);
  }
}

SparseMatrix diagonal(const MatrixXd& row) { return MatrixXd(row.row(0).asDiagonal()).sparseView(); }

}  // namespace

const FormChange& FormChanges::of(NodeIndex node) {
  if (const auto found = made_.find(node); found != made_.end()) return found->second;
  return made_.emplace(node, make(node)).first->second;
}

// A Gaussian operand of a bundle that is not Gaussian is an atom, as in LinearForms.
FormChange FormChanges::operand(NodeIndex node, NodeIndex operand) {
  const bool atom = structure_.gaussian(operand) && !structure_.gaussian(node);
  return atom ? FormChange{} : of(operand);
}

LinearForm FormChanges::operand_form(NodeIndex node, NodeIndex operand) {
  const bool atom = structure_.gaussian(operand) && !structure_.gaussian(node);
  return atom ? LinearForm{{{operand, {}}}} : forms_.of(operand);
}

MatrixXd FormChanges::table_change(NodeIndex table) const {
  const auto& type = std::get<netsor::TableType>(structure_.program().nodes()[table].type);
  return changes_.matrix(Demand::table(table), direction_, type.rows);
}

FormChange FormChanges::make(NodeIndex node) {
  FormChange result;
  const netsor::Operation& operation = structure_.program().nodes()[node].operation;
  if (netsor::form(operation) != netsor::Form::linear) return result;
  for (const netsor::LinearTerm& term : netsor::linear_terms(operation)) {
    const NodeIndex argument = term.bundle.index();
    const auto through = [&](const SparseMatrix& matrix) {
      accumulate(result, operand(node, argument), matrix);
    };
    // (A M)' = A' M + A M', M made of a table
    const auto product = [&](NodeIndex table, const auto& matrix_of) {
      through(matrix_of(forms_.table(table).value));
      const MatrixXd change = table_change(table);
      if (change.size() > 0) accumulate(result, operand_form(node, argument), matrix_of(change));
    };
    std::visit(netsor::Overloaded{
                   [&](double coefficient) {
                     const Index own = structure_.columns(argument), columns = structure_.columns(node);
                     const MatrixXd spread = own == columns ? MatrixXd(MatrixXd::Identity(own, own))
                                                            : MatrixXd(MatrixXd::Ones(1, columns));
                     through(SparseMatrix((coefficient * spread).sparseView()));
                   },
                   [&](const netsor::SharedSparse& matrix) { through(*matrix); },
                   [&](netsor::LinearTerm::Table table) {
                     product(table.id.index(),
                             [](const MatrixXd& t) { return SparseMatrix(t.sparseView()); });
                   },
                   [&](netsor::LinearTerm::Diagonal factors) {
                     product(factors.id.index(), [](const MatrixXd& t) { return diagonal(t); });
                   },
               },
               term.matrix);
  }
  return result;
}

}  // namespace nngpcheck::analytic
