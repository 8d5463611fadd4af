// What combinations of sources and of atoms have in common, pair by pair.
#pragma once

#include <cmath>
#include <compare>
#include <memory>
#include <optional>
#include <vector>

#include "nngpcheck/analytic/columns/buffers.hpp"
#include "nngpcheck/analytic/columns/changes.hpp"
#include "nngpcheck/analytic/columns/values.hpp"

namespace nngpcheck::analytic {

using ColumnList = std::vector<Eigen::Index>;

/// scale·xᵀy of the columns of two inputs. |x|ᵀ|y| ≤ ‖x‖‖y‖ bounds the rounding.
struct Gram {
  const Eigen::MatrixXd* x;
  const Eigen::MatrixXd* y;
  double scale;

  std::size_t size() const {
    return static_cast<std::size_t>(x->cols()) * static_cast<std::size_t>(y->cols());
  }
  UncertainMatrix all(Buffers& buffers) const;
  UncertainMatrix at(const ColumnList& rows, const ColumnList& columns) const;
  friend auto operator<=>(const Gram&, const Gram&) = default;
};

/// Some columns of a bundle in another order, or zeros in between.
struct Selection {
  std::vector<Eigen::Index> column;  // of the bundle; −1: zero
  Eigen::Index columns = 0;          // of the bundle
};

/// A source or atom of a bundle, and which columns of E its own are: all, or those of a selection.
struct Reader {
  NodeIndex node;
  std::shared_ptr<const Selection> selection = {};

  /// How many columns E has on this side.
  Eigen::Index columns(const Structure& structure) const;
  ColumnList all_columns(const Structure& structure) const;
  /// Its coefficients in a bundle's form, by columns of E. A Gaussian bundle is an atom itself, whose form is
  /// over its sources. Precondition: the bundle has such a source or atom.
  LinearForm::Term term(Values& values, NodeIndex bundle) const;
  netsor::SparseMatrix selected(const netsor::SparseMatrix& coefficients) const;
};

/// What one source or atom of X and one of Y have in common, E_kl of rule 1. A number, or read and
/// multiplied.
struct Pair {
  Reader left, right;
  std::optional<Demand> source = {};
  bool transposed = false;              // the source's rows are the columns of `right`
  std::optional<double> variance = {};  // times the source
  double constant = 0;                  // in place of the source, or
  std::optional<Gram> gram = {};
  bool narrow = false;  // only the diagonal is at hand, all of it, as a column

  /// Before `variance`: all of it where it is stored, which needs no copy, or else at these columns of
  /// either, in `storage`.
  const UncertainMatrix& unscaled(const Values& values, const ColumnList& rows, const ColumnList& columns,
                                  UncertainMatrix& storage) const;

  /// At these columns of either.
  UncertainMatrix value(const Values& values, const ColumnList& rows, const ColumnList& columns) const;

  /// 0×0: none.
  Eigen::MatrixXd change(const Structure& structure, const Changes& changes, Eigen::Index direction) const;

 private:
  UncertainMatrix at(const Values& values, const ColumnList& rows, const ColumnList& columns) const;
};

/// Entries of E one by one, `variance` included. The pair and its values must outlive this object.
class PairEntries {
 public:
  PairEntries(const Pair& pair, const Values& values);

  /// Precondition: it is one of those that the pair's source stores.
  Estimate at(Eigen::Index row, Eigen::Index column) const;

 private:
  const Pair& pair_;
  const UncertainMatrix* stored_ = nullptr;
  Eigen::VectorXd row_norms_, column_norms_;  // of a Gram
};

inline Estimate PairEntries::at(Eigen::Index row, Eigen::Index column) const {
  if (pair_.gram) {
    const auto& [x, y, scale] = *pair_.gram;
    return {scale * x->col(row).dot(y->col(column)), row_norms_(row) * column_norms_(column)};
  }
  if (!stored_) return {pair_.constant, 0};
  if (pair_.transposed) std::swap(row, column);
  const Eigen::Index k = pair_.source->entries.at(row, column, stored_->value.rows());
  const double variance = pair_.variance.value_or(1), value = variance * stored_->value.data()[k];
  return {value, variance * stored_->bound.data()[k] + epsilon * std::abs(value)};
}

}  // namespace nngpcheck::analytic
