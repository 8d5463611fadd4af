#include "nngpcheck/analytic/paths/path_block.hpp"

#include <cmath>

#include "nngpcheck/analytic/vector_widths.hpp"

namespace nngpcheck::analytic {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;
using Eigen::RowVectorXd;

namespace {

// The change times a number, or a number per path.
ArrayXXd scaled(const ArrayXXd& change, double constant, const ArrayXd& array) {
  if (change.size() == 0) return {};
  if (array.size() == 0) return change * constant;
  if (change.rows() > 1) return change.colwise() * array;
  return (array.matrix() * change.matrix()).array();
}

void accumulate(ArrayXXd& sum, const ArrayXXd& change) {
  if (change.size() == 0) return;
  if (sum.size() == 0) {
    sum = change;
  } else if (sum.rows() < change.rows()) {
    sum = change.rowwise() + sum.row(0).eval();
  } else if (sum.rows() > change.rows()) {
    sum.rowwise() += change.row(0).eval();
  } else {
    sum += change;
  }
}

// y += Σ_k weight_k x_k, four at a time, each entry in the order of k.
NNGPCHECK_FOR_EVERY_WIDTH
void add_four(double* __restrict y, const double* __restrict const* x, const double* weights, Index count) {
  const double *a = x[0], *b = x[1], *c = x[2], *d = x[3];
  const double s = weights[0], t = weights[1], u = weights[2], v = weights[3];
  for (Index i = 0; i < count; ++i) y[i] = (((y[i] + s * a[i]) + t * b[i]) + u * c[i]) + v * d[i];
}

}  // namespace

void PathNumber::add(double coefficient, const PathNumber& other) {
  accumulate(change_, scaled(other.change_, coefficient, {}));
  if (other.is_constant()) {
    is_constant() ? void(constant_ += coefficient * other.constant_)
                  : void(array_ += coefficient * other.constant_);
  } else if (is_constant()) {
    array_ = constant_ + coefficient * other.array_;
  } else {
    array_ += coefficient * other.array_;
  }
}

void PathNumber::multiply(const PathNumber& other) {
  if (change_.size() > 0 || other.change_.size() > 0) {
    ArrayXXd change = scaled(change_, other.constant_, other.array_);
    accumulate(change, scaled(other.change_, constant_, array_));
    change_ = std::move(change);
  }
  if (!other.is_constant()) {
    multiply(other.array_);
  } else if (is_constant()) {
    constant_ *= other.constant_;
  } else {
    array_ *= other.constant_;
  }
}

void PathNumber::multiply(const ArrayXd& other) {
  if (is_constant()) {
    array_ = constant_ * other;
  } else {
    array_ *= other;
  }
}

ArrayXd PathNumber::values(Index paths) const {
  return is_constant() ? ArrayXd::Constant(paths, constant_) : array_;
}

double PathNumber::sum(Index paths) const {
  return is_constant() ? constant_ * static_cast<double>(paths) : array_.sum();
}

double PathNumber::size_sum(Index paths) const {
  return is_constant() ? std::abs(constant_) * static_cast<double>(paths) : array_.abs().sum();
}

RowVectorXd PathNumber::change_sum(Index paths, Index directions) const {
  if (change_.size() == 0) return RowVectorXd::Zero(directions);
  const RowVectorXd sum = change_.colwise().sum();
  return change_.rows() == 1 && paths > 1 ? RowVectorXd(sum * static_cast<double>(paths)) : sum;
}

const ArrayXd& BlockNormals::operator[](int coordinate) {
  ArrayXd& result = made_[static_cast<std::size_t>(coordinate)];
  if (result.size() == 0) result = sobol_.normals(coordinate, first_, count_);
  return result;
}

PathBlock::PathBlock(Values& values, ConditionalForms& forms, BlockNormals& normals, const Changes& changes,
                     std::vector<FormChanges>& form_changes)
    : PathBlock(values, forms, normals) {
  changes_ = &changes;
  form_changes_ = &form_changes;
  coordinate_changes_ = std::make_unique<CoordinateChanges>(*coordinates_, form_changes);
}

void PathBlock::draw(const Draw& draw) {
  ArrayXd value = ArrayXd::Constant(normals_.count(), draw.mean);
  std::size_t k = 0;
  for (; k + 4 <= draw.weights.size(); k += 4) {
    const double* normals[4];
    double weights[4];
    for (std::size_t i = 0; i < 4; ++i) {
      normals[i] = normals_[draw.weights[k + i].first].data();
      weights[i] = draw.weights[k + i].second;
    }
    add_four(value.data(), normals, weights, value.size());
  }
  for (; k < draw.weights.size(); ++k) value += draw.weights[k].second * normals_[draw.weights[k].first];
  coordinates_->set(draw.column, std::move(value));
}

void PathBlock::draw(const Column& column, const Column& equal) {
  ArrayXd value = (*coordinates_)(equal.first, equal.second);
  coordinates_->set(column, std::move(value));
}

void PathBlock::draw(const DrawChange& change) {
  ArrayXXd result = change.mean.replicate(normals_.count(), 1).array();
  for (const auto& [coordinate, weight] : change.weights) {
    result += (normals_[coordinate].matrix() * weight).array();
  }
  coordinate_changes_->set(change.column, std::move(result));
}

bool PathBlock::known(NodeIndex node) const {
  return node == one || subset(values_.structure().families(node), forms_.sampled());
}

PathBlock::Sum PathBlock::sum(NodeIndex x, Index i, NodeIndex y, Index j) {
  if (known(x) && known(y)) {
    const ArrayXd& left = value(x, i);
    if (y == one) return {left.sum(), left.abs().sum()};
    const ArrayXd& right = value(y, j);
    return {(left * right).sum(), (left * right).abs().sum()};
  }
  PathNumber storage;
  const PathNumber& number = conditional(x, i, y, j, storage);
  return {number.sum(paths()), number.size_sum(paths())};
}

// Times a known column.
void PathBlock::multiply(PathNumber& number, NodeIndex node, Index column) {
  if (!coordinate_changes_) return number.multiply(value(node, column));
  PathNumber factor(value(node, column));
  factor.set_change((*coordinate_changes_)(node, column));
  number.multiply(factor);
}

const PathNumber& PathBlock::conditional(NodeIndex x, Index i, NodeIndex y, Index j, PathNumber& storage) {
  if (Column(y, j) < Column(x, i)) {  // `one` comes last
    std::swap(x, y);
    std::swap(i, j);
  }
  const ConditionalForm& form = forms_.of(x, y);
  if (form.known) {
    storage = PathNumber(1);
    multiply(storage, x, i);
    if (y != one) multiply(storage, y, j);
    return storage;
  }
  if (form.constant) return storage = constant(x, i, y, j);
  if (form.atoms) return storage = atoms(form, x, i, y, j);
  const std::pair<Column, Column> key{{x, i}, {y, j}};
  if (const auto found = conditionals_.find(key); found != conditionals_.end()) return found->second;
  return conditionals_[key] = combination(x, i, y, j);
}

PathNumber PathBlock::constant(NodeIndex x, Index i, NodeIndex y, Index j) const {
  PathNumber result(values_.moment_entry(x, i, y, j));
  if (!changes_) return result;
  const Directions* change = changes_->find(y == one ? Demand::mean(x) : Demand::moment(x, y));
  if (!change) return result;
  const Index rows = values_.structure().columns(std::min(x, y));
  const auto [row, column] = x <= y ? std::pair(i, j) : std::pair(j, i);
  result.set_change(change->row(y == one ? i : column * rows + row).array());
  return result;
}

std::vector<Coordinates::Term> PathBlock::terms(NodeIndex node, Index column) {
  if (node == one) return {{one, 0, 1.0}};
  return coordinates_->terms(node, column);
}

PathNumber PathBlock::combination(NodeIndex x, Index i, NodeIndex y, Index j) {
  PathNumber result, storage;
  const auto right = terms(y, j);
  for (const auto& [a, column_a, coefficient_a] : terms(x, i)) {
    for (const auto& [b, column_b, coefficient_b] : right) {
      result.add(coefficient_a * coefficient_b, conditional(a, column_a, b, column_b, storage));
    }
  }
  if (changes_) {
    add_form_changes(result, x, i, y, j);
    add_form_changes(result, y, j, x, i);
  }
  return result;
}

// What the change of x's coefficients adds to the change of E[x_i y_j | path].
void PathBlock::add_form_changes(PathNumber& number, NodeIndex x, Index i, NodeIndex y, Index j) {
  if (x == one) return;
  const auto right = terms(y, j);
  for (std::size_t d = 0; d < form_changes_->size(); ++d) {
    for (const FormChange::Term& term : (*form_changes_)[d].of(x).terms) {
      for (netsor::SparseMatrix::InnerIterator it(term.change, i); it; ++it) {
        for (const auto& [b, column, coefficient] : right) {
          PathNumber storage;
          const ArrayXd values = conditional(term.atom, it.row(), b, column, storage).values(paths());
          ArrayXXd change = ArrayXXd::Zero(paths(), std::ssize(*form_changes_));
          change.col(static_cast<Index>(d)) = it.value() * coefficient * values;
          PathNumber addend(0);
          addend.set_change(std::move(change));
          number.add(1, addend);
        }
      }
    }
  }
}

PathNumber PathBlock::atoms(const ConditionalForm& form, NodeIndex x, Index i, NodeIndex y, Index j) {
  const Structure& structure = values_.structure();
  // The column of a factor that a column of the product reads.
  const auto factor_column = [&](NodeIndex product, NodeIndex factor, Index column) {
    return factor == product ? column : structure.operand_column(factor, column);
  };
  PathNumber result(1), storage;
  for (const NodeIndex factor : form.factors.known_left)
    multiply(result, factor, factor_column(x, factor, i));
  for (const NodeIndex factor : form.factors.known_right)
    multiply(result, factor, factor_column(y, factor, j));
  for (const auto& group : form.factors.groups) {
    const auto [first, second] = ConditionalForm::members(group);
    const Index column = group.left.empty() ? factor_column(y, first, j) : factor_column(x, first, i);
    const Index other = second == one         ? 0
                        : group.right.empty() ? factor_column(x, second, i)
                                              : factor_column(y, second, j);
    result.multiply(conditional(first, column, second, other, storage));
  }
  return result;
}

}  // namespace nngpcheck::analytic
