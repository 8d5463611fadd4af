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

// By blocks whose lines fit the cache also where columns lie a power of 2 apart.
void mirror(Eigen::MatrixXd& x, Triangle from) {
  constexpr Index size = 8;
  for (Index j = 0; j < x.cols(); j += size) {
    const Index columns = std::min(size, x.cols() - j);
    for (Index i = 0; i < j; i += size) {
      auto above = x.block(i, j, size, columns);
      auto below = x.block(j, i, columns, size);
      if (from == Triangle::upper) {
        below = above.transpose();
      } else {
        above = below.transpose();
      }
    }
    auto square = x.block(j, j, columns, columns);
    if (from == Triangle::upper) {
      square.triangularView<Eigen::StrictlyLower>() = square.transpose().eval();
    } else {
      square.triangularView<Eigen::StrictlyUpper>() = square.transpose().eval();
    }
  }
}

}  // namespace

void mirror(UncertainMatrix& x, Triangle from) {
  mirror(x.value, from);
  mirror(x.bound, from);
}

}  // namespace nngpcheck::analytic
