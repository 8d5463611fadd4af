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
  return source.entries.is_full() ? Pattern::diagonal().of(stored) : stored;
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
