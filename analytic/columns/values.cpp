#include "nngpcheck/analytic/columns/values.hpp"

#include <stdexcept>

#include "nngpcheck/analytic/columns/uncertain_arithmetic.hpp"

namespace nngpcheck::analytic {

using Eigen::Index;

Values::Values(const Structure& structure, const Values* base)
    : structure_(structure),
      base_(base),
      forms_(structure,
             [this](NodeIndex table) -> const UncertainMatrix& { return (*this)[Demand::table(table)]; }) {}

const UncertainMatrix& Values::operator[](const Demand& demand) const {
  if (const auto found = values_.find(demand); found != values_.end()) return found->second;
  if (!base_) throw std::logic_error("a step reads what the plan does not list among its needs");
  return (*base_)[demand];
}

UncertainMatrix Values::moment(NodeIndex x, NodeIndex y) const {
  const UncertainMatrix& stored = (*this)[Demand::moment(x, y)];
  return x <= y ? stored : transpose(stored);
}

UncertainMatrix Values::covariance(NodeIndex x, NodeIndex y) const {
  const UncertainMatrix& stored = (*this)[Demand::covariance(x, y)];
  return x <= y ? stored : transpose(stored);
}

UncertainMatrix Values::diagonal(const Demand& source) const {
  const UncertainMatrix& stored = (*this)[source];
  const Index columns = stored.value.rows();
  UncertainMatrix result{Eigen::MatrixXd(columns, 1), Eigen::MatrixXd(columns, 1)};
  for (Index j = 0; j < columns; ++j) {
    const Index k = source.entries.at(j, j, columns);
    result.value(j, 0) = stored.value.data()[k];
    result.bound(j, 0) = stored.bound.data()[k];
  }
  return result;
}

UncertainMatrix Values::part(const Demand& source, const std::vector<Index>& rows,
                             const std::vector<Index>& columns) const {
  const UncertainMatrix& stored = (*this)[source];
  if (source.entries.is_full()) return analytic::part(stored, rows, columns);
  UncertainMatrix result{Eigen::MatrixXd(std::ssize(rows), std::ssize(columns)),
                         Eigen::MatrixXd(std::ssize(rows), std::ssize(columns))};
  for (Index j = 0; j < std::ssize(columns); ++j) {
    for (Index i = 0; i < std::ssize(rows); ++i) {
      const Index k = source.entries.at(rows[static_cast<std::size_t>(i)],
                                        columns[static_cast<std::size_t>(j)], stored.value.rows());
      result.value(i, j) = stored.value.data()[k];
      result.bound(i, j) = stored.bound.data()[k];
    }
  }
  return result;
}

double Values::moment_entry(NodeIndex x, Index i, NodeIndex y, Index j) const {
  if (y == one) return (*this)[Demand::mean(x)].value(i, 0);
  const Eigen::MatrixXd& stored = (*this)[Demand::moment(x, y)].value;
  return x <= y ? stored(i, j) : stored(j, i);
}

double Values::covariance_entry(const Column& u, const Column& v) const {
  const Eigen::MatrixXd& stored = (*this)[Demand::covariance(u.first, v.first)].value;
  return u.first <= v.first ? stored(u.second, v.second) : stored(v.second, u.second);
}

}  // namespace nngpcheck::analytic
