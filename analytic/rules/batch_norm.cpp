// Rule 4: E[φ(x̂)ψ(ŷ)] of standardized Gaussian bundles.
#include "nngpcheck/analytic/batch_norm/batch_norm.hpp"

#include <map>
#include <memory>
#include <mutex>

#include "nngpcheck/analytic/batch_norm/batch_norm_slopes.hpp"
#include "nngpcheck/analytic/columns/equal_columns.hpp"
#include "nngpcheck/analytic/columns/uncertain_arithmetic.hpp"
#include "nngpcheck/analytic/rules/patterns.hpp"
#include "nngpcheck/analytic/rules/rules.hpp"

namespace nngpcheck::analytic {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Members = std::vector<Index>;

UncertainMatrix block(const UncertainMatrix& full, const Members& rows, const Members& columns) {
  return {full.value(rows, columns), full.bound(rows, columns)};
}

/// φ(standardize(x)).
struct Standardized {
  NodeIndex argument, standardize;
  HomogeneousForm form;
  double epsilon;
  std::vector<Members> groups;
  std::vector<Members> equal;  // of each group, the first column that each is equal to
  Index columns;

  BatchNormGroup group(std::size_t g, const UncertainMatrix& covariance) const {
    return {block(covariance, groups[g], groups[g]), epsilon, equal[g]};
  }
};

Standardized operand(const Structure& structure, NodeIndex node, const BatchNormPattern& pattern) {
  const auto* map = std::get_if<netsor::Map>(&structure.program().nodes()[node].operation);
  Standardized result{pattern.argument,
                      map ? map->argument.index() : node,
                      pattern.form,
                      pattern.standardize->epsilon,
                      {},
                      {},
                      structure.columns(pattern.argument)};
  EqualColumns equal(structure);
  for (int g = 0; g < pattern.groups(); ++g) {
    result.groups.push_back(pattern.members(g));
    result.equal.push_back(equal.among(pattern.argument, result.groups.back()));
  }
  return result;
}

/// The first slopes of each pair of groups: where nothing is sampled all randomizations ask for the same.
class KnownSlopes {
 public:
  template <class Compute>
  std::shared_ptr<const MatrixXd> find(std::pair<std::size_t, std::size_t> groups, const MatrixXd& covariance,
                                       const Compute& compute) {
    {
      const std::lock_guard lock(mutex_);
      const auto found = known_.find(groups);
      if (found == known_.end() && entries_ < most_entries) {
        const auto slopes = std::make_shared<const MatrixXd>(compute());
        entries_ += slopes->size();
        known_.emplace(groups, Known{covariance, slopes});
        return slopes;
      }
      if (found != known_.end() && found->second.covariance == covariance) return found->second.slopes;
    }
    return std::make_shared<const MatrixXd>(compute());
  }

 private:
  struct Known {
    MatrixXd covariance;
    std::shared_ptr<const MatrixXd> slopes;
  };
  static constexpr Index most_entries = Index{1} << 26;  // half a gigabyte

  std::mutex mutex_;
  Index entries_ = 0;
  std::map<std::pair<std::size_t, std::size_t>, Known> known_;
};

class BatchNormStep : public Step {
 public:
  BatchNormStep(const Demand& demand, std::vector<Demand> needs, Standardized left, Standardized right,
                bool same)
      : Step(demand, Method::batch_norm, std::move(needs)),
        left_(std::move(left)),
        right_(std::move(right)),
        same_(same) {}

  UncertainMatrix value(Workplace& workplace, Cost& cost) const override {
    const Values& values = workplace.values;
    const UncertainMatrix first = values.covariance(left_.argument, left_.argument);
    const UncertainMatrix second = values.covariance(right_.argument, right_.argument);
    const UncertainMatrix cross = values.covariance(left_.argument, right_.argument);
    UncertainMatrix result = zero(left_.columns, right_.columns);
    for_each_block([&](std::size_t g, std::size_t h, bool one_group) {
      workplace.progress.check();
      const Members &rows = left_.groups[g], &columns = right_.groups[h];
      const BatchNormMoment moment =
          one_group ? batch_norm_same_group(left_.form, right_.form, left_.group(g, first))
                    : batch_norm_two_groups(left_.form, right_.form, left_.group(g, first),
                                            right_.group(h, second), block(cross, rows, columns));
      cost.evaluations += moment.evaluations;
      result.value(rows, columns) = moment.moment.value;
      result.bound(rows, columns) = moment.moment.bound;
      if (symmetric() && !one_group) {
        result.value(columns, rows) = moment.moment.value.transpose();
        result.bound(columns, rows) = moment.moment.bound.transpose();
      }
    });
    return result;
  }

  Directions push(Workplace& workplace, const Changes& changes) const override {
    const Values& values = workplace.values;
    Directions result = Directions::Zero(left_.columns * right_.columns, changes.directions());
    for_each_block([&](std::size_t g, std::size_t h, bool one_group) {
      const Members &rows = left_.groups[g], &columns = right_.groups[h];
      const auto joint = [&](const MatrixXd& first, const MatrixXd& cross,
                             const MatrixXd& second) -> MatrixXd {
        if (one_group) return first(rows, rows);
        const Index m = std::ssize(rows), n = std::ssize(columns);
        MatrixXd all(m + n, m + n);
        all << first(rows, rows), cross(rows, columns), cross(rows, columns).transpose(),
            second(columns, columns);
        return all;
      };
      const auto covariance = [&](NodeIndex x, NodeIndex y) { return values.covariance(x, y).value; };
      const BatchNormLaw law{
          joint(covariance(left_.argument, left_.argument), covariance(left_.argument, right_.argument),
                covariance(right_.argument, right_.argument)),
          std::ssize(rows), one_group, left_.epsilon, right_.epsilon};
      const auto slopes = slopes_.find({g, h}, law.covariance,
                                       [&] { return batch_norm_slopes(left_.form, right_.form, law); });
      for (Index b = 0; b < changes.directions(); ++b) {
        const auto change = [&](NodeIndex x, NodeIndex y) {
          return covariance_change(values, changes, b, x, y);
        };
        const MatrixXd moved =
            joint(change(left_.argument, left_.argument), change(left_.argument, right_.argument),
                  change(right_.argument, right_.argument));
        const Eigen::VectorXd pushed = *slopes * moved.reshaped();
        store(result, b, pushed, rows, columns, !one_group);
      }
    });
    return result;
  }

  // The first group that fails by itself, too, where the error does not know more.
  Place place(const Values& values, const LimitError& error) const override {
    if (!error.columns().empty()) return {demand().left, error.columns()};
    const UncertainMatrix all = values.covariance(left_.argument, left_.argument);
    for (std::size_t g = 0; g < left_.groups.size(); ++g) {
      try {
        batch_norm_same_group(left_.form, left_.form, left_.group(g, all));
      } catch (const LimitError&) {
        return {left_.standardize, {left_.groups[g].front()}};
      }
    }
    return {left_.standardize};
  }

 private:
  bool symmetric() const { return demand().left == demand().right; }

  // Groups of rows and columns; where the result is symmetric, one of each pair. `visit` is told whether both
  // are one group of one standardized bundle.
  template <class Visit>
  void for_each_block(const Visit& visit) const {
    for (std::size_t g = 0; g < left_.groups.size(); ++g) {
      for (std::size_t h = 0; h < right_.groups.size(); ++h) {
        if (symmetric() && h > g) continue;
        visit(g, h, same_ && g == h);
      }
    }
  }

  static MatrixXd covariance_change(const Values& values, const Changes& changes, Index direction,
                                    NodeIndex x, NodeIndex y) {
    const UncertainMatrix& stored = values[Demand::covariance(x, y)];
    MatrixXd result = changes.matrix(Demand::covariance(x, y), direction, stored.value.rows());
    if (result.size() == 0) result = MatrixXd::Zero(stored.value.rows(), stored.value.cols());
    if (x > y) result.transposeInPlace();
    return result;
  }

  void store(Directions& result, Index direction, const Eigen::VectorXd& pushed, const Members& rows,
             const Members& columns, bool two_groups) const {
    Index k = 0;
    for (const Index j : columns) {
      for (const Index i : rows) {
        if (symmetric() && two_groups) result(i * left_.columns + j, direction) = pushed(k);
        result(j * left_.columns + i, direction) = pushed(k++);
      }
    }
  }

  Standardized left_, right_;
  bool same_;  // one standardized bundle on both sides
  mutable KnownSlopes slopes_;
};

}  // namespace

StepPointer batch_norm_rule(const Planning& planning, const Demand& demand) {
  const auto& [kind, x, y, entries, system] = demand;
  if (kind != Demand::Kind::moment || planning.force_paths || !entries.is_full()) return nullptr;
  const auto left = batch_norm_pattern(planning.structure, x);
  const auto right = batch_norm_pattern(planning.structure, y);
  if (!left || !right) return nullptr;
  const NodeIndex u = left->argument, v = right->argument;
  std::vector<Demand> needs = {Demand::covariance(u, v)};
  if (u != v) needs.insert(needs.end(), {Demand::covariance(u, u), Demand::covariance(v, v)});
  return std::make_unique<BatchNormStep>(demand, std::move(needs), operand(planning.structure, x, *left),
                                         operand(planning.structure, y, *right),
                                         left->standardize == right->standardize);
}

}  // namespace nngpcheck::analytic
