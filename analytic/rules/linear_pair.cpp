#include "nngpcheck/analytic/rules/linear_pair.hpp"

#include <algorithm>
#include <numeric>

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

UncertainMatrix Gram::diagonal() const {
  const MatrixXd value = scale * x->colwise().squaredNorm().transpose();
  return {value, rounding_of_gram(x->rows()) * value};
}

Index Reader::columns(const Structure& structure) const {
  return selection ? selection->rows() : node == one ? 1 : structure.columns(node);
}

ColumnList Reader::all_columns(const Structure& structure) const {
  ColumnList result(static_cast<std::size_t>(columns(structure)));
  std::iota(result.begin(), result.end(), Index{0});
  return result;
}

LinearForm::Term Reader::term(const LinearForm& form) const {
  LinearForm::Term result = *std::find_if(form.terms.begin(), form.terms.end(),
                                          [&](const LinearForm::Term& t) { return t.atom == node; });
  if (!selection) return result;
  if (!result.coefficients) return {node, Coefficients{*selection, {}}};
  for (SparseMatrix* matrix : {&result.coefficients->value, &result.coefficients->bound})
    *matrix = selected(*matrix);
  return result;
}

SparseMatrix Reader::selected(const SparseMatrix& coefficients) const {
  return selection && coefficients.size() > 0 ? SparseMatrix(*selection * coefficients) : coefficients;
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
  return gram         ? (narrow ? gram->diagonal() : gram->at(rows, columns))
         : !source    ? constant(rows, columns)
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

}  // namespace nngpcheck::analytic
