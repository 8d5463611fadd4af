#include "nngpcheck/analytic/columns/linear_form.hpp"

#include <algorithm>
#include <numeric>

#include "nngpcheck/analytic/uncertain.hpp"
#include "nngpcheck/analytic/vector_widths.hpp"
#include "nngpcheck/support/parallel.hpp"

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
void for_each_row(const SparseMatrix& matrix, const Visit& visit) {
  for (Index j = 0; j < matrix.outerSize(); ++j) {
    for (SparseMatrix::InnerIterator it(matrix, j); it; ++it) visit(it.row());
  }
}

// The rows that hold something, of either matrix.
std::vector<Index> filled_rows(const Coefficients& c) {
  std::vector<bool> filled(static_cast<std::size_t>(c.value.rows()), false);
  for (const SparseMatrix* matrix : {&c.value, &c.bound}) {
    for_each_row(*matrix, [&](Index row) { filled[static_cast<std::size_t>(row)] = true; });
  }
  std::vector<Index> result;
  for (std::size_t row = 0; row < filled.size(); ++row) {
    if (filled[row]) result.push_back(static_cast<Index>(row));
  }
  return result;
}

// These rows, which are all that are not empty.
SparseMatrix without_empty_rows(const SparseMatrix& matrix, const std::vector<Index>& rows) {
  if (std::ssize(rows) == matrix.rows() || matrix.size() == 0) return matrix;
  SparseMatrix result(std::ssize(rows), matrix.cols());
  result.reserve(matrix.nonZeros());
  for (Index j = 0; j < matrix.cols(); ++j) {
    result.startVec(j);
    for (SparseMatrix::InnerIterator it(matrix, j); it; ++it) {
      const auto row = std::lower_bound(rows.begin(), rows.end(), it.row()) - rows.begin();
      result.insertBack(row, j) = it.value();
    }
  }
  result.finalize();
  return result;
}

// A term's coefficients of so many columns: all, or those that it reads.
Coefficients of_columns(const Term& term, Index columns) {
  if (!term.coefficients) return {identity(columns), {}};
  if (term.coefficients->value.rows() == columns) return *term.coefficients;
  const std::vector<Index> rows = filled_rows(*term.coefficients);
  return {without_empty_rows(term.coefficients->value, rows),
          without_empty_rows(term.coefficients->bound, rows)};
}

Index nonzeros_per_column(const SparseMatrix& matrix) {
  Index most = 0;
  for (Index j = 0; j < matrix.cols(); ++j) {
    most = std::max<Index>(most, matrix.outerIndexPtr()[j + 1] - matrix.outerIndexPtr()[j]);
  }
  return most;
}

// Equal coefficients along a diagonal, such as those of one offset of a convolution in one line of an image.
struct Run {
  Index row, column, length;
  double coefficient;
};

// Of a compressed matrix, by ascending first columns.
std::vector<Run> runs(const SparseMatrix& matrix) {
  std::vector<Run> result;
  std::vector<std::size_t> last(static_cast<std::size_t>(matrix.rows() + matrix.cols()), 0);
  for (Index j = 0; j < matrix.cols(); ++j) {
    for (SparseMatrix::InnerIterator it(matrix, j); it; ++it) {
      std::size_t& number = last[static_cast<std::size_t>(it.row() - j + matrix.cols())];
      if (number > 0) {
        Run& run = result[number - 1];
        if (run.column + run.length == j && run.coefficient == it.value()) {
          ++run.length;
          continue;
        }
      }
      result.push_back({it.row(), j, 1, it.value()});
      number = result.size();
    }
  }
  return result;
}

NNGPCHECK_FOR_EVERY_WIDTH
void add_scaled(double* __restrict sum, double* __restrict sum_bound, const double* __restrict value,
                const double* __restrict bound, double c, double rounding, Index n) {
  const double size = std::abs(c);
  for (Index i = 0; i < n; ++i) {
    sum[i] += c * value[i];
    sum_bound[i] += size * (bound[i] + rounding * std::abs(value[i]));
  }
}

// Adds AᵀEB to the first `last` entries of column j of `sum`; what lies between the two products stays in the
// cache. Calls column(k, i, n) for rows i to i + n of column k of E.
template <class Column>
void add_product(Eigen::MatrixXd& sum, const std::vector<Run>& left, const Column& column,
                 const SparseMatrix& right, Index j, Index last) {
  constexpr Index chunk = 512;
  Index rows = 0;  // that `left` reads
  for (const Run& run : left) {
    if (run.column >= last) break;
    rows = std::max(rows, run.row + std::min(run.length, last - run.column));
  }
  Eigen::VectorXd half = Eigen::VectorXd::Zero(rows), product = Eigen::VectorXd::Zero(last);
  for (Index i = 0; i < rows; i += chunk) {
    const Index n = std::min(chunk, rows - i);
    for (SparseMatrix::InnerIterator it(right, j); it; ++it)
      half.segment(i, n) += it.value() * column(it.row(), i, n);
  }
  for (const Run& run : left) {
    if (run.column >= last) break;
    const Index n = std::min(run.length, last - run.column);
    product.segment(run.column, n) += run.coefficient * half.segment(run.row, n);
  }
  sum.col(j).head(last) += product;
}

// A congruence, ready to be added column by column.
class Summand {
 public:
  explicit Summand(const Congruence& congruence)
      : e_(congruence.e),
        left_(of_columns(congruence.a, e_.value.rows())),
        right_(of_columns(congruence.b, e_.value.cols())),
        scaled_(congruence.scale * right_.value),
        right_size_(scaled_.cwiseAbs()),
        left_runs_(runs(left_.value)),
        size_runs_(runs(left_.value.cwiseAbs())),
        rounding_(epsilon * static_cast<double>(3 + nonzeros_per_column(left_.value) +
                                                nonzeros_per_column(right_.value))) {
    if (left_.bound.size() > 0) left_errors_ = runs(left_.bound);
    if (right_.bound.size() > 0) right_errors_ = std::abs(congruence.scale) * right_.bound;
  }

  void add_column(UncertainMatrix& sum, Index j, Index last) const {
    const Index nonzeros = scaled_.outerIndexPtr()[j + 1] - scaled_.outerIndexPtr()[j];
    if (nonzeros == 0 && right_errors_.size() == 0) return;
    if (nonzeros == 1 && left_errors_.empty() && right_errors_.size() == 0) return add_shifted(sum, j, last);
    const auto value = [this](Index k, Index i, Index n) { return e_.value.col(k).segment(i, n); };
    const auto size = [&](Index k, Index i, Index n) { return value(k, i, n).cwiseAbs(); };
    const auto error = [&](Index k, Index i, Index n) {
      return e_.bound.col(k).segment(i, n) + rounding_ * size(k, i, n);
    };
    add_product(sum.value, left_runs_, value, scaled_, j, last);
    add_product(sum.bound, size_runs_, error, right_size_, j, last);
    if (!left_errors_.empty()) add_product(sum.bound, left_errors_, size, right_size_, j, last);
    if (right_errors_.size() > 0) add_product(sum.bound, size_runs_, size, right_errors_, j, last);
  }

 private:
  // Where column j of B has one entry, as those of convolutions have.
  void add_shifted(UncertainMatrix& sum, Index j, Index last) const {
    const SparseMatrix::InnerIterator it(scaled_, j);
    const double *value = e_.value.col(it.row()).data(), *bound = e_.bound.col(it.row()).data();
    for (const Run& run : left_runs_) {
      if (run.column >= last) break;
      add_scaled(sum.value.col(j).data() + run.column, sum.bound.col(j).data() + run.column, value + run.row,
                 bound + run.row, run.coefficient * it.value(), rounding_,
                 std::min(run.length, last - run.column));
    }
  }

  const UncertainMatrix& e_;
  const Coefficients left_, right_;
  const SparseMatrix scaled_, right_size_;
  const std::vector<Run> left_runs_, size_runs_;
  const double rounding_;
  std::vector<Run> left_errors_;
  SparseMatrix right_errors_;
};

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

std::vector<std::pair<Index, double>> column_entries(const Term& term, Index column) {
  if (!term.coefficients) return {{column, 1.0}};
  std::vector<std::pair<Index, double>> result;
  for (SparseMatrix::InnerIterator it(term.coefficients->value, column); it; ++it) {
    result.emplace_back(it.row(), it.value());
  }
  return result;
}

std::vector<Index> columns_read(const Term& term, Index columns) {
  if (term.coefficients) return filled_rows(*term.coefficients);
  std::vector<Index> all(static_cast<std::size_t>(columns));
  std::iota(all.begin(), all.end(), Index{0});
  return all;
}

void add_congruences(UncertainMatrix& sum, const std::vector<Congruence>& congruences, Entries entries,
                     std::size_t threads) {
  const std::vector<Summand> summands(congruences.begin(), congruences.end());
  constexpr Index columns = 32;  // of one thread at a time
  const auto tasks = static_cast<std::size_t>((sum.value.cols() + columns - 1) / columns);
  support::in_parallel(tasks, threads, [&](std::size_t task) {
    const Index begin = static_cast<Index>(task) * columns;
    for (Index j = begin; j < std::min(begin + columns, sum.value.cols()); ++j) {
      const Index last = entries == Entries::upper ? j + 1 : sum.value.rows();
      for (const Summand& summand : summands) summand.add_column(sum, j, last);
    }
  });
}

}  // namespace nngpcheck::analytic
