#include "nngpcheck/compare/statistics/ladder_statistics.hpp"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "nngpcheck/compare/statistics/moments.hpp"
#include "nngpcheck/compare/statistics/rates.hpp"

namespace nngpcheck::compare {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

/// The mean of the middle half: where tails are heavy, one outlier would move a mean, and the distances of
/// all others from it.
double midmean(VectorXd values) {
  const Index quarter = values.size() / 4;
  double* const first = values.data() + quarter;
  double* const last = values.data() + values.size() - quarter;
  std::nth_element(values.data(), first, values.data() + values.size());
  std::nth_element(first, last - 1, values.data() + values.size());
  return values.segment(quarter, values.size() - 2 * quarter).mean();
}

}  // namespace

double student_tail(double t, double degrees) {
  if (std::isinf(t)) return t > 0 ? 0 : 1;
  if (std::isinf(degrees)) return cdf(complement(boost::math::normal(), t));
  return cdf(complement(boost::math::students_t(degrees), t));
}

double degrees_of_freedom(std::int64_t repeats) {
  return repeats == 0 ? std::numeric_limits<double>::infinity() : static_cast<double>(repeats - 1);
}

double student_quantile(double tail, double degrees) {
  if (std::isinf(degrees)) return quantile(complement(boost::math::normal(), tail));
  return quantile(complement(boost::math::students_t(degrees), tail));
}

ColumnStatistics column_statistics(const MatrixXd& rows) {
  const auto count = static_cast<double>(rows.rows());
  ColumnStatistics result{rows.colwise().mean(), VectorXd(rows.cols())};
  for (Index e = 0; e < rows.cols(); ++e) {
    const double squares = (rows.col(e).array() - result.mean(e)).square().sum();
    result.standard_error(e) = std::sqrt(squares / (count * (count - 1)));
  }
  return result;
}

double excess(double mean, double dead_zone) {
  return std::copysign(std::max(std::abs(mean) - dead_zone, 0.), mean);
}

double excess_t(double mean, double dead_zone, double standard_error) {
  const double beyond = excess(mean, dead_zone);
  if (beyond == 0) return 0;
  return standard_error > 0 ? beyond / standard_error
                            : std::copysign(std::numeric_limits<double>::infinity(), beyond);
}

double pooled_degrees(double a, double m, double b, double n) {
  if (b == 0) return m;
  const double share = 1 / (1 + (a / b) * (a / b));  // of b in the variance
  return 1 / ((1 - share) * (1 - share) / m + share * share / n);
}

std::optional<Dispersion> dispersion(const Ladders& ladders) {
  constexpr double rounding = 1e-12;
  MatrixXd norms(ladders.count(), std::ssize(ladders.widths));
  for (Index w = 0; w < norms.cols(); ++w) {
    const MatrixXd& kernels = ladders.kernels[static_cast<std::size_t>(w)];
    VectorXd centre(kernels.cols());
    norms.col(w).setZero();
    for (Index e = 0; e < kernels.cols(); ++e) {
      centre(e) = midmean(kernels.col(e));
      norms.col(w).array() += (kernels.col(e).array() - centre(e)).square();
    }
    norms.col(w) = norms.col(w).cwiseSqrt().eval();
    if (!(norms.col(w).array() > rounding * centre.norm()).all()) return {};
  }
  const std::vector<double> widths(ladders.widths.begin(), ladders.widths.end());
  Moments slopes;
  for (Index i = 0; i < norms.rows(); ++i) {
    const VectorXd row = norms.row(i);
    slopes.add(log_log_slope(widths, {row.begin(), row.end()}));
  }
  return Dispersion{slopes.mean(), std::sqrt(slopes.variance() / static_cast<double>(slopes.count()))};
}

Dispersion pooled(const Dispersion& first, const Dispersion& second) {
  const double a = first.standard_error * first.standard_error;
  const double b = second.standard_error * second.standard_error;
  if (!(a + b > 0)) return {(first.slope + second.slope) / 2, 0};
  return {(b * first.slope + a * second.slope) / (a + b), std::sqrt(a * b / (a + b))};
}

}  // namespace nngpcheck::compare
