// One-sample statistics of ladders: what a check of E[Y] = K is made of (see docs/statistics.md).
#pragma once

#include <Eigen/Core>
#include <optional>

#include "nngpcheck/compare/statistics/ladders.hpp"

namespace nngpcheck::compare {

/// P(T > t) for Student's T. `degrees` may be infinite: then T is Gaussian.
double student_tail(double t, double degrees);

/// Of the Student's T of a standard error from that many repeats: repeats − 1, or infinite for 0, known.
double degrees_of_freedom(std::int64_t repeats);

/// The t with P(T > t) = tail. Precondition: 0 < tail < 1.
double student_quantile(double tail, double degrees);

/// Mean of each column, and its standard error √(Σ(x − mean)²/(N(N − 1))), by two passes.
struct ColumnStatistics {
  Eigen::VectorXd mean;
  Eigen::VectorXd standard_error;
};

/// Precondition: at least two rows.
ColumnStatistics column_statistics(const Eigen::MatrixXd& rows);

/// sign(mean) max(|mean| − dead_zone, 0): how far a mean is from zero beyond what is allowed.
double excess(double mean, double dead_zone);

/// excess/standard_error; ±∞ or 0 where the standard error is 0.
double excess_t(double mean, double dead_zone, double standard_error);

/// √(a² + b²) estimates a standard deviation with these degrees of freedom (Welch and Satterthwaite), when a
/// and b are independent estimates with m and n of them. m if b is 0. Precondition: a or b is positive.
double pooled_degrees(double a, double m, double b, double n);

/// The slope of log‖K̂ − centre‖_F on log n, mean over ladders with standard error, where the centre is the
/// mean of the middle half of the ladders at each width, entry by entry, and ‖·‖_F is over the entries. It
/// does not depend on the analytic kernel. −1/2 where fluctuations have finite variance, above where they do
/// not. Nothing if a ladder is at the centre, up to rounding.
struct Dispersion {
  double slope = 0;
  double standard_error = 0;
};

std::optional<Dispersion> dispersion(const Ladders& ladders);

/// The mean of two independent ones, weighted by one over the squared standard errors.
Dispersion pooled(const Dispersion& first, const Dispersion& second);

}  // namespace nngpcheck::compare
