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

/// The coefficients of an atom of X and their change in one direction, as matrices; both 0×0 for Y = one.
struct Side {
  std::optional<SparseMatrix> value = {};   // none: the identity
  std::optional<SparseMatrix> change = {};  // none: 0
};

Side side(Values& values, FormChanges& changes, NodeIndex node, const Reader& reader) {
  Side result;
  if (node == one) return result;
  if (const auto c = reader.term(values.form(node)).coefficients) result.value = c->value;
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
  const auto entries = [](const std::optional<SparseMatrix>& matrix, Index column) {
    return column_entries({0, matrix ? std::optional(Coefficients{*matrix, {}}) : std::nullopt}, column);
  };
  MatrixXd result = MatrixXd::Zero(columns, 1);
  for (Index j = 0; j < columns; ++j) {
    for (const auto& [row, left] : entries(a, j)) {
      for (const auto& [other, right] : entries(b, j))
        result(j, 0) += left * right * e(row, narrow ? 0 : other);
    }
  }
  return result;
}

/// The columns that some columns of a combination read of an atom, and for each of these the places among
/// them, with their coefficients.
struct ColumnsRead {
  ColumnList columns;
  std::vector<std::vector<std::pair<Index, double>>> of;

  ColumnsRead(const LinearForm::Term& term, const ColumnList& reading) {
    for (const Index j : reading) {
      of.push_back(column_entries(term, j));
      for (const auto& [column, coefficient] : of.back()) columns.push_back(column);
    }
    std::sort(columns.begin(), columns.end());
    columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
    for (auto& entries : of) {
      for (auto& [column, coefficient] : entries)
        column = std::lower_bound(columns.begin(), columns.end(), column) - columns.begin();
    }
  }
};

class LinearStep : public Step {
 public:
  LinearStep(const Structure& structure, const Demand& demand, std::vector<Demand> needs,
             std::vector<Pair> pairs)
      : Step(demand, Method::linear, std::move(needs)), structure_(structure), pairs_(std::move(pairs)) {}

  UncertainMatrix value(Workplace& workplace, Cost&) const override {
    if (demand().entries.classes()) return within(workplace.values);
    return demand().entries.is_full() ? full(workplace) : diagonal(workplace.values);
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
      const LinearForm::Term& left = terms.emplace_back(pair.left.term(values.form(x)));
      const LinearForm::Term& right =
          terms.emplace_back(y == one ? LinearForm::Term{one, {}} : pair.right.term(values.form(y)));
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

  UncertainMatrix diagonal(Values& values) const {
    const NodeIndex x = demand().left;
    const Index columns = structure_.columns(x);
    UncertainMatrix sum = zero(columns, 1);
    for (const Pair& pair : pairs_) {
      const UncertainMatrix source = whole(pair, values);
      const LinearForm::Term rows = pair.left.term(values.form(x)), others = pair.right.term(values.form(x));
      for (Index j = 0; j < columns; ++j) {
        for (const auto& [row, left] : column_entries(rows, j)) {
          for (const auto& [other, right] : column_entries(others, j)) {
            const double product = left * right;
            const Index k = pair.narrow ? 0 : other;
            sum.value(j, 0) += product * source.value(row, k);
            sum.bound(j, 0) +=
                std::abs(product) * (source.bound(row, k) + 4 * epsilon * std::abs(source.value(row, k)));
          }
        }
      }
    }
    return sum;
  }

  // Of the columns of each class. Programs with tables have none, so coefficients are exact.
  UncertainMatrix within(Values& values) const {
    const NodeIndex x = demand().left;
    const Index columns = structure_.columns(x);
    const Pattern& entries = demand().entries;
    UncertainMatrix sum = zero(entries.rows(columns), entries.columns(columns));
    for (const Pair& pair : pairs_) {
      const LinearForm::Term left = pair.left.term(values.form(x)), right = pair.right.term(values.form(x));
      for (const ColumnList& members : entries.classes()->members) {
        const ColumnsRead rows(left, members), others(right, members);
        if (rows.columns.empty() || others.columns.empty()) continue;
        const UncertainMatrix e = pair.value(values, rows.columns, others.columns);
        for (std::size_t j = 0; j < members.size(); ++j) {
          for (std::size_t i = 0; i < members.size(); ++i) {
            const Index k = entries.at(members[i], members[j], columns);
            const double rounding =
                epsilon * static_cast<double>(2 + rows.of[i].size() + others.of[j].size());
            for (const auto& [row, a] : rows.of[i]) {
              for (const auto& [other, b] : others.of[j]) {
                sum.value.data()[k] += a * b * e.value(row, other);
                sum.bound.data()[k] +=
                    std::abs(a * b) * (e.bound(row, other) + rounding * std::abs(e.value(row, other)));
              }
            }
          }
        }
      }
    }
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
      const LinearForm::Term left = pair.left.term(values.form(x)), right = pair.right.term(values.form(x));
      entries.for_each(columns, columns, [&](Index i, Index j, Index k) {
        for (const auto& [row, a] : column_entries(left, i)) {
          for (const auto& [other, b] : column_entries(right, j)) {
            const Index from = pair.source->entries.at(row, pair.narrow ? row : other, rows);
            result.row(k) += a * b * pair.variance.value_or(1) * change->row(from);
          }
        }
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
      pairs.push_back(
          {.left = {source}, .right = {one}, .constant = [mean](const ColumnList& rows, const ColumnList&) {
             return exact(MatrixXd::Constant(std::ssize(rows), 1, mean));
           }});
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

// Whether every column of a matrix is a column of the identity, or 0, and none is there twice.
bool is_selection(const SparseMatrix& matrix) {
  std::vector<bool> taken(static_cast<std::size_t>(matrix.rows()), false);
  for (Index j = 0; j < matrix.outerSize(); ++j) {
    int entries = 0;
    for (SparseMatrix::InnerIterator it(matrix, j); it; ++it) {
      if (it.value() != 1 || ++entries > 1 || taken[static_cast<std::size_t>(it.row())]) return false;
      taken[static_cast<std::size_t>(it.row())] = true;
    }
  }
  return true;
}

// What a weight is applied to: a bundle, or columns of an atom that are selected from it, such as those of
// one offset of a convolution. The moments of the atom are then read in place.
struct Argument {
  NodeIndex bundle;
  std::shared_ptr<const SparseMatrix> selection = {};
};

Argument argument_of(const Structure& structure, const netsor::MatMul& product) {
  const NodeIndex bundle = product.argument.index();
  if (structure.is_atom(bundle) || structure.atoms(bundle).size() > 1 || !structure.tables(bundle).empty())
    return {bundle};
  LinearForms forms(structure,
                    [](NodeIndex) -> const UncertainMatrix& { throw LimitError("no tables here"); });
  const LinearForm::Term& term = forms.of(bundle).terms.front();
  if (!term.coefficients || !is_selection(term.coefficients->value)) return {bundle};
  return {term.atom, std::make_shared<const SparseMatrix>(term.coefficients->value)};
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
            const double variance = program[op.bias].variance;
            return Pair{.left = {a},
                        .right = {b},
                        .constant = [variance](const ColumnList& rows, const ColumnList& columns) {
                          return exact(MatrixXd::Constant(std::ssize(rows), std::ssize(columns), variance));
                        }};
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
          [&](const netsor::Ones&) {
            return Pair{
                .left = {a}, .right = {b}, .constant = [](const ColumnList& rows, const ColumnList& columns) {
                  return zero(std::ssize(rows), std::ssize(columns));
                }};
          },
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
