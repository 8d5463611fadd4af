#include "nngpcheck/analytic/paths/conditional_draws.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

#include "nngpcheck/analytic/error.hpp"

namespace nngpcheck::analytic {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// A pivot this small relative to the variance is rounding: the column is a combination of earlier ones.
constexpr double zero_pivot = 1e-11;
// A pivot this negative is no sampling noise any more.
constexpr double negative_pivot = -0.05;

}  // namespace

const Draw& ConditionalDraws::append(Column column) {
  const int family = values_.structure().families(column.first).front();
  std::vector<Row>& rows = families_[family];
  std::vector<std::size_t>& own = own_[family];
  const std::size_t k = rows.size();
  Row row{{column, values_[Demand::mean(column.first)].value(column.second, 0), {}},
          std::vector<double>(k + 1, 0.0)};
  const double variance = values_.covariance_entry(column, column);
  double pivot = variance;
  for (const std::size_t j : own) {
    const std::vector<double>& other = rows[j].factor;
    double residual = values_.covariance_entry(column, rows[j].draw.column);
    for (const std::size_t i : own) {
      if (i >= j) break;
      residual -= row.factor[i] * other[i];
    }
    row.factor[j] = residual / other[j];
    pivot -= row.factor[j] * row.factor[j];
  }
  if (!(pivot >= negative_pivot * variance)) {
    throw IndefiniteCovariance("rule 5: the covariance of column " + std::to_string(column.second) + " of " +
                               values_.structure().program().name(column.first) +
                               " is not positive semidefinite within sampling error; use more points");
  }
  if (pivot > zero_pivot * variance) {
    row.factor[k] = std::sqrt(pivot);
    own.push_back(k);
  }
  row.draw.weights = weights(family, row.factor);
  rows.push_back(std::move(row));
  return rows.back().draw;
}

std::vector<std::pair<int, double>> ConditionalDraws::weights(int family, const std::vector<double>& factor) {
  std::vector<std::pair<int, double>> result;
  if (axes_) {
    const auto& [own, rotation, coordinates] = axes_->families.at(family);
    Eigen::VectorXd row = Eigen::VectorXd::Zero(std::ssize(own));
    for (std::size_t l = 0; l < own.size() && own[l] < factor.size(); ++l)
      row[static_cast<Index>(l)] = factor[own[l]];
    const Eigen::VectorXd rotated = rotation.transpose() * row;
    for (Index l = 0; l < rotated.size(); ++l)
      if (rotated[l] != 0) result.emplace_back(coordinates[own[static_cast<std::size_t>(l)]], rotated[l]);
    // Where the axes were found, this column was a combination of earlier ones.
    for (const std::size_t j : own_.at(family))
      if (factor[j] != 0 && !std::binary_search(own.begin(), own.end(), j))
        result.emplace_back(coordinates[j], factor[j]);
  } else {
    for (const std::size_t j : own_.at(family)) {
      if (factor[j] == 0) continue;
      const auto next = static_cast<int>(coordinates_.size());
      result.emplace_back(coordinates_.try_emplace({family, j}, next).first->second, factor[j]);
    }
  }
  return result;
}

PrincipalAxes ConditionalDraws::principal_axes() const {
  struct Axis {
    double variance;
    int family;
    std::size_t column;
  };
  std::vector<Axis> axes;
  PrincipalAxes result;
  for (const auto& [family, rows] : families_) {
    const std::vector<std::size_t>& own = own_.at(family);
    MatrixXd lower = MatrixXd::Zero(std::ssize(rows), std::ssize(own));
    for (Index l = 0; l < lower.cols(); ++l) {
      const std::size_t j = own[static_cast<std::size_t>(l)];
      for (std::size_t k = j; k < rows.size(); ++k) lower(static_cast<Index>(k), l) = rows[k].factor[j];
    }
    const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(lower.transpose() * lower);
    for (std::size_t l = 0; l < own.size(); ++l)
      axes.push_back({solver.eigenvalues()[static_cast<Index>(l)], family, own[l]});
    for (std::size_t k = 0; k < rows.size(); ++k)
      if (!std::binary_search(own.begin(), own.end(), k)) axes.push_back({0, family, k});
    result.families[family] = {own, solver.eigenvectors(), std::vector<int>(rows.size())};
  }
  std::stable_sort(axes.begin(), axes.end(),
                   [](const Axis& a, const Axis& b) { return a.variance > b.variance; });
  for (std::size_t k = 0; k < axes.size(); ++k) {
    result.families[axes[k].family].coordinates[axes[k].column] = static_cast<int>(k);
  }
  return result;
}

// The recursion of `append`, differentiated.
ConditionalDraws::FactorChange ConditionalDraws::factor_change(const std::vector<Row>& rows,
                                                               const Changes& changes,
                                                               Index direction) const {
  const Index size = std::ssize(rows);
  const Structure& structure = values_.structure();
  const auto covariance = [&](const Column& u, const Column& v) {
    const Directions* found = changes.find(Demand::covariance(u.first, v.first));
    if (!found) return 0.0;
    const auto& [row, column] = u.first <= v.first ? std::pair(u, v) : std::pair(v, u);
    return (*found)(column.second * structure.columns(row.first) + row.second, direction);
  };
  FactorChange result{VectorXd::Zero(size), MatrixXd::Zero(size, size)};
  for (Index k = 0; k < size; ++k) {
    const Row& row = rows[static_cast<std::size_t>(k)];
    const Column& column = row.draw.column;
    if (const Directions* mean = changes.find(Demand::mean(column.first))) {
      result.mean[k] = (*mean)(column.second, direction);
    }
    double pivot = covariance(column, column);
    for (Index j = 0; j < k; ++j) {
      const Row& other = rows[static_cast<std::size_t>(j)];
      const double own = other.factor[static_cast<std::size_t>(j)];
      if (own == 0) continue;
      double residual = covariance(column, other.draw.column);
      for (Index i = 0; i <= j; ++i) {
        const auto n = static_cast<std::size_t>(i);
        residual -= row.factor[n] * result.factor(j, i);
        if (i < j) residual -= result.factor(k, i) * other.factor[n];
      }
      result.factor(k, j) = residual / own;
      pivot -= 2 * row.factor[static_cast<std::size_t>(j)] * result.factor(k, j);
    }
    const double own = row.factor[static_cast<std::size_t>(k)];
    if (own > 0) result.factor(k, k) = 0.5 * pivot / own;
  }
  return result;
}

std::vector<std::pair<int, double>> ConditionalDraws::normal(int family, std::size_t column) const {
  if (!axes_) return {{coordinates_.at({family, column}), 1.0}};
  std::vector<std::pair<int, double>> result;
  const auto& [own, rotation, coordinates] = axes_->families.at(family);
  const auto at = std::lower_bound(own.begin(), own.end(), column);
  if (at == own.end() || *at != column) return {{coordinates[column], 1.0}};
  for (std::size_t l = 0; l < own.size(); ++l)
    result.emplace_back(coordinates[own[l]], rotation(at - own.begin(), static_cast<Index>(l)));
  return result;
}

std::vector<DrawChange> ConditionalDraws::changes(const Changes& changes) const {
  std::vector<DrawChange> result;
  for (const auto& [family, rows] : families_) {
    const std::size_t first = result.size();
    std::vector<std::map<int, Eigen::RowVectorXd>> weights(rows.size());
    for (const Row& row : rows) {
      result.push_back({row.draw.column, Eigen::RowVectorXd::Zero(changes.directions()), {}});
    }
    for (Index b = 0; b < changes.directions(); ++b) {
      const FactorChange change = factor_change(rows, changes, b);
      for (std::size_t k = 0; k < rows.size(); ++k) {
        result[first + k].mean[b] = change.mean[static_cast<Index>(k)];
        for (std::size_t j = 0; j <= k; ++j) {
          const double moved = change.factor(static_cast<Index>(k), static_cast<Index>(j));
          if (moved == 0) continue;
          for (const auto& [coordinate, part] : normal(family, j)) {
            const auto weight =
                weights[k].try_emplace(coordinate, Eigen::RowVectorXd::Zero(changes.directions()));
            weight.first->second[b] += moved * part;
          }
        }
      }
    }
    for (std::size_t k = 0; k < rows.size(); ++k) {
      result[first + k].weights.assign(weights[k].begin(), weights[k].end());
    }
  }
  return result;
}

// The columns u = m + Lz move by dm + dL z; in terms of z that is L^{-1} of it, where L has a pivot.
std::vector<Score> ConditionalDraws::scores(const Changes& changes, Index direction) const {
  std::vector<Score> result;
  for (const auto& [family, rows] : families_) {
    const FactorChange change = factor_change(rows, changes, direction);
    std::vector<Index> pivots, others;
    MatrixXd factor = MatrixXd::Zero(std::ssize(rows), std::ssize(rows));
    for (Index k = 0; k < factor.rows(); ++k) {
      const auto& row = rows[static_cast<std::size_t>(k)].factor;
      factor.row(k).head(k + 1) = Eigen::Map<const Eigen::RowVectorXd>(row.data(), k + 1);
      (row.back() > 0 ? pivots : others).push_back(k);
    }
    const MatrixXd lower = factor(pivots, pivots);
    Score score;
    for (const Index k : pivots) score.normals.push_back(normal(family, static_cast<std::size_t>(k)));
    score.shift = lower.triangularView<Eigen::Lower>().solve(VectorXd(change.mean(pivots)));
    score.stretch = lower.triangularView<Eigen::Lower>().solve(MatrixXd(change.factor(pivots, pivots)));
    for (const Index k : others) {
      const Eigen::RowVectorXd weights = factor.row(k)(pivots);
      const Eigen::RowVectorXd moved = change.factor.row(k)(pivots) - weights * score.stretch;
      const double shifted = change.mean[k] - weights * score.shift;
      const double size =
          change.factor.row(k).norm() + std::abs(change.mean[k]) + weights.norm() * score.stretch.norm();
      if (moved.norm() + std::abs(shifted) <= 1e-6 * size) continue;
      const Column& column = rows[static_cast<std::size_t>(k)].draw.column;
      throw LimitError(
          "rule 5: column " + std::to_string(column.second) + " of " +
          values_.structure().program().name(column.first) +
          " is a combination of others that changes, and a function that may jump is applied to it: " +
          "the derivative does not exist; use a function without jumps");
    }
    result.push_back(std::move(score));
  }
  return result;
}

}  // namespace nngpcheck::analytic
