// Sums of products AᵀEB.
#pragma once

#include <vector>

#include "nngpcheck/analytic/columns/linear_form.hpp"
#include "nngpcheck/analytic/uncertain.hpp"

namespace nngpcheck::analytic {

enum class Entries { all, upper };

/// scale·AᵀEB. Of E, all rows are given or only those that A reads, and so of columns and B.
struct Congruence {
  const LinearForm::Term& a;
  const UncertainMatrix& e;
  const LinearForm::Term& b;
  double scale = 1;
};

/// Adds them to `sum`, or to its entries (i, j) with i ≤ j, its bound included: the arguments' bounds, to
/// first order, and rounding. The result does not depend on the number of threads.
void add_congruences(UncertainMatrix& sum, const std::vector<Congruence>& congruences, Entries entries,
                     std::size_t threads);

}  // namespace nngpcheck::analytic
