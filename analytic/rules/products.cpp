// Rule 1: E[XᵀY] of Gaussian bundles, and of products of independent factors.
#include <algorithm>
#include <cmath>

#include "nngpcheck/analytic/columns/factorization.hpp"
#include "nngpcheck/analytic/columns/uncertain_arithmetic.hpp"
#include "nngpcheck/analytic/rules/rules.hpp"

namespace nngpcheck::analytic {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;

/// cov(X, Y) + E[X] E[Y]ᵀ.
class GaussianStep : public Step {
 public:
  GaussianStep(const Structure& structure, const Demand& demand, const Demand& covariance)
      : Step(demand, Method::gaussian, {covariance, Demand::mean(demand.left), Demand::mean(demand.right)}),
        structure_(structure),
        covariance_(covariance) {}

  UncertainMatrix value(Workplace& workplace, Cost&) const override {
    const Values& values = workplace.values;
    if (demand().entries.classes()) return within(values);
    const bool all = demand().entries.is_full();
    UncertainMatrix result = all ? UncertainMatrix(values[covariance_]) : values.diagonal(covariance_);
    UncertainMatrix left = values[Demand::mean(demand().left)];
    UncertainMatrix right = values[Demand::mean(demand().right)];
    if (left.value.isZero(0) && right.value.isZero(0)) return result;
    if (all) {
      left = {left.value.replicate(1, right.value.rows()), left.bound.replicate(1, right.value.rows())};
      right = transpose(right);
    }
    multiply(left, right);
    result.value += left.value;
    result.bound += left.bound + epsilon * result.value.cwiseAbs();
    return result;
  }

  Directions push(Workplace& workplace, const Changes& changes) const override {
    const auto [x, y] = std::pair(demand().left, demand().right);
    const Index rows = structure_.columns(x), columns = structure_.columns(y);
    const Pattern& entries = demand().entries;
    const MatrixXd& left = workplace.values[Demand::mean(x)].value;
    const MatrixXd& right = workplace.values[Demand::mean(y)].value;
    const Directions* covariance = changes.find(covariance_);
    const Directions* left_change = changes.find(Demand::mean(x));
    const Directions* right_change = changes.find(Demand::mean(y));
    Directions result = Directions::Zero(entries.rows(rows) * entries.columns(columns), changes.directions());
    entries.for_each(rows, columns, [&](Index i, Index j, Index k) {
      if (covariance) result.row(k) += covariance->row(covariance_.entries.at(i, j, rows));
      if (left_change) result.row(k) += right(j, 0) * left_change->row(i);
      if (right_change) result.row(k) += left(i, 0) * right_change->row(j);
    });
    return result;
  }

 private:
  UncertainMatrix within(const Values& values) const {
    const UncertainMatrix& covariance = values[covariance_];
    const UncertainMatrix& mean = values[Demand::mean(demand().left)];
    const Index columns = covariance.value.rows();
    const Pattern& entries = demand().entries;
    UncertainMatrix result = zero(entries.rows(columns), entries.columns(columns));
    entries.for_each(columns, columns, [&](Index i, Index j, Index k) {
      const Index from = covariance_.entries.at(i, j, columns);
      const double product = mean.value(i, 0) * mean.value(j, 0);
      double& value = result.value.data()[k];
      value = covariance.value.data()[from] + product;
      const double of_means = std::abs(mean.value(i, 0)) * mean.bound(j, 0) +
                              std::abs(mean.value(j, 0)) * mean.bound(i, 0) +
                              mean.bound(i, 0) * mean.bound(j, 0);
      result.bound.data()[k] = covariance.bound.data()[from] + of_means;
      if (product != 0) result.bound.data()[k] += epsilon * (std::abs(product) + std::abs(value));
    });
    return result;
  }

  const Structure& structure_;
  Demand covariance_;
};

class ZeroStep : public Step {
 public:
  ZeroStep(const Structure& structure, const Demand& demand)
      : Step(demand, Method::zero, {}),
        rows_(structure.columns(demand.left)),
        columns_(structure.columns(demand.right)) {}

  UncertainMatrix value(Workplace&, Cost&) const override { return zero(rows_, columns_); }

  Directions push(Workplace&, const Changes& changes) const override {
    return Directions::Zero(rows_ * columns_, changes.directions());
  }

 private:
  Index rows_, columns_;
};

/// One of the independent factors: E[XᵀY], E[X] or E[X ⊙ X'] on the left, or E[Y]ᵀ or E[Y ⊙ Y']ᵀ on the
/// right. Entry (i, j) of the product has entry (i, j) of the first, (i, 0) or (0, j) of the others.
struct Factor {
  enum class Side { both, left, right } side;
  Demand source;
  bool transposed;      // of both: the source's rows are Y's
  Index rows, columns;  // of the source; single columns are broadcast

  /// The place in the source of what entry (i, j) of the product has as its factor.
  Index place(Index i, Index j) const {
    if (side == Side::both) {
      const Index row = std::min(transposed ? j : i, rows - 1);
      return std::min(transposed ? i : j, columns - 1) * rows + row;
    }
    const Index column = side == Side::left ? i : j;
    return std::min(column, columns - 1) * rows + std::min(column, rows - 1);
  }

  UncertainMatrix value(const Values& values) const {
    UncertainMatrix result = values[source];
    if (side == Side::both) return transposed ? transpose(result) : result;
    if (columns == 1 || rows == 1) {
      if (rows == 1) result = transpose(result);
    } else {
      result = Pattern::diagonal().of(result);
    }
    return side == Side::left ? result : transpose(result);
  }
};

class ProductStep : public Step {
 public:
  ProductStep(const Structure& structure, const Demand& demand, std::vector<Demand> needs,
              std::vector<Factor> factors)
      : Step(demand, Method::product, std::move(needs)),
        rows_(structure.columns(demand.left)),
        columns_(demand.right == one ? 1 : structure.columns(demand.right)),
        factors_(std::move(factors)) {}

  UncertainMatrix value(Workplace& workplace, Cost&) const override {
    UncertainMatrix result = exact(MatrixXd::Ones(rows_, columns_));
    for (const Factor& factor : factors_) multiply(result, factor.value(workplace.values));
    if (demand().left == demand().right) mirror(result, Triangle::upper);
    return result;
  }

  // Product rule: for each factor the product of the others, and its change.
  Directions push(Workplace& workplace, const Changes& changes) const override {
    Directions result = Directions::Zero(rows_ * columns_, changes.directions());
    for (const Factor& factor : factors_) {
      const Directions* change = changes.find(factor.source);
      if (!change) continue;
      demand().entries.for_each(rows_, columns_, [&](Index i, Index j, Index k) {
        double others = 1;
        for (const Factor& other : factors_) {
          if (&other != &factor) others *= workplace.values[other.source].value.reshaped()[other.place(i, j)];
        }
        result.row(k) += others * change->row(factor.place(i, j));
      });
    }
    if (demand().left != demand().right) return result;
    Directions symmetric = result;
    demand().entries.for_each(rows_, columns_, [&](Index i, Index j, Index k) {
      symmetric.row(k) = 0.5 * (result.row(k) + result.row(i * rows_ + j));
    });
    return symmetric;
  }

 private:
  Index rows_, columns_;
  std::vector<Factor> factors_;
};

std::optional<std::vector<Factor>> independent_factors(const Structure& structure, NodeIndex x, NodeIndex y) {
  std::vector<Factor> result;
  for (const auto& [left, right] : factorize(structure, x, y, {}).groups) {
    if (left.size() + right.size() > 2) return {};
    const auto side = left.empty() ? Factor::Side::right : Factor::Side::left;
    if (left.size() + right.size() == 1) {
      const NodeIndex factor = left.empty() ? right.front() : left.front();
      if (factor == x && y == one) return {};
      result.push_back({side, Demand::mean(factor), false, structure.columns(factor), 1});
      continue;
    }
    const NodeIndex first = left.empty() ? right.front() : left.front();
    const NodeIndex second = right.empty() ? left.back() : right.back();
    const Demand demand = Demand::moment(first, second);
    if (y != one && demand == Demand::moment(x, y)) return {};
    const bool both = !left.empty() && !right.empty();
    result.push_back({both ? Factor::Side::both : side, demand, first > second,
                      structure.columns(demand.left), structure.columns(demand.right)});
  }
  return result;
}

}  // namespace

StepPointer gaussian_rule(const Planning& planning, const Demand& demand) {
  const auto& [kind, x, y, entries, system] = demand;
  if (kind != Demand::Kind::moment || !planning.structure.gaussian(x) || !planning.structure.gaussian(y)) {
    return nullptr;
  }
  const Demand covariance = entries.is_full()       ? Demand::covariance(x, y)
                            : entries.is_diagonal() ? planning.diagonal(Demand::variance(x))
                                                    : Demand::covariance(x, entries);
  return std::make_unique<GaussianStep>(planning.structure, demand, covariance);
}

StepPointer zero_rule(const Planning& planning, const Demand& demand) {
  const Structure& structure = planning.structure;
  if (demand.kind != Demand::Kind::moment || !demand.entries.is_full()) return nullptr;
  // A factor alone in its group is independent of all the others.
  for (const auto& [left, right] : factorize(structure, demand.left, demand.right, {}).groups) {
    if (left.size() + right.size() != 1) continue;
    const NodeIndex factor = left.empty() ? right.front() : left.front();
    if (!structure.gaussian(factor)) continue;
    const auto& sources = structure.sources(factor);
    if (std::all_of(sources.begin(), sources.end(), [&](NodeIndex source) {
          const auto& operation = structure.program().nodes()[source].operation;
          return std::holds_alternative<netsor::Input>(operation) ||
                 std::holds_alternative<netsor::MatMul>(operation);
        })) {
      return std::make_unique<ZeroStep>(structure, demand);
    }
  }
  return nullptr;
}

StepPointer product_rule(const Planning& planning, const Demand& demand) {
  if (demand.kind != Demand::Kind::moment && demand.kind != Demand::Kind::mean) return nullptr;
  if (!demand.entries.is_full()) return nullptr;
  auto factors = independent_factors(planning.structure, demand.left, demand.right);
  if (!factors) return nullptr;
  std::vector<Demand> needs;
  for (const Factor& factor : *factors) needs.push_back(factor.source);
  return std::make_unique<ProductStep>(planning.structure, demand, std::move(needs), std::move(*factors));
}

}  // namespace nngpcheck::analytic
