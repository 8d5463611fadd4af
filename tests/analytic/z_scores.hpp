// Whether a limit with standard errors agrees with what is expected.
#pragma once

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>

#include "nngpcheck/analytic/limit.hpp"

namespace nngpcheck::testing {

/// The largest |difference| beyond the error bounds, in units of the combined standard error.
inline double largest_z(const analytic::Limit& limit, const Eigen::MatrixXd& expected,
                        const Eigen::MatrixXd& expected_error) {
  const Eigen::MatrixXd error =
      (limit.standard_error.array().square() + expected_error.array().square()).sqrt();
  double largest = 0;
  for (Eigen::Index i = 0; i < expected.rows(); ++i) {
    for (Eigen::Index j = 0; j < expected.cols(); ++j) {
      const double distance =
          std::max(0.0, std::abs(limit.value(i, j) - expected(i, j)) - limit.error_bound(i, j) - 1e-12);
      if (distance > 0) largest = std::max(largest, distance / error(i, j));
    }
  }
  return largest;
}

/// Its quantile under the truth, with false alarms of 10⁻⁶ over all entries: Student's t with R - 1 degrees
/// of freedom, Bonferroni over the entries.
inline double quantile(Eigen::Index entries, int randomizations = 16) {
  constexpr double false_alarm = 1e-6;
  const boost::math::students_t law(randomizations - 1);
  return boost::math::quantile(
      boost::math::complement(law, false_alarm / (2.0 * static_cast<double>(entries))));
}

}  // namespace nngpcheck::testing
