#include "nngpcheck/compare/statistics/rates.hpp"

#include <boost/math/distributions/students_t.hpp>
#include <cmath>

namespace nngpcheck::compare {

Interval mean_interval(const Moments& moments) {
  const boost::math::students_t student(static_cast<double>(moments.count() - 1));
  const double t = boost::math::quantile(boost::math::complement(student, (1 - confidence) / 2));
  const double half = t * std::sqrt(moments.variance() / static_cast<double>(moments.count()));
  return {moments.mean() - half, moments.mean() + half};
}

double log_log_slope(const std::vector<double>& x, const std::vector<double>& y) {
  const Eigen::ArrayXd log_x = Eigen::Map<const Eigen::ArrayXd>(x.data(), std::ssize(x)).log();
  const Eigen::ArrayXd log_y = Eigen::Map<const Eigen::ArrayXd>(y.data(), std::ssize(y)).log();
  const Eigen::ArrayXd centred = log_x - log_x.mean();
  return (centred * log_y).sum() / centred.square().sum();
}

std::optional<Rate> fit_rate(const std::vector<std::int64_t>& widths, const Eigen::MatrixXd& errors,
                             double zero) {
  if (widths.size() < 2 || !(errors.array() > zero).all()) return std::nullopt;
  const std::vector<double> x(widths.begin(), widths.end());
  Moments slopes;
  for (Eigen::Index ladder = 0; ladder < errors.rows(); ++ladder) {
    const Eigen::VectorXd row = errors.row(ladder);
    slopes.add(log_log_slope(x, {row.begin(), row.end()}));
  }
  return Rate{slopes.mean(), mean_interval(slopes)};
}

}  // namespace nngpcheck::compare
