// How the coefficients of bundles change with the tables.
#pragma once

#include <map>
#include <vector>

#include "nngpcheck/analytic/columns/changes.hpp"
#include "nngpcheck/analytic/columns/linear_form.hpp"

namespace nngpcheck::analytic {

/// The change of the coefficients of a linear form X = Σ_k A_k M_k in one direction, dM_k.
struct FormChange {
  struct Term {
    NodeIndex atom;
    netsor::SparseMatrix change;
  };
  std::vector<Term> terms;  // ascending atoms, each once; atoms whose coefficients do not change are left out
};

/// The changes of a program's forms in one of a batch of directions, computed on demand and kept.
class FormChanges {
 public:
  /// All arguments must outlive this object.
  FormChanges(const Structure& structure, LinearForms& forms, const Changes& changes, Eigen::Index direction)
      : structure_(structure), forms_(forms), changes_(changes), direction_(direction) {}

  const FormChange& of(NodeIndex node);

 private:
  FormChange make(NodeIndex node);
  FormChange operand(NodeIndex node, NodeIndex operand);
  LinearForm operand_form(NodeIndex node, NodeIndex operand);
  Eigen::MatrixXd table_change(NodeIndex table) const;

  const Structure& structure_;
  LinearForms& forms_;
  const Changes& changes_;
  Eigen::Index direction_;
  std::map<NodeIndex, FormChange> made_;
};

}  // namespace nngpcheck::analytic
