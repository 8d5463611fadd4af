// How fast a sweep's error falls with the width. A ladder is one independent network at each width.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <optional>
#include <vector>

#include "nngpcheck/compare/statistics/moments.hpp"

namespace nngpcheck::compare {

/// Confidence of every interval here.
inline constexpr double confidence = 0.95;

struct Interval {
  double lower = 0;
  double upper = 0;
};

/// Student's interval for the mean of independent numbers: mean ± t_{N-1, (1 + confidence)/2} √(variance/N).
/// It covers as often as it says when they are Gaussian, approximately otherwise. Precondition: count ≥ 2.
Interval mean_interval(const Moments& moments);

/// The least-squares slope of log y on log x. Preconditions: all positive, at least two different x.
double log_log_slope(const std::vector<double>& x, const std::vector<double>& y);

struct Rate {
  double slope = 0;
  Interval interval;
};

/// The mean over ladders of each ladder's slope of log error on log width, with Student's interval. −1 is
/// expected of a squared error that is due to the finite width alone; it does not show that the kernel is
/// right, because a small error in it hides below the fluctuations. Nothing of one width, or if an error is
/// zero: not above `zero`, what rounding may make of it. `errors` is ladders × widths. Precondition: at least
/// two ladders.
std::optional<Rate> fit_rate(const std::vector<std::int64_t>& widths, const Eigen::MatrixXd& errors,
                             double zero = 0);

}  // namespace nngpcheck::compare
