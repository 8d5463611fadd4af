#include "nngpcheck/analytic/gaussian/dual.hpp"

#include <cmath>
#include <optional>
#include <string>
#include <variant>

#include "nngpcheck/analytic/error.hpp"
#include "nngpcheck/analytic/gaussian/closed_form.hpp"
#include "nngpcheck/analytic/gaussian/normal_law.hpp"
#include "nngpcheck/analytic/gaussian/quadrature_pair.hpp"

namespace nngpcheck::analytic {

namespace {

std::string pair_name(const netsor::Activation& phi, const netsor::Activation& psi) {
  return "dual of " + phi.name() + (phi == psi ? "" : " and " + psi.name());
}

Estimate finite(Estimate result, const std::string& where) {
  if (std::isfinite(result.value) && std::isfinite(result.bound)) return result;
  throw LimitError(where + ": the expectation overflows; reduce the variance or use a bounded activation");
}

/// Nothing where quadrature does not end within its work, or not accurately.
std::optional<Estimate> by_quadrature(const netsor::Activation& phi, const netsor::Activation& psi,
                                      const Normal& u, const Normal& v, Estimate c) {
  constexpr double accuracy_of_series = 1e-12;  // what a series is good to
  try {
    const QuadraturePair pair(phi, psi);
    const QuadraturePair::Column row = pair.row(u);
    const QuadraturePair::Column column = pair.column(v);
    const Estimate result = pair.moment(row, column, c);
    if (result.bound <= accuracy_of_series * row.roughness.norm * column.roughness.norm) return result;
  } catch (const LimitError&) {  // a series may resolve it
  }
  return {};
}

}  // namespace

Estimate mean(const netsor::Activation& phi, double mean, double variance) {
  const std::string where = "mean of " + phi.name();
  return finite(mean_with_bound(phi, checked_normal({mean, 0}, {variance, 0}, where)), where);
}

Estimate dual(const netsor::Activation& phi, const netsor::Activation& psi, const BivariateNormal& law) {
  const std::string where = pair_name(phi, psi);
  const Normal u = checked_normal({law.mean_u, 0}, {law.variance_u, 0}, where);
  const Normal v = checked_normal({law.mean_v, 0}, {law.variance_v, 0}, where);
  const Estimate c = checked_covariance(u, v, {law.covariance, 0}, where);
  if (law.variance_u == 0 || law.variance_v == 0) return finite(degenerate_dual(phi, psi, u, v), where);
  const Means means = law.mean_u == 0 && law.mean_v == 0 ? Means::zero : Means::any;
  const std::optional<ClosedForm> formula = closed_form(phi, psi, means);
  if (formula) {
    const auto moment = [&](const auto& form) { return form.moment(form.row(u), form.column(v), c); };
    return finite(with_bounds(std::visit(moment, *formula), u, v, c.bound), where);
  }
  if (const auto result = by_quadrature(phi, psi, u, v, c)) return finite(*result, where);
  const auto marginals = [](const Normal& x) {
    const auto vector = [](Estimate e) {
      return UncertainVector{Eigen::VectorXd::Constant(1, e.value), Eigen::VectorXd::Constant(1, e.bound)};
    };
    return Marginals{vector(x.mean), vector(x.variance)};
  };
  const DualBlock block = dual_block(
      phi, psi, marginals(u), marginals(v),
      {Eigen::MatrixXd::Constant(1, 1, c.value), Eigen::MatrixXd::Constant(1, 1, c.bound)}, Symmetry::none);
  return {block.moment.value(0, 0), block.moment.bound(0, 0)};
}

UncertainVector mean_block(const netsor::Activation& phi, const Marginals& columns,
                           const Checkpoint& checkpoint) {
  const Eigen::Index size = columns.mean.value.size();
  UncertainVector result{Eigen::VectorXd(size), Eigen::VectorXd(size)};
  for (Eigen::Index i = 0; i < size; ++i) {
    if (checkpoint) checkpoint();
    const std::string where = "mean of " + phi.name() + " at column " + std::to_string(i);
    const Normal normal = checked_normal({columns.mean.value(i), columns.mean.bound(i)},
                                         {columns.variance.value(i), columns.variance.bound(i)}, where);
    const Estimate estimate = finite(mean_with_bound(phi, normal), where);
    result.value(i) = estimate.value;
    result.bound(i) = estimate.bound;
  }
  return result;
}

}  // namespace nngpcheck::analytic
