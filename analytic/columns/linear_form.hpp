// Bundles as linear combinations of atoms, in numbers.
#pragma once

#include <Eigen/SparseCore>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "nngpcheck/analytic/columns/structure.hpp"
#include "nngpcheck/analytic/uncertain.hpp"
#include "nngpcheck/netsor/passes/traits.hpp"

namespace nngpcheck::analytic {

/// A coefficient matrix and a bound on its error (from tables; 0×0 if exact).
struct Coefficients {
  netsor::SparseMatrix value;
  netsor::SparseMatrix bound;
};

/// X = Σ_k A_k M_k over the sources A_k of a Gaussian bundle, over the atoms of any other. A missing matrix
/// is the identity.
struct LinearForm {
  struct Term {
    NodeIndex atom;
    std::optional<Coefficients> coefficients;
  };
  std::vector<Term> terms;  // ascending atoms, each once
};

/// The linear forms of a program's bundles, computed on demand and kept.
class LinearForms {
 public:
  using TableLookup = std::function<const UncertainMatrix&(NodeIndex)>;

  /// `table` gives the value of a table that a form reads.
  LinearForms(const Structure& structure, TableLookup table)
      : structure_(structure), table_(std::move(table)) {}

  const LinearForm& of(NodeIndex node);

  /// The value of a table, as the forms read it.
  const UncertainMatrix& table(NodeIndex node) const { return table_(node); }

 private:
  LinearForm make(NodeIndex node);
  LinearForm times(LinearForm form, const netsor::LinearTerm& term, netsor::Index columns);

  const Structure& structure_;
  TableLookup table_;
  std::map<NodeIndex, LinearForm> made_;
};

/// Calls visit(k, coefficient) for the columns k of the term's atom that one column of the combination reads.
template <class Visit>
void for_each_coefficient(const LinearForm::Term& term, netsor::Index column, const Visit& visit) {
  if (!term.coefficients) return visit(column, 1.0);
  for (netsor::SparseMatrix::InnerIterator it(term.coefficients->value, column); it; ++it)
    visit(netsor::Index{it.row()}, it.value());
}

/// The columns that the combination reads of the term's atom, which has `columns` of them; ascending.
std::vector<netsor::Index> columns_read(const LinearForm::Term& term, netsor::Index columns);

}  // namespace nngpcheck::analytic
