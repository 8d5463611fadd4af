#include "nngpcheck/analytic/rules/linear_pair.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "nngpcheck/analytic/columns/uncertain_arithmetic.hpp"

namespace nngpcheck::analytic {

using Eigen::Index;
using Eigen::MatrixXd;
using netsor::SparseMatrix;

namespace {

// Of a sum of so many products, relative to the product of the norms: twice what rounding can do, which
// leaves room for that of the norms.
double rounding_of_gram(Index rows) { return epsilon * static_cast<double>(rows + 2); }

void fill(UncertainMatrix& result, const MatrixXd& left, const MatrixXd& right, double scale) {
  const Eigen::VectorXd rows = left.colwise().norm();
  const Eigen::RowVectorXd columns = (rounding_of_gram(left.rows()) * scale) * right.colwise().norm();
  const MatrixXd scaled = scale * right;
  result.value.noalias() = left.transpose() * scaled;
  result.bound.noalias() = rows * columns;
}

}  // namespace

UncertainMatrix Gram::all(Buffers& buffers) const {
  UncertainMatrix result = buffers.take_pair(x->cols(), y->cols());
  fill(result, *x, *y, scale);
  return result;
}

UncertainMatrix Gram::at(const ColumnList& rows, const ColumnList& columns) const {
  UncertainMatrix result;
  fill(result, (*x)(Eigen::all, rows), (*y)(Eigen::all, columns), scale);
  return result;
}

Index Reader::columns(const Structure& structure) const {
  return selection ? selection->columns : node == one ? 1 : structure.columns(node);
}

ColumnList Reader::all_columns(const Structure& structure) const {
  ColumnList result(static_cast<std::size_t>(columns(structure)));
  std::iota(result.begin(), result.end(), Index{0});
  return result;
}

LinearForm::Term Reader::term(Values& values, NodeIndex bundle) const {
  LinearForm::Term result{node, {}};
  if (node != bundle && node != one) {
    const auto& terms = values.form(bundle).terms;
    result = *std::find_if(terms.begin(), terms.end(), [&](const auto& t) { return t.atom == node; });
  }
  if (!selection) return result;
  if (!result.coefficients) {
    const Index own = std::ssize(selection->column);
    SparseMatrix identity(own, own);
    identity.setIdentity();
    result.coefficients = Coefficients{std::move(identity), {}};
  }
  for (SparseMatrix* matrix : {&result.coefficients->value, &result.coefficients->bound})
    *matrix = selected(*matrix);
  return result;
}

SparseMatrix Reader::selected(const SparseMatrix& coefficients) const {
  if (!selection || coefficients.size() == 0) return coefficients;
  SparseMatrix result(selection->columns, coefficients.cols());
  result.reserve(coefficients.nonZeros());
  std::vector<std::pair<Index, double>> entries;
  for (Index j = 0; j < coefficients.cols(); ++j) {
    entries.clear();
    for (SparseMatrix::InnerIterator it(coefficients, j); it; ++it) {
      const Index column = selection->column[static_cast<std::size_t>(it.row())];
      if (column >= 0) entries.emplace_back(column, it.value());
    }
    if (!std::is_sorted(entries.begin(), entries.end())) std::sort(entries.begin(), entries.end());
    result.startVec(j);
    for (const auto& [row, value] : entries) result.insertBack(row, j) = value;
  }
  result.finalize();
  return result;
}

const UncertainMatrix& Pair::unscaled(const Values& values, const ColumnList& rows, const ColumnList& columns,
                                      UncertainMatrix& storage) const {
  if (source && !narrow && !transposed && source->entries.is_full()) return values[*source];
  storage = at(values, rows, columns);
  return storage;
}

UncertainMatrix Pair::value(const Values& values, const ColumnList& rows, const ColumnList& columns) const {
  UncertainMatrix result = at(values, rows, columns);
  if (variance) {
    result.value *= *variance;
    result.bound = *variance * result.bound + epsilon * result.value.cwiseAbs();
  }
  return result;
}

UncertainMatrix Pair::at(const Values& values, const ColumnList& rows, const ColumnList& columns) const {
  return gram         ? gram->at(rows, columns)
         : !source    ? exact(MatrixXd::Constant(std::ssize(rows), std::ssize(columns), constant))
         : narrow     ? values.diagonal(*source)
         : transposed ? transpose(values.part(*source, columns, rows))
                      : values.part(*source, rows, columns);
}

MatrixXd Pair::change(const Structure& structure, const Changes& changes, Index direction) const {
  if (!source) return {};
  MatrixXd result = changes.matrix(*source, direction, structure.columns(source->left));
  if (result.size() == 0) return result;
  if (narrow && source->entries.is_full()) result = result.diagonal().eval();
  if (transposed) result.transposeInPlace();
  return variance.value_or(1) * result;
}

PairEntries::PairEntries(const Pair& pair, const Values& values) : pair_(pair) {
  if (pair.source) stored_ = &values[*pair.source];
  if (!pair.gram) return;
  row_norms_ = pair.gram->x->colwise().norm();
  column_norms_ =
      (rounding_of_gram(pair.gram->x->rows()) * pair.gram->scale) * pair.gram->y->colwise().norm();
}

}  // namespace nngpcheck::analytic
