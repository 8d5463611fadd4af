#include "nngpcheck/analytic/columns/uncertain_arithmetic.hpp"

#include <algorithm>

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

namespace {

// By blocks that fit the cache.
void mirror_upper(Eigen::MatrixXd& x) {
  constexpr Index size = 64;
  for (Index j = 0; j < x.cols(); j += size) {
    const Index columns = std::min(size, x.cols() - j);
    for (Index i = 0; i < j; i += size)
      x.block(j, i, columns, size) = x.block(i, j, size, columns).transpose();
    auto square = x.block(j, j, columns, columns);
    square.triangularView<Eigen::StrictlyLower>() = square.transpose().eval();
  }
}

}  // namespace

void mirror_upper(UncertainMatrix& x) {
  mirror_upper(x.value);
  mirror_upper(x.bound);
}

}  // namespace nngpcheck::analytic
