#include "nngpcheck/analytic/batch_norm/laplace_sum.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

namespace nngpcheck::analytic {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double negligible = 38;  // e^-38 < 1e-16
constexpr double pruned = 1e-18;   // nodes that add less than this, relatively, are left out

double half_power(double variance, int power) {
  return power % 2 == 0 ? integer_power(variance, power / 2) : integer_power(std::sqrt(variance), power);
}

double largest(const HomogeneousForm& form) {
  return std::max(std::abs(form.positive), std::abs(form.negative));
}

/// (2p - 1)!!, the 2p-th moment of N(0, 1).
double normal_moment(int p) { return p <= 0 ? 1 : (2 * p - 1) * normal_moment(p - 1); }

}  // namespace

std::vector<LaplaceNode> laplace_nodes(int k, const VectorXd& spectrum, double added, double step) {
  if (k == 0) return {{0, 1}};
  const double half = 0.5 * k;
  const double origin = -1 - std::log(spectrum.sum() + added);
  const double top = spectrum.maxCoeff();
  const auto log_s = [&](double x) { return x - std::exp(origin - x); };
  // The size of the integrand: the moment is at most (1/top + s)^{-k/2}.
  const auto envelope = [&](double x) {
    const double t = log_s(x);
    const double s = std::exp(t);
    return half * (t - std::log1p(s * top)) - 0.5 * (s * spectrum.array()).log1p().sum() - s * added +
           std::log1p(std::exp(origin - x));
  };
  double peak = origin;
  while (envelope(peak + step) > envelope(peak)) peak += step;
  double first = peak;
  double last = peak;
  while (envelope(first) > envelope(peak) - negligible) first -= step;
  while (envelope(last) > envelope(peak) - negligible) last += step;
  std::vector<LaplaceNode> nodes;
  for (int n = 0; first + n * step < last; ++n) {
    const double x = first + n * step;
    const double t = log_s(x);
    const double s = std::exp(t);
    nodes.push_back(
        {s, step * (1 + std::exp(origin - x)) * std::exp(half * t - std::lgamma(half) - s * added)});
  }
  return nodes;
}

double laplace_step(int k) { return 0.3 / std::sqrt(std::max(1.0, 0.5 * k)); }

LaplaceSum::LaplaceSum(const HomogeneousForm& phi, const HomogeneousForm& psi,
                       const std::vector<bool>& rows_alive, const std::vector<bool>& columns_alive,
                       Entries entries)
    : pair_(phi, psi),
      p_(phi.power),
      q_(psi.power),
      rows_alive_(rows_alive),
      columns_alive_(columns_alive),
      entries_(entries),
      magnitude_factor_(largest(phi) * largest(psi) * std::sqrt(normal_moment(p_) * normal_moment(q_))) {
  value_ = MatrixXd::Zero(std::ssize(rows_alive), std::ssize(columns_alive));
  rounding_ = magnitude_ = odd_a_ = odd_b_ = value_;
}

void LaplaceSum::add(double weight, const VectorXd& row_variance, const VectorXd& column_variance,
                     const MatrixXd& covariance, std::size_t a, std::size_t b) {
  const double size =
      weight * half_power(row_variance.maxCoeff(), p_) * half_power(column_variance.maxCoeff(), q_);
  if (size < pruned * largest_) return;
  largest_ = std::max(largest_, size);
  columns_.clear();
  for (Index j = 0; j < column_variance.size(); ++j) {
    columns_.push_back(pair_.column({{0, 0}, {std::max(column_variance(j), 1e-300), 0}}));
  }
  for (Index i = 0; i < row_variance.size(); ++i) {
    if (!rows_alive_[i] || !(row_variance(i) > 0)) continue;
    const auto row = pair_.row({{0, 0}, {row_variance(i), 0}});
    const Index end = entries_ == Entries::lower ? i + 1 : column_variance.size();
    for (Index j = 0; j < end; ++j) {
      if (!columns_alive_[j] || !(column_variance(j) > 0)) continue;
      const Moment moment = pair_.moment(row, columns_[j], {covariance(i, j), 0});
      const double term = weight * moment.value;
      value_(i, j) += term;
      rounding_(i, j) += weight * moment.rounding;
      magnitude_(i, j) += weight * row.scale * columns_[j].scale;
      odd_a_(i, j) += a % 2 == 0 ? term : -term;
      odd_b_(i, j) += b % 2 == 0 ? term : -term;
    }
  }
  ++nodes_;
}

double LaplaceSum::coarse_error(std::size_t nodes_a, std::size_t nodes_b) const {
  double result = 0;
  for (Index k = 0; k < value_.size(); ++k) {
    const double magnitude = magnitude_factor_ * magnitude_(k);
    if (magnitude == 0) continue;
    if (nodes_a > 1) result = std::max(result, std::abs(odd_a_(k)) / magnitude);
    if (nodes_b > 1) result = std::max(result, std::abs(odd_b_(k)) / magnitude);
  }
  return result;
}

UncertainMatrix LaplaceSum::result(double coarse_error) const {
  const double relative = 100 * coarse_error * coarse_error + few_roundings;
  UncertainMatrix result{value_, rounding_ + relative * magnitude_factor_ * magnitude_};
  if (entries_ == Entries::lower) {
    result.value.triangularView<Eigen::StrictlyUpper>() = MatrixXd(result.value.transpose());
    result.bound.triangularView<Eigen::StrictlyUpper>() = MatrixXd(result.bound.transpose());
  }
  return result;
}

std::int64_t LaplaceSum::evaluations() const {
  const Index n = value_.rows();
  return nodes_ * (entries_ == Entries::lower ? n * (n + 1) / 2 : value_.size());
}

LaplaceMovement::LaplaceMovement(const HomogeneousForm& phi, const HomogeneousForm& psi,
                                 UncertainMatrix joint, double noise, const VectorXd& row_mean,
                                 const VectorXd& column_mean)
    : pair_(phi, psi),
      p_(phi.power),
      q_(psi.power),
      bound_(std::move(joint.bound)),
      row_mean_(row_mean),
      column_mean_(column_mean),
      rows_(row_mean.size()),
      first_column_(column_mean.size() > 0 ? row_mean.size() : 0),
      cap_(2 * largest(phi) * largest(psi) * std::sqrt(normal_moment(p_) * normal_moment(q_))) {
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(joint.value);
  const Index rank = (solver.eigenvalues().array() > noise).count();
  factor_ = solver.eigenvectors().rightCols(rank) * solver.eigenvalues().tail(rank).cwiseSqrt().asDiagonal();
}

void LaplaceMovement::add(double weight, const VectorXd& tilt, MatrixXd& total) const {
  MatrixXd system = factor_.transpose() * tilt.asDiagonal() * factor_;
  system.diagonal().array() += 1;
  const Eigen::LLT<MatrixXd> cholesky(system);
  const MatrixXd half = cholesky.matrixL().solve(factor_.transpose());
  weight *= std::exp(-cholesky.matrixLLT().diagonal().array().log().sum());
  const Block g = block(half.transpose(), half);
  MatrixXd p = -half.transpose() * (half * tilt.asDiagonal());
  p.diagonal().array() += 1;
  centre_columns(p);
  const MatrixXd size = p.cwiseAbs();
  const Block shift = block(size * bound_, size.transpose());
  const double log_determinant_shift = 0.5 * (tilt.asDiagonal() * size).cwiseProduct(bound_).sum();
  for (Index j = 0; j < total.cols(); ++j) {
    for (Index i = 0; i < total.rows(); ++i)
      total(i, j) += weight * movement(tilt, g, shift, i, j, log_determinant_shift);
  }
}

LaplaceMovement::Block LaplaceMovement::block(const MatrixXd& left, const MatrixXd& right) const {
  const VectorXd diagonal = left.cwiseProduct(right.transpose()).rowwise().sum();
  const Index columns = diagonal.size() - first_column_;
  return {diagonal.head(rows_), diagonal.tail(columns), left.topRows(rows_) * right.rightCols(columns)};
}

// P dJ Pᵀ = PH dJ HPᵀ: takes the part off that no movement of a centred covariance reaches.
void LaplaceMovement::centre_columns(MatrixXd& p) const {
  const auto take = [](auto part, const VectorXd& mean) { part -= (part * mean).eval() * mean.transpose(); };
  take(p.leftCols(rows_), row_mean_);
  if (first_column_ > 0) take(p.rightCols(column_mean_.size()), column_mean_);
}

double LaplaceMovement::movement(const VectorXd& tilt, const Block& g, const Block& shift, Index i, Index j,
                                 double log_determinant_shift) const {
  const Normal u{{0, 0}, {std::max(g.row_variance(i), 0.0), shift.row_variance(i)}};
  const Normal v{{0, 0}, {std::max(g.column_variance(j), 0.0), shift.column_variance(j)}};
  // Under the tilt e^{-τx²/2} no variance exceeds 1/τ, wherever the covariance moves.
  const double a = std::min(u.variance.value + u.variance.bound, 1 / tilt(i));
  const double b = std::min(v.variance.value + v.variance.bound, 1 / tilt(first_column_ + j));
  const double cap = cap_ * half_power(a, p_) * half_power(b, q_);
  if (u.variance.value <= u.variance.bound || v.variance.value <= v.variance.bound) return cap;
  const double c_bound = shift.covariance(i, j);
  const Moment moment = pair_.moment(pair_.row(u), pair_.column(v), {g.covariance(i, j), c_bound});
  if (p_ + q_ == 0) return std::min(cap, moment.rounding + moment.slack);
  const bool diagonal = first_column_ == 0 && i == j;
  const double bound =
      (diagonal ? with_bounds_on_diagonal(moment, u) : with_bounds(moment, u, v, c_bound)).bound;
  return std::min(cap, bound + std::abs(moment.value) * log_determinant_shift);
}

}  // namespace nngpcheck::analytic
