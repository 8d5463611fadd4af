#include "nngpcheck/analytic/columns/uncertain_arithmetic.hpp"

namespace nngpcheck::analytic {

using Eigen::Index;

UncertainMatrix zero(Index rows, Index columns) {
  return {Eigen::MatrixXd::Zero(rows, columns), Eigen::MatrixXd::Zero(rows, columns)};
}

UncertainMatrix exact(Eigen::MatrixXd value) {
  Eigen::MatrixXd bound = Eigen::MatrixXd::Zero(value.rows(), value.cols());
  return {std::move(value), std::move(bound)};
}

UncertainMatrix transpose(const UncertainMatrix& x) { return {x.value.transpose(), x.bound.transpose()}; }

UncertainMatrix part(const UncertainMatrix& x, const std::vector<Index>& rows,
                     const std::vector<Index>& columns) {
  return {x.value(rows, columns), x.bound(rows, columns)};
}

void multiply(UncertainMatrix& x, const UncertainMatrix& y) {
  const Index rows = x.value.rows() / y.value.rows();
  const Index columns = x.value.cols() / y.value.cols();
  const Eigen::ArrayXXd value = y.value.replicate(rows, columns).array();
  const Eigen::ArrayXXd bound = y.bound.replicate(rows, columns).array();
  const Eigen::ArrayXXd size = value.abs();
  x.bound =
      (x.bound.array() * (size + bound) + x.value.array().abs() * (bound + epsilon * size)).matrix().eval();
  x.value.array() *= value;
}

void symmetrize(UncertainMatrix& x) {
  x.value = (0.5 * (x.value + x.value.transpose())).eval();
  x.bound = (0.5 * (x.bound + x.bound.transpose())).eval();
}

}  // namespace nngpcheck::analytic
