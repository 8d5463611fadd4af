#include "analytic/conditional_draws.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

#include "analytic/error.hpp"
#include "analytic/evaluation.hpp"

namespace nngpcheck::analytic {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;

// A pivot this small relative to the variance is rounding: the column is a combination of earlier ones.
constexpr double zero_pivot = 1e-11;
// A pivot this negative is no sampling noise any more.
constexpr double negative_pivot = -0.05;

}  // namespace

const Draw& ConditionalDraws::append(Column column) {
  const int family = values_.structure().families(column.first).front();
  std::vector<Row>& rows = families_[family];
  const std::size_t k = rows.size();
  Row row{{column, values_[Demand::mean(column.first)].value(column.second, 0), {}},
          std::vector<double>(k + 1, 0.0)};
  const double variance = values_.covariance_entry(column, column);
  double pivot = variance;
  for (std::size_t j = 0; j < k; ++j) {
    const std::vector<double>& other = rows[j].factor;
    if (other[j] == 0) continue;
    double residual = values_.covariance_entry(column, rows[j].draw.column);
    for (std::size_t i = 0; i < j; ++i) residual -= row.factor[i] * other[i];
    row.factor[j] = residual / other[j];
    pivot -= row.factor[j] * row.factor[j];
  }
  if (!(pivot >= negative_pivot * variance)) {
    throw LimitError("rule 5: the covariance of column " + std::to_string(column.second) + " of " +
                     values_.structure().program().name(column.first) +
                     " is not positive semidefinite within sampling error; use more points");
  }
  if (pivot > zero_pivot * variance) row.factor[k] = std::sqrt(pivot);
  row.draw.weights = weights(family, row.factor);
  rows.push_back(std::move(row));
  return rows.back().draw;
}

std::vector<std::pair<int, double>> ConditionalDraws::weights(int family, const std::vector<double>& factor) {
  std::vector<std::pair<int, double>> result;
  if (axes_) {
    const auto& [rotation, coordinates] = axes_->families.at(family);
    const Eigen::Map<const Eigen::VectorXd> row(factor.data(), std::ssize(factor));
    const Eigen::VectorXd rotated = rotation.topRows(row.size()).transpose() * row;
    for (Index l = 0; l < rotated.size(); ++l) {
      if (rotated[l] != 0) result.emplace_back(coordinates[static_cast<std::size_t>(l)], rotated[l]);
    }
  } else {
    for (std::size_t j = 0; j < factor.size(); ++j) {
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
    MatrixXd lower = MatrixXd::Zero(std::ssize(rows), std::ssize(rows));
    for (Index k = 0; k < lower.rows(); ++k) {
      const std::vector<double>& factor = rows[static_cast<std::size_t>(k)].factor;
      lower.row(k).head(k + 1) = Eigen::Map<const Eigen::RowVectorXd>(factor.data(), k + 1);
    }
    const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(lower.transpose() * lower);
    for (std::size_t l = 0; l < rows.size(); ++l) {
      axes.push_back({solver.eigenvalues()[static_cast<Index>(l)], family, l});
    }
    result.families[family] = {solver.eigenvectors(), std::vector<int>(rows.size())};
  }
  std::stable_sort(axes.begin(), axes.end(),
                   [](const Axis& a, const Axis& b) { return a.variance > b.variance; });
  for (std::size_t k = 0; k < axes.size(); ++k) {
    result.families[axes[k].family].coordinates[axes[k].column] = static_cast<int>(k);
  }
  return result;
}

}  // namespace nngpcheck::analytic
