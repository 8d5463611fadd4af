// Rule 1: means, covariances and moments of linear combinations.
//   E[X] = Σ_k A_kᵀ E[M_k],   cov(X, Y) = Σ_kl A_kᵀ cov(M_k, N_l) B_l,   E[XᵀY] = Σ_kl A_kᵀ E[M_kᵀN_l] B_l
// over the sources of Gaussian bundles and over the atoms of others.
#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>

#include "nngpcheck/analytic/columns/buffers.hpp"
#include "nngpcheck/analytic/columns/congruence.hpp"
#include "nngpcheck/analytic/columns/form_changes.hpp"
#include "nngpcheck/analytic/columns/uncertain_arithmetic.hpp"
#include "nngpcheck/analytic/rules/linear_pair.hpp"
#include "nngpcheck/analytic/rules/rules.hpp"
#include "nngpcheck/netsor/passes/traits.hpp"

namespace nngpcheck::analytic {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;

using netsor::Overloaded;
using netsor::SparseMatrix;

/// The coefficients of an atom of X and their change in one direction, as matrices; none for Y = one, and
/// where X is the atom.
struct Side {
  std::optional<SparseMatrix> value = {};   // none: the identity
  std::optional<SparseMatrix> change = {};  // none: 0
};

Side side(Values& values, FormChanges& changes, NodeIndex node, const Reader& reader) {
  Side result;
  if (node == one) return result;
  if (const auto c = reader.term(values, node).coefficients) result.value = c->value;
  if (node == reader.node) return result;
  for (const FormChange::Term& t : changes.of(node).terms) {
    if (t.atom == reader.node) result.change = reader.selected(t.change);
  }
  return result;
}

/// AᵀEB.
MatrixXd congruence(const std::optional<SparseMatrix>& a, const MatrixXd& e,
                    const std::optional<SparseMatrix>& b) {
  const MatrixXd half = b ? MatrixXd(e * *b) : e;
  return a ? MatrixXd(a->transpose() * half) : half;
}

/// The diagonal of AᵀEB, where E may be narrow.
MatrixXd congruence_diagonal(const std::optional<SparseMatrix>& a, const MatrixXd& e,
                             const std::optional<SparseMatrix>& b, Index columns, bool narrow) {
  const auto term = [](const std::optional<SparseMatrix>& matrix) {
    return LinearForm::Term{0, matrix ? std::optional(Coefficients{*matrix, {}}) : std::nullopt};
  };
  const LinearForm::Term left = term(a), right = term(b);
  MatrixXd result = MatrixXd::Zero(columns, 1);
  for (Index j = 0; j < columns; ++j) {
    for_each_coefficient(left, j, [&](Index row, double x) {
      for_each_coefficient(
          right, j, [&](Index other, double y) { result(j, 0) += x * y * e(row, narrow ? 0 : other); });
    });
  }
  return result;
}

/// The coefficients of a combination that are not exactly 0, with what bounds their errors, column by column.
class Reads {
 public:
  struct Read {
    Index row;
    Estimate coefficient;
  };

  Reads(const LinearForm::Term& term, Index columns) {
    const bool bounds = term.coefficients && term.coefficients->bound.size() > 0;
    reads_.reserve(
        static_cast<std::size_t>(term.coefficients ? term.coefficients->value.nonZeros() : columns));
    ends_.reserve(static_cast<std::size_t>(columns));
    SparseMatrix either;  // where value or bound is not 0
    if (bounds) either = term.coefficients->value.cwiseAbs() + term.coefficients->bound;
    for (Index j = 0; j < columns; ++j) {
      if (bounds) {
        const auto& [value, bound] = *term.coefficients;
        for (SparseMatrix::InnerIterator it(either, j); it; ++it)
          reads_.push_back({it.row(), {value.coeff(it.row(), j), bound.coeff(it.row(), j)}});
      } else {
        for_each_coefficient(term, j, [&](Index row, double a) { reads_.push_back({row, {a, 0}}); });
      }
      ends_.push_back(reads_.size());
    }
  }

  std::span<const Read> operator()(Index column) const {
    const auto j = static_cast<std::size_t>(column);
    const std::size_t begin = j == 0 ? 0 : ends_[j - 1];
    return std::span(reads_).subspan(begin, ends_[j] - begin);
  }

 private:
  std::vector<Read> reads_;
  std::vector<std::size_t> ends_;  // of columns
};

class LinearStep : public Step {
 public:
  LinearStep(const Structure& structure, const Demand& demand, std::vector<Demand> needs,
             std::vector<Pair> pairs)
      : Step(demand, Method::linear, std::move(needs)), structure_(structure), pairs_(std::move(pairs)) {}

  UncertainMatrix value(Workplace& workplace, Cost&) const override {
    return demand().entries.is_full() ? full(workplace) : some(workplace.values);
  }

  Directions push(Workplace& workplace, const Changes& changes) const override {
    if (of_classes()) return pushed_by_entries(workplace.values, changes);
    Directions result;
    for (Index b = 0; b < changes.directions(); ++b) {
      const MatrixXd change = pushed(workplace.values, changes, b);
      if (b == 0) result.resize(change.size(), changes.directions());
      result.col(b) = change.reshaped();
    }
    return result;
  }

 private:
  UncertainMatrix full(Workplace& workplace) const {
    Values& values = workplace.values;
    const auto [x, y] = std::pair(demand().left, demand().right);
    Buffers fresh;
    Buffers& buffers = workplace.buffers ? *workplace.buffers : fresh;
    UncertainMatrix sum = buffers.take_pair(structure_.columns(x), y == one ? 1 : structure_.columns(y));
    sum.value.setZero();
    sum.bound.setZero();
    std::vector<Congruence> congruences;
    std::deque<UncertainMatrix> storage;
    std::deque<LinearForm::Term> terms;
    std::map<Gram, const UncertainMatrix*>
        grams;  // of all columns: the offsets of a convolution read the same
    for (const Pair& pair : pairs_) {
      if (pair.source && values[*pair.source].value.isZero(0) && values[*pair.source].bound.isZero(0))
        continue;
      const LinearForm::Term& left = terms.emplace_back(pair.left.term(values, x));
      const LinearForm::Term& right = terms.emplace_back(pair.right.term(values, y));
      const double scale = pair.variance.value_or(1);
      const ColumnList rows = columns_read(left, pair.left.columns(structure_));
      const ColumnList columns = columns_read(right, pair.right.columns(structure_));
      if (!pair.gram) {
        const UncertainMatrix& e = pair.unscaled(values, rows, columns, storage.emplace_back());
        congruences.push_back({left, e, right, scale});
        continue;
      }
      if (2 * rows.size() * columns.size() < pair.gram->size()) {
        congruences.push_back({left, storage.emplace_back(pair.gram->at(rows, columns)), right, scale});
        continue;
      }
      const UncertainMatrix*& all = grams[*pair.gram];
      if (!all) all = &storage.emplace_back(pair.gram->all(buffers));
      congruences.push_back({left, *all, right, scale});
    }
    add_congruences(sum, congruences, x == y ? Entries::upper : Entries::all, workplace.threads);
    if (x == y) mirror(sum, Triangle::upper);
    for (UncertainMatrix& memory : storage) buffers.give(std::move(memory));
    return sum;
  }

  // On the diagonal or within classes, entry by entry.
  UncertainMatrix some(Values& values) const {
    const NodeIndex x = demand().left;
    const Index columns = structure_.columns(x);
    const Pattern& entries = demand().entries;
    UncertainMatrix sum = zero(entries.rows(columns), entries.columns(columns));
    for (const Pair& pair : pairs_) {
      const Reads left(pair.left.term(values, x), columns), right(pair.right.term(values, x), columns);
      const PairEntries e(pair, values);
      entries.for_each(columns, columns, [&](Index i, Index j, Index k) {
        if (i > j) return;  // the sum of all pairs is symmetric
        const std::span of_row = left(i), of_column = right(j);
        const double rounding = epsilon * static_cast<double>(1 + std::ssize(pairs_) + std::ssize(of_row) +
                                                              std::ssize(of_column));
        Estimate all{sum.value.data()[k], sum.bound.data()[k]};
        for (const auto& [row, a] : of_row) {
          for (const auto& [other, b] : of_column) {
            const Estimate entry = e.at(row, other);
            const double size = std::abs(entry.value), product = a.value * b.value;
            all.value += product * entry.value;
            all.bound += std::abs(product) * (entry.bound + rounding * size) +
                         (a.bound * std::abs(b.value) + std::abs(a.value) * b.bound) * size;
          }
        }
        sum.value.data()[k] = all.value;
        sum.bound.data()[k] = all.bound;
      });
    }
    entries.for_each(columns, columns, [&](Index i, Index j, Index k) {
      if (i <= j) return;
      const Index mirrored = entries.at(j, i, columns);
      sum.value.data()[k] = sum.value.data()[mirrored];
      sum.bound.data()[k] = sum.bound.data()[mirrored];
    });
    return sum;
  }

  bool of_classes() const {
    return demand().entries.classes() || std::any_of(pairs_.begin(), pairs_.end(), [](const Pair& pair) {
             return pair.source && pair.source->entries.classes();
           });
  }

  // AᵀdE B, entry by entry.
  Directions pushed_by_entries(Values& values, const Changes& changes) const {
    const NodeIndex x = demand().left;
    const Index columns = structure_.columns(x);
    const Pattern& entries = demand().entries;
    Directions result =
        Directions::Zero(entries.rows(columns) * entries.columns(columns), changes.directions());
    for (const Pair& pair : pairs_) {
      const Directions* change = pair.source ? changes.find(*pair.source) : nullptr;
      if (!change) continue;
      const Index rows = structure_.columns(pair.source->left);
      const LinearForm::Term left = pair.left.term(values, x), right = pair.right.term(values, x);
      entries.for_each(columns, columns, [&](Index i, Index j, Index k) {
        for_each_coefficient(left, i, [&](Index row, double a) {
          for_each_coefficient(right, j, [&](Index other, double b) {
            const Index from = pair.source->entries.at(row, other, rows);
            result.row(k) += a * b * pair.variance.value_or(1) * change->row(from);
          });
        });
      });
    }
    return result;
  }

  // d(AᵀEB) = AᵀdE B + dAᵀEB + AᵀE dB, in one direction.
  MatrixXd pushed(Values& values, const Changes& changes, Index direction) const {
    const auto [x, y] = std::pair(demand().left, demand().right);
    const bool all = demand().entries.is_full();
    const Index columns = !all || y == one ? 1 : structure_.columns(y);
    FormChanges form_changes(structure_, values.forms(), changes, direction);
    MatrixXd sum = MatrixXd::Zero(structure_.columns(x), columns);
    for (const Pair& pair : pairs_) {
      const auto add = [&](const auto& a, const MatrixXd& e, const auto& b) {
        sum += all ? congruence(a, e, b) : congruence_diagonal(a, e, b, sum.rows(), pair.narrow);
      };
      const Side a = side(values, form_changes, x, pair.left);
      const Side b = side(values, form_changes, y, pair.right);
      const MatrixXd change = pair.change(structure_, changes, direction);
      if (change.size() > 0) add(a.value, change, b.value);
      if (!a.change && !b.change) continue;
      const MatrixXd e = whole(pair, values).value;
      if (a.change) add(a.change, e, b.value);
      if (b.change) add(a.value, e, b.change);
    }
    if (all && x == y) sum = (0.5 * (sum + sum.transpose())).eval();
    return sum;
  }

  UncertainMatrix whole(const Pair& pair, const Values& values) const {
    return pair.value(values, pair.left.all_columns(structure_), pair.right.all_columns(structure_));
  }

  const Structure& structure_;
  std::vector<Pair> pairs_;
};

StepPointer make(const Planning& planning, const Demand& demand, std::vector<Pair> pairs) {
  std::vector<Demand> needs = tables_of(planning.structure, {demand.left, demand.right});
  std::set<Demand> sources;
  for (const Pair& pair : pairs) {
    if (pair.source) sources.insert(*pair.source);
  }
  needs.insert(needs.end(), sources.begin(), sources.end());
  return std::make_unique<LinearStep>(planning.structure, demand, std::move(needs), std::move(pairs));
}

StepPointer mean(const Planning& planning, const Demand& demand) {
  const Structure& structure = planning.structure;
  const NodeIndex x = demand.left;
  std::vector<Pair> pairs;
  if (structure.gaussian(x)) {
    for (const NodeIndex source : structure.sources(x)) {
      const double mean = structure.mean_of_source(source);
      if (mean == 0) continue;
      pairs.push_back({.left = {source}, .right = {one}, .constant = mean});
    }
  } else if (structure.is_atom(x)) {
    return nullptr;
  } else {
    for (const NodeIndex atom : structure.atoms(x)) {
      pairs.push_back({.left = {atom}, .right = {one}, .source = Demand::mean(atom)});
    }
  }
  return make(planning, demand, std::move(pairs));
}

// E[XᵀY] of two bundles, read by these.
Pair moment_pair(const Reader& left, const Reader& right, NodeIndex x, NodeIndex y) {
  return {.left = left, .right = right, .source = Demand::moment(x, y), .transposed = x > y};
}

// The selection that a matrix is, if it is one: every column one of the identity, or 0, and none there twice.
std::shared_ptr<const Selection> as_selection(const SparseMatrix& matrix) {
  Selection result{ColumnList(static_cast<std::size_t>(matrix.cols()), -1), matrix.rows()};
  std::vector<bool> taken(static_cast<std::size_t>(matrix.rows()), false);
  for (Index j = 0; j < matrix.outerSize(); ++j) {
    Index& column = result.column[static_cast<std::size_t>(j)];
    for (SparseMatrix::InnerIterator it(matrix, j); it; ++it) {
      if (it.value() != 1 || column >= 0 || taken[static_cast<std::size_t>(it.row())]) return nullptr;
      column = it.row();
      taken[static_cast<std::size_t>(column)] = true;
    }
  }
  return std::make_shared<const Selection>(std::move(result));
}

// What a weight is applied to: a bundle, or columns of an atom that are selected from it, such as those of
// one offset of a convolution. The moments of the atom are then read in place.
struct Argument {
  NodeIndex bundle;
  std::shared_ptr<const Selection> selection = {};
};

Argument argument_of(const Structure& structure, const netsor::MatMul& product) {
  const NodeIndex bundle = product.argument.index();
  if (structure.is_atom(bundle) || structure.atoms(bundle).size() > 1 || !structure.tables(bundle).empty())
    return {bundle};
  LinearForms forms(structure,
                    [](NodeIndex) -> const UncertainMatrix& { throw LimitError("no tables here"); });
  const LinearForm::Term& term = forms.of(bundle).terms.front();
  auto selection = term.coefficients ? as_selection(term.coefficients->value) : nullptr;
  if (!selection) return {bundle};
  return {term.atom, std::move(selection)};
}

// cov of two uses of one random object, before any mixing; of one use alone, if only its diagonal is wanted.
Pair source_pair(const Planning& planning, NodeIndex a, NodeIndex b, bool narrow,
                 const std::function<Pattern(NodeIndex)>& entries_of) {
  const netsor::Program& program = planning.structure.program();
  const auto& right = program.nodes()[b].operation;
  return netsor::visit<netsor::Form::source>(
      Overloaded{
          [&](const netsor::Input& op) {
            const netsor::InputWeight& weight = program[op.weight];
            const MatrixXd* first = op.data.get();
            const MatrixXd* second = std::get<netsor::Input>(right).data.get();
            const double scale = weight.variance / static_cast<double>(weight.inputs);
            return Pair{.left = {a}, .right = {b}, .gram = Gram{first, second, scale}, .narrow = narrow};
          },
          [&](const netsor::BiasColumn& op) {
            return Pair{.left = {a}, .right = {b}, .constant = program[op.bias].variance};
          },
          [&](const netsor::MatMul& op) {
            const Argument x = argument_of(planning.structure, op);
            const Argument y = argument_of(planning.structure, std::get<netsor::MatMul>(right));
            Pair pair = moment_pair({a, x.selection}, {b, y.selection}, x.bundle, y.bundle);
            if (a == b) pair.source = Demand::moment(x.bundle, entries_of(x.bundle));
            pair.variance = program[op.weight].variance;
            if (narrow) pair.source = planning.second_moment(x.bundle);
            pair.narrow = narrow;
            return pair;
          },
          [&](const netsor::Ones&) { return Pair{.left = {a}, .right = {b}}; },
      },
      program.nodes()[a].operation);
}

StepPointer covariance(const Planning& planning, const Demand& demand) {
  const Structure& structure = planning.structure;
  const auto& program = structure.program();
  const bool narrow = demand.entries.is_diagonal() && structure.selects(demand.left);
  std::vector<Pair> pairs;
  for (const NodeIndex a : structure.sources(demand.left)) {
    for (const NodeIndex b : structure.sources(demand.right)) {
      if (!structure.same_object(a, b)) continue;
      const bool bias = std::holds_alternative<netsor::BiasColumn>(program.nodes()[a].operation);
      pairs.push_back(source_pair(planning, a, b, narrow && a == b && !bias, [&](NodeIndex argument) {
        return planning.entries_for(demand, argument);
      }));
    }
  }
  return make(planning, demand, std::move(pairs));
}

}  // namespace

StepPointer linear_rule(const Planning& planning, const Demand& demand) {
  const Structure& structure = planning.structure;
  if (demand.kind == Demand::Kind::covariance) return covariance(planning, demand);
  if (demand.kind == Demand::Kind::mean) return mean(planning, demand);
  if (demand.kind != Demand::Kind::moment || demand.entries.is_diagonal()) return nullptr;
  if (structure.is_atom(demand.left) && structure.is_atom(demand.right)) return nullptr;
  std::vector<Pair> pairs;
  for (const NodeIndex a : structure.atoms(demand.left)) {
    for (const NodeIndex b : structure.atoms(demand.right)) {
      pairs.push_back(moment_pair({a}, {b}, a, b));
      if (a == b) pairs.back().source = Demand::moment(a, planning.entries_for(demand, a));
    }
  }
  return make(planning, demand, std::move(pairs));
}

}  // namespace nngpcheck::analytic
