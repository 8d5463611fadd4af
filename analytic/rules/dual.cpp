// Rules 2 and 3: E[φ(u)ψ(v)] and E[φ(u)] of Gaussian bundles.
#include "nngpcheck/analytic/gaussian/dual.hpp"

#include <algorithm>

#include "nngpcheck/analytic/columns/equal_columns.hpp"
#include "nngpcheck/analytic/columns/uncertain_arithmetic.hpp"
#include "nngpcheck/analytic/error.hpp"
#include "nngpcheck/analytic/gaussian/dual_slopes.hpp"
#include "nngpcheck/analytic/rules/patterns.hpp"
#include "nngpcheck/analytic/rules/rules.hpp"

namespace nngpcheck::analytic {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;

UncertainVector as_vector(const UncertainMatrix& x) { return {x.value.col(0), x.bound.col(0)}; }

/// φ(u), and where the law of u is found.
struct Operand {
  netsor::Activation phi;
  NodeIndex u;
  Demand mean, variance;  // the latter may have more than the diagonal
  Index columns;

  Marginals marginals(const Values& values) const {
    return {as_vector(values[mean]), as_vector(values.diagonal(variance))};
  }

  std::vector<Marginal> law(const Values& values) const {
    const Marginals all = marginals(values);
    std::vector<Marginal> result;
    for (Index i = 0; i < columns; ++i) result.push_back({all.mean.value(i), all.variance.value(i)});
    return result;
  }

  /// Where the variance of column i lies in `variance`.
  Index place(Index i) const { return variance.entries.at(i, i, columns); }
};

// The first column at which φ fails by itself, too, where the error does not know it.
std::vector<Index> failing_columns(const Operand& operand, const Values& values, const LimitError& error) {
  if (!error.columns().empty()) return error.columns();
  const std::vector<Marginal> law = operand.law(values);
  for (std::size_t i = 0; i < law.size(); ++i) {
    const double mean = law[i].mean, variance = std::max(0.0, law[i].variance);
    const BivariateNormal same{variance, variance, variance, mean, mean};
    try {
      dual(operand.phi, operand.phi, same);
    } catch (const LimitError&) {
      return {static_cast<Index>(i)};
    }
  }
  return {};
}

Operand operand(const Planning& planning, NodeIndex node, std::optional<Demand> covariance) {
  const DualPattern pattern = *dual_pattern(planning.structure, node);
  const NodeIndex u = pattern.argument;
  return {pattern.activation ? *pattern.activation : netsor::Activation::named("identity"), u,
          Demand::mean(u), covariance.value_or(planning.diagonal(Demand::variance(u))),
          planning.structure.columns(u)};
}

/// Changes of the law of one operand.
class LawChange {
 public:
  LawChange(const Operand& operand, const Values& values, const Changes& changes)
      : operand_(operand),
        law_(operand.law(values)),
        mean_(changes.find(operand.mean)),
        variance_(changes.find(operand.variance)) {}

  const std::vector<Marginal>& law() const { return law_; }
  bool has_means() const { return mean_ && !mean_->isZero(0); }

  /// Adds slope times change to a row of directions.
  template <class Row>
  void add(Row&& row, Index column, double mean_slope, double variance_slope) const {
    if (mean_) row += mean_slope * mean_->row(column);
    if (variance_) row += variance_slope * variance_->row(operand_.place(column));
  }

  /// A constant column may stay what it is and no more.
  void check_constants() const {
    for (Index i = 0; i < operand_.columns; ++i) {
      if (law_[static_cast<std::size_t>(i)].variance > 0) continue;
      if ((!mean_ || mean_->row(i).isZero(0)) && (!variance_ || variance_->row(operand_.place(i)).isZero(0)))
        continue;
      throw LimitError("the expectation of " + operand_.phi.name() + " is not differentiable at column " +
                       std::to_string(i) + ", whose variance is 0; leave such columns out");
    }
  }

 private:
  const Operand& operand_;
  std::vector<Marginal> law_;
  const Directions* mean_;
  const Directions* variance_;
};

class MeanStep : public Step {
 public:
  MeanStep(const Demand& demand, Operand operand)
      : Step(demand, Method::dual, {operand.mean, operand.variance}), operand_(std::move(operand)) {}

  UncertainMatrix value(Workplace& workplace, Cost& cost) const override {
    cost.evaluations = operand_.columns;
    const UncertainVector result =
        mean_block(operand_.phi, operand_.marginals(workplace.values), [&] { workplace.progress.check(); });
    return {result.value, result.bound};
  }

  Directions push(Workplace& workplace, const Changes& changes) const override {
    const LawChange change(operand_, workplace.values, changes);
    change.check_constants();
    Directions result = Directions::Zero(operand_.columns, changes.directions());
    for (Index i = 0; i < operand_.columns; ++i) {
      const MeanSlopes slopes = mean_slopes(operand_.phi, change.law()[static_cast<std::size_t>(i)]);
      change.add(result.row(i), i, slopes.mean, slopes.variance);
    }
    return result;
  }

  Place place(const Values& values, const LimitError& error) const override {
    return {demand().left, failing_columns(operand_, values, error)};
  }

 private:
  Operand operand_;
};

/// Rounding of covariances, relative.
constexpr double coincident = 1e-9;

class DualStep : public Step {
 public:
  DualStep(const Demand& demand, std::vector<Demand> needs, const Demand& covariance, Operand left,
           Operand right)
      : Step(demand, Method::dual, std::move(needs)),
        covariance_(covariance),
        left_(std::move(left)),
        right_(std::move(right)) {}

  UncertainMatrix value(Workplace& workplace, Cost& cost) const override {
    const Values& values = workplace.values;
    const Checkpoint checkpoint = [&] { workplace.progress.check(); };
    if (demand().entries.classes()) return within(workplace, cost, checkpoint);
    if (!demand().entries.is_full()) {
      DualBlock diagonal = second_moments(left_.phi, left_.marginals(values), checkpoint, workplace.tables);
      cost.evaluations = diagonal.evaluations;
      cost.by_formula = diagonal.method == DualMethod::closed_form;
      return std::move(diagonal.moment);
    }
    const UncertainMatrix& stored = values[covariance_];
    UncertainMatrix turned;
    if (left_.u > right_.u) turned = transpose(stored);
    DualBlock block =
        dual_block(left_.phi, right_.phi, left_.marginals(values), right_.marginals(values),
                   left_.u > right_.u ? turned : stored, symmetric() ? Symmetry::symmetric : Symmetry::none,
                   checkpoint, workplace.threads, workplace.tables, workplace.buffers);
    cost.evaluations = block.evaluations;
    cost.by_formula = block.method == DualMethod::closed_form;
    return std::move(block.moment);
  }

  Directions push(Workplace& workplace, const Changes& changes) const override {
    const Values& values = workplace.values;
    const LawChange left(left_, values, changes), right(right_, values, changes);
    left.check_constants();
    right.check_constants();
    const Pattern& entries = demand().entries;
    const SlopesOfDual slopes(left_.phi, right_.phi, left.law(), right.law(),
                              left.has_means() || right.has_means());
    const Directions* covariance = changes.find(covariance_);
    const bool turned = left_.u > right_.u;
    const MatrixXd& c = values[covariance_].value;
    Directions result =
        Directions::Zero(entries.rows(left_.columns) * entries.columns(right_.columns), changes.directions());
    EqualColumns equal(values.structure());
    entries.for_each(left_.columns, right_.columns, [&](Index i, Index j, Index k) {
      if (symmetric() && i < j) return;
      if (left_.u == right_.u && (i == j || same_column(values, equal, i, j))) {
        const MeanSlopes s =
            same_column_slopes(left_.phi, right_.phi, left.law()[static_cast<std::size_t>(i)]);
        left.add(result.row(k), i, s.mean, s.variance);
        return;
      }
      const auto [row, column] = turned ? std::pair(j, i) : std::pair(i, j);
      const Index place = covariance_.entries.at(row, column, c.rows());
      const DualSlopes s = slopes.at(i, j, c.data()[place]);
      if (covariance) result.row(k) += s.covariance * covariance->row(place);
      left.add(result.row(k), i, s.mean_u, s.variance_u);
      right.add(result.row(k), j, s.mean_v, s.variance_v);
    });
    if (symmetric()) {
      entries.for_each(left_.columns, right_.columns, [&](Index i, Index j, Index k) {
        if (i < j) result.row(k) = result.row(entries.at(j, i, left_.columns));
      });
    }
    return result;
  }

  Place place(const Values& values, const LimitError& error) const override {
    return {demand().left, failing_columns(left_, values, error)};
  }

 private:
  bool symmetric() const { return demand().left == demand().right; }

  // Whether columns that coincide are one, as those of an input given twice, and move together.
  bool same_column(const Values& values, EqualColumns& equal, Index i, Index j) const {
    const double covariance = values[covariance_].value.data()[covariance_.entries.at(i, j, left_.columns)];
    const auto variance = [&](Index k) {
      return values[left_.variance].value.data()[left_.variance.entries.at(k, k, left_.columns)];
    };
    const double off = std::max(std::abs(covariance - variance(i)), std::abs(covariance - variance(j)));
    if (off > coincident * variance(i)) return false;
    const std::vector<Index>& first = equal.of(left_.u);
    return first[static_cast<std::size_t>(i)] == first[static_cast<std::size_t>(j)];
  }

  // E[φ(u_i)φ(u_j)] of the columns of each class.
  UncertainMatrix within(Workplace& workplace, Cost& cost, const Checkpoint& checkpoint) const {
    const Values& values = workplace.values;
    const Marginals all = left_.marginals(values);
    const auto of = [](const UncertainVector& x, const std::vector<Index>& columns) {
      return UncertainVector{x.value(columns), x.bound(columns)};
    };
    const Pattern& entries = demand().entries;
    UncertainMatrix result = zero(entries.rows(left_.columns), entries.columns(left_.columns));
    cost.by_formula = true;
    for (const std::vector<Index>& members : entries.classes()->members) {
      const Marginals law{of(all.mean, members), of(all.variance, members)};
      const DualBlock block =
          dual_block(left_.phi, left_.phi, law, law, values.part(covariance_, members, members),
                     Symmetry::symmetric, checkpoint, 1, workplace.tables);
      const Index size = std::ssize(members);
      result.value(members, Eigen::seqN(0, size)) = block.moment.value;
      result.bound(members, Eigen::seqN(0, size)) = block.moment.bound;
      cost.evaluations += block.evaluations;
      cost.by_formula = cost.by_formula && block.method == DualMethod::closed_form;
    }
    return result;
  }

  Demand covariance_;
  Operand left_, right_;
};

}  // namespace

StepPointer dual_rule(const Planning& planning, const Demand& demand) {
  const auto& [kind, x, y, entries, system] = demand;
  const Structure& structure = planning.structure;
  if (planning.force_paths || (kind != Demand::Kind::moment && kind != Demand::Kind::mean)) return nullptr;
  if (!dual_pattern(structure, x)) return nullptr;
  if (y == one) return std::make_unique<MeanStep>(demand, operand(planning, x, {}));
  if (!dual_pattern(structure, y)) return nullptr;
  const NodeIndex u = dual_pattern(structure, x)->argument, v = dual_pattern(structure, y)->argument;
  const Demand covariance = entries.is_full() && x != y ? Demand::covariance(u, v)
                            : entries.is_diagonal()     ? planning.diagonal(Demand::variance(u))
                                                    : Demand::covariance(u, planning.entries_for(demand, u));
  const auto variance = u == v ? std::optional(covariance) : std::nullopt;
  Operand left = operand(planning, x, variance), right = operand(planning, y, variance);
  std::vector<Demand> needs = {covariance, left.mean, right.mean};
  if (u != v) needs.insert(needs.end(), {left.variance, right.variance});
  return std::make_unique<DualStep>(demand, std::move(needs), covariance, std::move(left), std::move(right));
}

}  // namespace nngpcheck::analytic
