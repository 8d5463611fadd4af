#include "cli/reordering.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace nngpcheck::cli {

namespace {

using Eigen::Index;
using Order = std::vector<Index>;

/// Rows by their diagonal entries.
Order sorted(const Eigen::MatrixXd& kernel) {
  Order result(static_cast<std::size_t>(kernel.rows()));
  std::iota(result.begin(), result.end(), Index{0});
  std::stable_sort(result.begin(), result.end(),
                   [&](Index a, Index b) { return kernel(a, a) < kernel(b, b); });
  return result;
}

}  // namespace

std::optional<Order> reordering(const Eigen::MatrixXd& given, const Eigen::MatrixXd& right) {
  const Order of_given = sorted(given), of_right = sorted(right);
  Order order(of_given.size());
  for (std::size_t k = 0; k < order.size(); ++k) order[static_cast<std::size_t>(of_right[k])] = of_given[k];
  if (std::is_sorted(order.begin(), order.end())) return std::nullopt;
  const Eigen::VectorXd root = right.diagonal().cwiseAbs().cwiseSqrt();
  const double digits = std::sqrt(std::numeric_limits<float>::epsilon());
  const Eigen::MatrixXd difference = (given(order, order) - right).cwiseAbs();
  if (((difference - digits * root * root.transpose()).array() > 0).any()) return std::nullopt;
  return order;
}

}  // namespace nngpcheck::cli
