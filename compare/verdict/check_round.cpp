#include "nngpcheck/compare/verdict/check_round.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nngpcheck::compare {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

/// More ladders than this are flipped in groups.
constexpr Index most_flipped = 128;

MatrixXd stacked_residuals(const Sample& sample) {
  const std::vector<MatrixXd> contrasts = residual_contrasts(sample.ladders, sample.design);
  MatrixXd result;
  for (std::size_t r = 0; r < contrasts.size(); ++r) {
    const MatrixXd fluctuating = contrasts[r](Eigen::all, sample.fluctuating);
    const MatrixXd groups = group_sums(fluctuating, most_flipped);
    if (r == 0) result.resize(groups.rows() * std::ssize(contrasts), groups.cols());
    result.middleRows(static_cast<Index>(r) * groups.rows(), groups.rows()) = groups;
  }
  return result;
}

/// The deterministic entry that is wrong by most, if any is.
void suspect_deterministic(const Sample& sample, const Target& target, Suspicion& suspicion) {
  std::vector<bool> fluctuates(static_cast<std::size_t>(target.entries()));
  for (const Index e : sample.fluctuating) fluctuates[static_cast<std::size_t>(e)] = true;
  double worst = 0;
  for (Index e = 0; e < target.entries(); ++e) {
    if (fluctuates[static_cast<std::size_t>(e)]) continue;
    const double beyond = excess(sample.statistics.mean(e), target.dead_zone(e)) / target.scale(e);
    if (std::abs(beyond) <= worst) continue;
    worst = std::abs(beyond);
    suspicion.p_entry = 0;
    suspicion.entry = e;
    suspicion.direction = beyond > 0 ? 1 : -1;
  }
}

/// The worst fluctuating entry, and the standardized excess t of each.
VectorXd suspect_entry(const Sample& sample, const Target& target, Suspicion& suspicion) {
  VectorXd t(std::ssize(sample.fluctuating));
  double smallest = std::numeric_limits<double>::infinity(), largest = 0;
  for (Index k = 0; k < t.size(); ++k) {
    const Index e = sample.fluctuating[static_cast<std::size_t>(k)];
    const double se = sample.statistics.standard_error(e), common = target.standard_error(e);
    t(k) = excess_t(sample.statistics.mean(e), target.error_bound(e), std::hypot(se, common));
    const double degrees = pooled_degrees(se, sample.degrees(), common, target.degrees);
    const double p = student_tail(std::abs(t(k)), degrees);
    if (p > smallest || (p == smallest && std::abs(t(k)) <= largest)) continue;
    smallest = p;
    largest = std::abs(t(k));
    suspicion.entry = e;
    suspicion.direction = t(k) < 0 ? -1 : 1;
  }
  suspicion.p_entry = std::min(1., 2 * static_cast<double>(t.size()) * smallest);
  return t;
}

/// F with its means moved to 0 as far as the dead zone allows.
MatrixXd beyond_dead_zone(const Sample& sample, const Target& target) {
  MatrixXd result = sample.differences(Eigen::all, sample.fluctuating);
  for (Index k = 0; k < result.cols(); ++k) {
    const Index e = sample.fluctuating[static_cast<std::size_t>(k)];
    const double allowed = target.dead_zone(e);
    result.col(k).array() -= std::clamp(sample.statistics.mean(e), -allowed, allowed);
  }
  return result;
}

}  // namespace

Sample::Sample(Ladders drawn, const Target& target) : ladders(std::move(drawn)), design(ladders.widths) {
  differences = extrapolate(ladders, design);
  differences.rowwise() -= target.value.transpose();
  statistics = column_statistics(differences);
  for (Index e = 0; e < target.entries(); ++e) {
    if (statistics.standard_error(e) > target.deterministic * target.scale(e)) fluctuating.push_back(e);
  }
}

Residuals::Residuals(const Sample& sample)
    : contrasts_(sample.design.contrasts.rows()), whitener_(stacked_residuals(sample)) {}

double Residuals::p_model(SignFlips& flips) const {
  return sign_flip_p(sum_of_diagonal_blocks(whitener_.gram_of_vectors(), contrasts_), flips);
}

Suspicion screen(const Sample& sample, const Residuals* residuals, const Target& target, SignFlips& flips) {
  Suspicion result;
  result.projection = VectorXd::Zero(target.entries());
  if (residuals != nullptr) {
    const VectorXd t = suspect_entry(sample, target, result);
    const VectorXd whitened = residuals->whitener().apply(t.transpose()).transpose();
    for (Index k = 0; k < t.size(); ++k) {
      const Index e = sample.fluctuating[static_cast<std::size_t>(k)];
      result.projection(e) =
          whitened(k) / std::hypot(sample.statistics.standard_error(e), target.standard_error(e));
    }
    const MatrixXd groups = group_sums(beyond_dead_zone(sample, target), most_flipped);
    result.p_total = sign_flip_p(residuals->whitener().gram(scaled_to_unit_mean_square(groups)), flips);
  }
  suspect_deterministic(sample, target, result);
  return result;
}

Confirmation confirm(const Suspicion& suspicion, const Sample& fresh, const Target& target) {
  const auto one_sided = [&](double beyond, double standard_error) {
    if (standard_error > 0) return student_tail(beyond / standard_error, fresh.degrees());
    return beyond > 0 ? 0. : 1.;
  };
  const Index e = suspicion.entry;
  const double se = fresh.statistics.standard_error(e);
  const double beyond = suspicion.direction * fresh.statistics.mean(e) - target.dead_zone(e);
  Confirmation result;
  result.p_entry = one_sided(beyond, se > target.deterministic * target.scale(e) ? se : 0);
  if (suspicion.projection.isZero(0)) return result;
  const MatrixXd along = fresh.differences * suspicion.projection;
  const ColumnStatistics statistics = column_statistics(along);
  const double allowed = suspicion.projection.cwiseAbs().dot(target.dead_zone);
  result.p_projection = one_sided(statistics.mean(0) - allowed, statistics.standard_error(0));
  return result;
}

Bound largest_difference(const Sample& sample, const Target& target, double quantile) {
  const VectorXd differences =
      (sample.statistics.mean.cwiseAbs() + quantile * sample.statistics.standard_error)
          .cwiseQuotient(target.scale);
  Bound result;
  result.value = differences.maxCoeff(&result.entry);
  return result;
}

double relative_standard_error(const Sample& sample, const Target& target) {
  return sample.statistics.standard_error.cwiseQuotient(target.scale).maxCoeff();
}

double detectable_error(const Sample& sample, const Target& target, double quantile) {
  double result = 0;
  for (Index e = 0; e < target.entries(); ++e) {
    const double se = std::hypot(sample.statistics.standard_error(e), target.standard_error(e));
    result = std::max(result, (target.dead_zone(e) + quantile * se) / target.scale(e));
  }
  return result;
}

MatrixXd relative_squared_errors(const Ladders& ladders, const VectorXd& kernel) {
  VectorXd weight(kernel.size());  // entries off the diagonal stand in the matrix twice
  for (Index e = 0; e < kernel.size(); ++e) {
    const EntryPosition at = entry_position(e);
    weight(e) = at.row == at.column ? 1 : 2;
  }
  const double unit = kernel.cwiseAbs().maxCoeff();  // keeps squares in range
  const double norm = weight.dot((kernel / unit).cwiseAbs2());
  MatrixXd result(ladders.count(), std::ssize(ladders.widths));
  for (Index w = 0; w < result.cols(); ++w) {
    const MatrixXd& kernels = ladders.kernels[static_cast<std::size_t>(w)];
    result.col(w) = ((kernels.rowwise() - kernel.transpose()) / unit).cwiseAbs2() * weight / norm;
  }
  return result;
}

}  // namespace nngpcheck::compare
