#include "nngpcheck/analytic/law.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <numbers>
#include <random>

#include "nngpcheck/analytic/evaluation/randomizations.hpp"
#include "nngpcheck/analytic/law/principal.hpp"
#include "nngpcheck/analytic/law/randomized_law.hpp"
#include "nngpcheck/analytic/law/tails.hpp"
#include "nngpcheck/analytic/law/weighted_chi_square.hpp"
#include "nngpcheck/analytic/seed.hpp"
#include "nngpcheck/support/parallel.hpp"

namespace nngpcheck::analytic {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

constexpr int first_log2_points = 12, last_log2_points = 14;
constexpr int first_log2_points_along_paths = 10, last_log2_points_along_paths = 12;
// Of all averages: minutes, and some gigabytes.
constexpr Index most_entries = 300'000;
constexpr Index most_eigenvalues = 512;
constexpr double eigenvalues_left_out = 1e-6;
constexpr double rounding_of_c = 1e-20;  // of ‖K‖²: the square of relative rounding, and room
constexpr double rank_rounding = 1e-12;  // of the largest eigenvalue of K

/// The program's plan, with all that it takes to draw a coordinate of its averages.
struct Planned {
  explicit Planned(const netsor::Program& program) : structure(program) {
    const netsor::Output& output = program.output();
    double total = 0;
    for (const netsor::BundleId block : output.blocks) total += program.type(block).width.ratio();
    std::vector<Demand> goals;
    for (const netsor::BundleId block : output.blocks) {
      const Demand moment = Demand::moment(block.index(), block.index());
      blocks.push_back({moment, program.type(block).width.ratio() / total * program.readout().variance});
      goals.push_back(moment);
    }
    const std::vector<Demand> outputs = goals;
    for (bool complete = false; !complete;) {
      plan = make_plan(structure, goals, false);
      averages.emplace(structure, plan, outputs);
      complete = true;
      for (const Demand& demand : averages->needed_to_draw()) {
        if (plan.contains(demand)) continue;
        goals.push_back(demand);
        complete = false;
      }
    }
  }

  LawProblem problem() const { return {structure, plan, *averages, blocks}; }

  /// Everything, so that all values are kept.
  std::vector<Demand> demands() const {
    std::vector<Demand> result;
    for (const auto& [step, replicated] : plan.entries) result.push_back(step->demand());
    return result;
  }

  const Structure structure;
  Plan plan;
  std::optional<Averages> averages;
  std::vector<LawProblem::Block> blocks;
};

std::vector<RandomizedLaw> randomized_laws(const LawProblem& problem, const Evaluation& base, int log2_points,
                                           const LawOptions& options) {
  PathPool::Axes axes;
  const PathPool::Axes none;
  if (!problem.plan.systems.common.empty()) {
    Evaluation pilot(base, none, log2_points, seed_of_part(options.seed, pilot_number));
    pilot.run();
    axes = pilot.principal_axes();
  }
  std::vector<RandomizedLaw> result(static_cast<std::size_t>(options.randomizations));
  std::atomic<std::size_t> done = 0;
  support::in_parallel(result.size(), support::threads_asked(options.threads), [&](std::size_t r) {
    const std::uint64_t seed = seed_of_part(options.seed, r);
    Evaluation at(base, axes, log2_points, seed_of_part(seed, 0));
    at.run();
    result[r] =
        randomized_law(problem, at, axes, log2_points, seed_of_part(seed, 1), options.bias, options.progress);
    ++done;
    options.progress.report({}, [&] {
      return "finite-width law, " + std::to_string(done) + " of " + std::to_string(result.size()) +
             " randomizations";
    });
  });
  return result;
}

// Of a Gaussian bundle's columns, where that is the same in all randomizations.
std::optional<double> largest_variance(const Plan& plan, const Values& values, NodeIndex node) {
  for (const auto& [step, replicated] : plan.entries) {
    const Demand& demand = step->demand();
    const bool own = demand.kind == Demand::Kind::covariance && demand.left == node && demand.right == node;
    if (own && !replicated) return values.diagonal(demand).value.maxCoeff();
  }
  return {};
}

Measured measured(const std::vector<double>& values) {
  const auto count = static_cast<double>(values.size());
  const Eigen::Map<const VectorXd> all(values.data(), std::ssize(values));
  const double mean = all.mean();
  return {mean, std::sqrt((all.array() - mean).square().sum() / (count * (count - 1)))};
}

// Entries (a, b), a ≥ b, as a symmetric matrix.
MatrixXd symmetric(const VectorXd& entries, Index m) {
  MatrixXd result(m, m);
  Index k = 0;
  for (Index b = 0; b < m; ++b) {
    for (Index a = b; a < m; ++a) result(a, b) = result(b, a) = entries[k++];
  }
  return result;
}

// √2 for entries off the diagonal, which count twice in Frobenius norms.
VectorXd frobenius_weights(Index m) {
  MatrixXd weights = MatrixXd::Constant(m, m, std::numbers::sqrt2);
  weights.diagonal().setOnes();
  VectorXd result(m * (m + 1) / 2);
  for (Index b = 0, k = 0; b < m; ++b) {
    for (Index a = b; a < m; ++a) result[k++] = weights(a, b);
  }
  return result;
}

Measured c_of(const std::vector<RandomizedLaw>& parts, Index m) {
  const VectorXd weights = frobenius_weights(m);
  std::vector<double> traces;
  for (const RandomizedLaw& part : parts)
    traces.push_back((part.influence * weights.asDiagonal()).squaredNorm());
  return measured(traces);
}

// How many times more points must be doubled: errors fall at least as their root.
int growth(const Measured& c, double error) {
  const double missing = c.standard_error / (error * c.value);
  return std::isfinite(missing) ? std::clamp(static_cast<int>(std::ceil(1.5 * std::log2(missing))), 1, 3) : 3;
}

// Eigenvalues and a factor of Σ, from the randomizations' influence functions.
void find_covariance(FiniteWidthLaw& law, const std::vector<RandomizedLaw>& parts) {
  const VectorXd weights = frobenius_weights(law.kernel.rows());
  const Index p = weights.size();
  MatrixXd rows(0, p);
  for (const RandomizedLaw& part : parts) {
    rows.conservativeResize(rows.rows() + part.influence.rows(), p);
    rows.bottomRows(part.influence.rows()) = part.influence * weights.asDiagonal();
  }
  if (rows.rows() == 0) {  // nothing fluctuates
    law.factor.resize(p, 0);
    return;
  }
  rows *= std::sqrt(static_cast<double>(rows.rows()) / static_cast<double>(parts.size()));
  const Rows all{rows.rows(), p, [&](Index first, Index count) { return rows.middleRows(first, count); }};
  const Principal found =
      principal(all, mean_squares(all), VectorXd::Ones(p), most_eigenvalues, eigenvalues_left_out, 0);
  law.eigenvalues = found.directions.colwise().squaredNorm().reverse().transpose();
  MatrixXd vectors(p, found.directions.cols() + found.rest.cols());
  vectors << found.directions.rowwise().reverse(), found.rest;
  law.factor = weights.cwiseInverse().asDiagonal() * vectors;
}

void find_bias(FiniteWidthLaw& law, const std::vector<RandomizedLaw>& parts) {
  for (const RandomizedLaw& part : parts) {
    if (law.no_bias.empty()) law.no_bias = part.no_bias;
  }
  if (!law.no_bias.empty()) return;
  const Index m = law.kernel.rows();
  const auto count = static_cast<double>(parts.size());
  MatrixXd sum = MatrixXd::Zero(m, m), squares = MatrixXd::Zero(m, m);
  for (const RandomizedLaw& part : parts) sum += symmetric(part.bias, m);
  law.bias = sum / count;
  std::vector<double> along;  // B, for the error of its norm
  const double norm = law.bias.norm();
  for (const RandomizedLaw& part : parts) {
    const MatrixXd one = symmetric(part.bias, m);
    squares += (one - law.bias).cwiseAbs2();
    along.push_back(norm > 0 ? one.cwiseProduct(law.bias).sum() / norm : 0);
  }
  law.bias_standard_error = (squares / (count * (count - 1))).cwiseSqrt();
  law.bias_norm = measured(along);
}

std::string method_text(const Plan& plan, int log2_points, const LawOptions& options) {
  return std::string(plan.systems.families.empty() ? "derivatives by formula" : "derivatives along paths") +
         ", " + std::to_string(options.randomizations) + " randomizations of " +
         std::to_string(std::int64_t{1} << log2_points) + " coordinates";
}

WeightedChiSquare squared_error(const FiniteWidthLaw& law) {
  return {law.eigenvalues, std::max(0.0, law.c.value - law.eigenvalues.sum()), 1};
}

Measured relative(const Measured& number, double to) {
  if (number.value == 0) return {};
  return {number.value / to, number.standard_error / to};
}

}  // namespace

FiniteWidthLaw finite_width_law(const netsor::Program& program, const LawOptions& options) {
  check_randomizations("the finite-width law", options.randomizations, options.points, 2);
  const Planned planned(program);
  if (planned.averages->size() > most_entries) {
    throw LimitError("the finite-width law: the averages of this network have " +
                     std::to_string(planned.averages->size()) + " entries, more than " +
                     std::to_string(most_entries) + "; take fewer inputs (--inputs)");
  }
  Evaluation base(planned.structure, planned.plan, planned.demands(), support::threads_asked(options.threads),
                  options.progress);
  base.run();
  const Tails found = tails(
      planned.structure, [&](NodeIndex node) { return largest_variance(planned.plan, base.values(), node); });
  if (!found.infinite.empty()) throw LimitError("the finite-width law: " + found.infinite);
  const bool along_paths = !planned.plan.systems.families.empty();
  const int last = along_paths ? last_log2_points_along_paths : last_log2_points;
  int log2_points = along_paths ? first_log2_points_along_paths : first_log2_points;
  if (options.points) log2_points = std::countr_zero(static_cast<std::uint64_t>(*options.points));
  LawProblem problem = planned.problem();
  problem.resolvent = resolvent(problem, base, support::threads_asked(options.threads), options.progress);
  FiniteWidthLaw law;
  std::vector<RandomizedLaw> parts;
  for (;; log2_points = std::min(last, log2_points + growth(law.c, options.error))) {
    parts = randomized_laws(problem, base, log2_points, options);
    law.c = c_of(parts, program.outputs());
    const bool exact = law.c.standard_error <= options.error * law.c.value;
    if (options.points || exact || log2_points >= last) break;
  }
  const Index m = program.outputs();
  VectorXd kernel = VectorXd::Zero(m * (m + 1) / 2);
  for (const RandomizedLaw& part : parts) kernel += part.kernel / static_cast<double>(parts.size());
  law.kernel = symmetric(kernel, m);
  find_covariance(law, parts);
  if (options.bias) find_bias(law, parts);
  law.labels = program.output().labels;
  law.heavy_tails = found.heavy;
  law.method = method_text(planned.plan, log2_points, options);
  return law;
}

bool FiniteWidthLaw::fluctuates() const { return c.value > rounding_of_c * kernel.squaredNorm(); }

MatrixXd FiniteWidthLaw::direction(Index k) const { return symmetric(factor.col(k), kernel.rows()); }

MatrixXd FiniteWidthLaw::variance() const { return symmetric(factor.rowwise().squaredNorm(), kernel.rows()); }

double FiniteWidthLaw::variance_along(const MatrixXd& g) const {
  double result = 0;
  for (Index k = 0; k < factor.cols(); ++k) result += std::pow(g.cwiseProduct(direction(k)).sum(), 2);
  return result;
}

Measured FiniteWidthLaw::relative_c() const { return relative(c, kernel.squaredNorm()); }
Measured FiniteWidthLaw::relative_bias() const { return relative(bias_norm, kernel.norm()); }

double FiniteWidthLaw::quantile(double width, double level) const {
  if (c.value == 0) return 0;
  return std::sqrt(squared_error(*this).quantile(level) / width) / kernel.norm();
}

double FiniteWidthLaw::mean_square_quantile(double width, double networks, double level) const {
  if (c.value == 0) return 0;
  WeightedChiSquare law = squared_error(*this);
  law.repeats = networks;
  return law.quantile(level) / width / kernel.squaredNorm();
}

double FiniteWidthLaw::width_for(double error, std::optional<double> confidence) const {
  if (c.value == 0) return 0;
  const double squared = confidence ? squared_error(*this).quantile(*confidence) : c.value;
  return squared / kernel.squaredNorm() / (error * error);
}

double FiniteWidthLaw::width_for_entries(double error, double confidence) const {
  constexpr int draws = 1 << 14;
  const VectorXd diagonal = kernel.diagonal().cwiseMax(0).cwiseSqrt();
  MatrixXd scaled = factor;
  for (Index b = 0, k = 0; b < kernel.rows(); ++b) {
    for (Index a = b; a < kernel.rows(); ++a, ++k) {
      const double size = diagonal[a] * diagonal[b];
      scaled.row(k) *= size > 0 ? 1 / size : 0;
    }
  }
  std::mt19937_64 random(0);
  std::normal_distribution<double> normal;
  std::vector<double> largest;
  for (int draw = 0; draw < draws; ++draw) {
    const VectorXd z = VectorXd::NullaryExpr(scaled.cols(), [&] { return normal(random); });
    largest.push_back((scaled * z).cwiseAbs().maxCoeff());
  }
  const auto place = largest.begin() + static_cast<std::ptrdiff_t>(confidence * (draws - 1));
  std::nth_element(largest.begin(), place, largest.end());
  return std::pow(*place / error, 2);
}

VectorXd FiniteWidthLaw::excess_kurtosis() const {
  VectorXd result(kernel.rows());
  for (Index b = 0, k = 0; b < kernel.rows(); k += kernel.rows() - b, ++b) {
    result[b] = 3 * factor.row(k).squaredNorm() / std::pow(kernel(b, b), 2);
  }
  return result;
}

double FiniteWidthLaw::joint_excess_kurtosis(const std::vector<Index>& outputs) const {
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(kernel(outputs, outputs));
  const VectorXd values = solver.eigenvalues();
  const Index rank = (values.array() > rank_rounding * values.maxCoeff()).count();
  const MatrixXd whiten =
      solver.eigenvectors().rightCols(rank) * values.tail(rank).cwiseSqrt().cwiseInverse().asDiagonal();
  double result = 0;
  for (Index k = 0; k < factor.cols(); ++k) {
    const MatrixXd white = whiten.transpose() * direction(k)(outputs, outputs) * whiten;
    result += white.trace() * white.trace() + 2 * white.squaredNorm();
  }
  return result;
}

}  // namespace nngpcheck::analytic
