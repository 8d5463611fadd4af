#include "nngpcheck/analytic/law/randomized_law.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

#include "nngpcheck/analytic/error.hpp"
#include "nngpcheck/analytic/seed.hpp"

namespace nngpcheck::analytic {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

MatrixXd LawProblem::kernel_entries(const MatrixXd& of_averages) const {
  MatrixXd result;
  for (const Block& block : blocks) {
    const Average& average = *averages.find(block.moment);
    const MatrixXd part = block.weight * of_averages.middleRows(average.first, average.size());
    result = result.size() == 0 ? part : MatrixXd(result + part);
  }
  return result;
}

std::vector<netsor::Width> LawProblem::widths() const {
  std::vector<netsor::Width> result;
  for (const Average& average : averages.all()) {
    if (std::find(result.begin(), result.end(), average.width) == result.end()) {
      result.push_back(average.width);
    }
  }
  return result;
}

namespace {

constexpr Index largest_dense = 1500;  // entries of averages whose responses are kept as one matrix
constexpr Index block_size = 1024;     // points whose noise is held at once
// Of bundles' principal directions, what is left out relative to the whole.
constexpr double left_out = 1e-5;

class Randomization {
 public:
  Randomization(const LawProblem& problem, Evaluation& at, const PathPool::Axes& axes, int log2_points,
                std::uint64_t seed, const Progress& progress)
      : problem_(problem),
        averages_(problem.averages),
        workplace_(at.workplace()),
        axes_(axes),
        log2_points_(log2_points),
        seed_(seed),
        progress_(progress),
        sample_(workplace_.values, averages_, log2_points, seed_of_part(seed, 0)) {}

  RandomizedLaw run(bool bias) {
    RandomizedLaw result;
    VectorXd theta = VectorXd::Zero(averages_.size());
    for (const Average& average : averages_.all()) {
      theta.segment(average.first, average.size()) =
          average.gather(workplace_.values[average.demand].value.reshaped());
    }
    result.kernel = problem_.kernel_entries(theta);
    const bool dense = averages_.size() <= largest_dense;
    if (dense) find_responses();
    for (const netsor::Width& width : problem_.widths()) add_influence(width, result.influence);
    if (!bias) return result;
    if (!dense) {
      result.no_bias = "averages have " + std::to_string(averages_.size()) +
                       " entries, and the bias takes second derivatives in all of them; use fewer inputs";
      return result;
    }
    try {
      result.bias = find_bias();
    } catch (const LimitError& error) {
      result.no_bias = error.what();
    }
    return result;
  }

 private:
  // So many directions at once that steps along paths hold their changes in memory.
  Index chunk() const { return problem_.plan.systems.families.empty() ? 512 : 64; }

  MatrixXd responses(const MatrixXd& noise) {
    MatrixXd result(noise.rows(), noise.cols());
    for (Index first = 0; first < noise.cols(); first += chunk()) {
      const Index count = std::min(chunk(), noise.cols() - first);
      result.middleCols(first, count) =
          respond(workplace_, problem_.plan, averages_, noise.middleCols(first, count), Perturbation::noise)
              .averages;
    }
    return result;
  }

  void find_responses() {
    responses_.resize(averages_.size(), averages_.size());
    for (const Average& average : averages_.all()) {
      MatrixXd unit = MatrixXd::Zero(averages_.size(), average.size());
      unit.middleRows(average.first, average.size()).setIdentity();
      responses_.middleCols(average.first, average.size()) = responses(unit);
    }
  }

  // The noise of averages of one width at these points; 0 of others.
  MatrixXd noise(Index first, Index count, const netsor::Width& width) const {
    MatrixXd result = sample_.noise(first, count);
    for (const Average& average : averages_.all()) {
      if (average.width != width) result.middleCols(average.first, average.size()).setZero();
    }
    return result;
  }

  template <class Visit>
  void for_each_block(const Visit& visit) const {
    for (Index first = 0; first < sample_.points(); first += block_size) {
      progress_.check();
      visit(first, std::min(block_size, sample_.points() - first));
    }
  }

  void add_influence(const netsor::Width& width, MatrixXd& influence) {
    const double scale = 1 / std::sqrt(static_cast<double>(sample_.points()) * width.ratio());
    const MatrixXd kernel_responses =
        responses_.size() > 0 ? problem_.kernel_entries(responses_) : MatrixXd();
    for_each_block([&](Index first, Index count) {
      const MatrixXd xi = noise(first, count, width);
      MatrixXd rows = kernel_responses.size() > 0
                          ? MatrixXd(xi * kernel_responses.transpose())
                          : MatrixXd(problem_.kernel_entries(responses(xi.transpose())).transpose());
      append(influence, scale * rows);
    });
  }

  // Rows, or their Gram's square root where that is smaller.
  static void append(MatrixXd& influence, const MatrixXd& rows) {
    if (influence.size() == 0) influence.resize(0, rows.cols());
    influence.conservativeResize(influence.rows() + rows.rows(), Eigen::NoChange);
    influence.bottomRows(rows.rows()) = rows;
    if (influence.rows() <= 2 * influence.cols()) return;
    const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(influence.transpose() * influence);
    influence = solver.eigenvalues().cwiseMax(0).cwiseSqrt().asDiagonal() * solver.eigenvectors().transpose();
  }

  VectorXd find_bias() {
    VectorXd noise = VectorXd::Zero(averages_.size());
    const VectorXd centre = expectations_at(VectorXd::Zero(averages_.size()));
    for (const netsor::Width& width : problem_.widths()) add_bias_noise(width, centre, noise);
    return problem_.kernel_entries(responses(noise));
  }

  // The last two terms of B, of the noise in the coordinates of one width; `centre`: the averages expected.
  void add_bias_noise(const netsor::Width& width, const VectorXd& centre, VectorXd& result) {
    const Principal principal = principal_directions(width);
    const Index step = std::min<Index>(chunk(), 64);
    for (Index first = 0; first < principal.directions.cols(); first += step) {
      const Index count = std::min(step, principal.directions.cols() - first);
      const Response response = respond(workplace_, problem_.plan, averages_,
                                        principal.directions.middleCols(first, count), Perturbation::given);
      for_each_block([&](Index begin, Index size) {
        const MatrixXd scores = noise(begin, size, width) * principal.scores.middleCols(first, count);
        const double share = static_cast<double>(size) / static_cast<double>(sample_.points());
        result += share / width.ratio() * sample_.mean_derivative(begin, scores, response.expected, width);
      });
    }
    // Along paths the step must be wide enough that kinks are seen by many of them.
    const double h = problem_.plan.systems.families.empty() ? 3e-3 : 3e-2;
    for (Index k = 0; k < principal.directions.cols(); ++k) {
      const VectorXd shift = h * principal.directions.col(k);
      const VectorXd second = expectations_at(shift) + expectations_at(-shift) - 2 * centre;
      result += second / (2 * h * h * width.ratio());
    }
  }

  VectorXd expectations_at(const VectorXd& shift) const {
    return expectations(workplace_.values, problem_.plan, axes_, log2_points_, seed_of_part(seed_, 1),
                        averages_, shift, progress_);
  }

  /// Cov(IF) = Σ_k d_k d_kᵀ over the directions d_k; IF(ω) = Σ_k d_k s_k(ω) with s = scoresᵀ noise.
  struct Principal {
    MatrixXd directions, scores;
  };

  // Averages of different sizes count alike.
  Principal principal_directions(const netsor::Width& width) const {
    MatrixXd covariance = MatrixXd::Zero(averages_.size(), averages_.size());
    for_each_block([&](Index first, Index count) {
      const MatrixXd influence = noise(first, count, width) * responses_.transpose();
      covariance += influence.transpose() * influence / static_cast<double>(sample_.points());
    });
    VectorXd scale = VectorXd::Ones(averages_.size());
    for (const Average& average : averages_.all()) {
      const double size = covariance.diagonal().segment(average.first, average.size()).maxCoeff();
      if (size > 0) scale.segment(average.first, average.size()).setConstant(std::sqrt(size));
    }
    const MatrixXd scaled =
        scale.cwiseInverse().asDiagonal() * covariance * scale.cwiseInverse().asDiagonal();
    const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(scaled);
    const VectorXd& values = solver.eigenvalues();
    Index omitted = 0;
    for (double sum = 0; omitted < values.size(); ++omitted) {
      sum += std::max(0.0, values[omitted]);
      if (sum > left_out * values.cwiseMax(0).sum()) break;
    }
    const Index kept = values.size() - omitted;
    const VectorXd roots = values.tail(kept).cwiseSqrt();
    const MatrixXd vectors = solver.eigenvectors().rightCols(kept);
    return {scale.asDiagonal() * vectors * roots.asDiagonal(),
            responses_.transpose() * scale.cwiseInverse().asDiagonal() * vectors *
                roots.cwiseInverse().asDiagonal()};
  }

  const LawProblem& problem_;
  const Averages& averages_;
  Workplace workplace_;
  const PathPool::Axes& axes_;
  int log2_points_;
  std::uint64_t seed_;
  const Progress& progress_;
  CoordinateSample sample_;
  MatrixXd responses_;  // of all averages to unit noise in each; empty if that is too large
};

}  // namespace

RandomizedLaw randomized_law(const LawProblem& problem, Evaluation& at, const PathPool::Axes& axes,
                             int log2_points, std::uint64_t seed, bool bias, const Progress& progress) {
  return Randomization(problem, at, axes, log2_points, seed, progress).run(bias);
}

}  // namespace nngpcheck::analytic
