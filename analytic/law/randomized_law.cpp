#include "nngpcheck/analytic/law/randomized_law.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

#include "nngpcheck/analytic/error.hpp"
#include "nngpcheck/analytic/law/principal.hpp"
#include "nngpcheck/analytic/seed.hpp"
#include "nngpcheck/support/parallel.hpp"

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

// The noise in principal directions: random ones stand for what is left out, where only C is wanted; the bias
// is a sum over all directions. Each takes its time where entries are many, or along paths.
constexpr Index directions_of_c = 256, fewer_directions_of_c = 64, many_entries = 2000;
constexpr Index directions_of_bias = 512;
constexpr double bias_leaves_out = 1e-3;
constexpr Index block_size = 1024;  // points whose derivatives are held at once
constexpr double left_out_of_noise = 1e-6, left_out_of_influence = 1e-5;  // relative to the whole
// A resolvent takes a push per entry of all averages, and then each point its product with the noise.
constexpr Index most_resolved = 1 << 14, most_resolved_numbers = 1 << 20, most_averages_resolved = 1 << 10;
constexpr Index resolved_at_once = 128;

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
    if (problem_.resolvent && !bias) {
      for (const netsor::Width& width : problem_.widths()) append_resolved(result.influence, width);
      return result;
    }
    std::vector<Principal> influences;
    for (const netsor::Width& width : problem_.widths()) {
      influences.push_back(influence(width, directions(bias)));
      append(result.influence, influences.back().directions, width);
      append(result.influence, influences.back().rest, width);
    }
    if (!bias) return result;
    const bool many = std::any_of(influences.begin(), influences.end(),
                                  [](const Principal& part) { return part.left_out > bias_leaves_out; });
    if (many) {
      result.no_bias = "the averages fluctuate in more than " + std::to_string(directions_of_bias) +
                       " directions, and the bias takes second derivatives in all of them; use fewer inputs";
      return result;
    }
    try {
      result.bias = find_bias(influences);
    } catch (const LimitError& error) {
      result.no_bias = error.what();
    }
    return result;
  }

 private:
  bool along_paths() const { return !problem_.plan.systems.families.empty(); }

  // So many at once that steps along paths hold their changes in memory.
  Index chunk() const { return along_paths() ? 64 : 512; }

  Index directions(bool bias) const {
    if (bias) return directions_of_bias;
    return along_paths() || averages_.size() > many_entries ? fewer_directions_of_c : directions_of_c;
  }

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

  // The noise of averages of one width at these points; 0 of others.
  MatrixXd noise(Index first, Index count, const netsor::Width& width) const {
    MatrixXd result = sample_.noise(first, count);
    for (const Average& average : averages_.all()) {
      if (average.width != width) result.middleCols(average.first, average.size()).setZero();
    }
    return result;
  }

  Rows noise_of(const netsor::Width& width) const {
    return {sample_.points(), averages_.size(), [this, width](Index first, Index count) {
              progress_.check();
              return noise(first, count, width);
            }};
  }

  /// The points' own influence function of the kernel: a factor of its covariance.
  void append_resolved(MatrixXd& rows, const netsor::Width& width) const {
    const MatrixXd& t = problem_.resolvent->of_kernel;
    MatrixXd covariance = MatrixXd::Zero(t.rows(), t.rows());
    for_each_block(noise_of(width), [&](const MatrixXd& block, Index) {
      const MatrixXd influence = t * block.transpose();
      covariance.selfadjointView<Eigen::Lower>().rankUpdate(influence);
    });
    const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(covariance);
    const VectorXd sizes = (solver.eigenvalues() / (static_cast<double>(sample_.points()) * width.ratio()))
                               .cwiseMax(0)
                               .cwiseSqrt();
    rows.conservativeResize(rows.rows() + t.rows(), t.rows());
    rows.bottomRows(t.rows()) = sizes.asDiagonal() * solver.eigenvectors().transpose();
  }

  /// Rows of an influence function of the kernel.
  void append(MatrixXd& rows, const MatrixXd& directions, const netsor::Width& width) const {
    const MatrixXd more = problem_.kernel_entries(directions).transpose() / std::sqrt(width.ratio());
    rows.conservativeResize(rows.rows() + more.rows(), more.cols());
    rows.bottomRows(more.rows()) = more;
  }

  VectorXd find_bias(const std::vector<Principal>& influences) {
    VectorXd noise = VectorXd::Zero(averages_.size());
    const VectorXd centre = expectations_at(VectorXd::Zero(averages_.size()));
    const std::vector<netsor::Width> widths = problem_.widths();
    for (std::size_t w = 0; w < widths.size(); ++w)
      add_bias_noise(widths[w], shortened(influences[w], left_out_of_influence), centre, noise);
    return problem_.kernel_entries(responses(noise));
  }

  // The last two terms of B, of the noise in the coordinates of one width; `centre`: the averages expected.
  void add_bias_noise(const netsor::Width& width, const Principal& principal, const VectorXd& centre,
                      VectorXd& result) {
    const Index step = std::min<Index>(chunk(), 64);
    for (Index first = 0; first < principal.directions.cols(); first += step) {
      const Index count = std::min(step, principal.directions.cols() - first);
      const Response response = respond(workplace_, problem_.plan, averages_,
                                        principal.directions.middleCols(first, count), Perturbation::given);
      for (Index begin = 0; begin < sample_.points(); begin += block_size) {
        progress_.check();
        const Index size = std::min(block_size, sample_.points() - begin);
        const MatrixXd scores = principal.scores.block(begin, first, size, count);
        const double share = static_cast<double>(size) / static_cast<double>(sample_.points());
        result += share / width.ratio() * sample_.mean_derivative(begin, scores, response.expected, width);
      }
    }
    // Along paths the step must be wide enough that kinks are seen by many of them.
    const double h = along_paths() ? 3e-2 : 3e-3;
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

  // Of the noise in the coordinates of one width, answered.
  Principal influence(const netsor::Width& width, Index most) {
    const Rows noise = noise_of(width);
    const bool resolved = problem_.resolvent && problem_.resolvent->of_averages.size() > 0;
    const Rows rows = resolved ? times(noise, problem_.resolvent->of_averages) : noise;
    const VectorXd squares = mean_squares(rows);
    Principal result =
        principal(rows, squares, scales(squares), most, left_out_of_noise, seed_of_part(seed_, 2));
    if (resolved) return result;
    result.directions = responses(result.directions);
    result.rest = responses(result.rest);
    return result;
  }

  // T ξ(ω).
  static Rows times(const Rows& noise, const MatrixXd& t) {
    return {noise.count, t.rows(), [noise, &t](Index first, Index count) {
              return MatrixXd(noise.block(first, count) * t.transpose());
            }};
  }

  // Averages of different sizes count alike: the root of each one's largest variance.
  VectorXd scales(const VectorXd& variances) const {
    VectorXd result = VectorXd::Ones(averages_.size());
    for (const Average& average : averages_.all()) {
      const double size = variances.segment(average.first, average.size()).maxCoeff();
      if (size > 0) result.segment(average.first, average.size()).setConstant(std::sqrt(size));
    }
    return result;
  }

  // The same in fewer directions, the principal ones of Σ_k d_k d_kᵀ.
  Principal shortened(const Principal& given, double left_out) const {
    if (given.directions.cols() == 0) return given;
    const VectorXd scale = scales(given.directions.rowwise().squaredNorm());
    const MatrixXd scaled = scale.cwiseInverse().asDiagonal() * given.directions;
    const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(scaled.transpose() * scaled);
    const MatrixXd vectors = solver.eigenvectors().rightCols(to_keep(solver.eigenvalues(), left_out));
    return {given.directions * vectors, given.scores * vectors, {}};
  }

  const LawProblem& problem_;
  const Averages& averages_;
  Workplace workplace_;
  const PathPool::Axes& axes_;
  int log2_points_;
  std::uint64_t seed_;
  const Progress& progress_;
  CoordinateSample sample_;
};

}  // namespace

std::optional<Resolvent> resolvent(const LawProblem& problem, const Evaluation& base, std::size_t threads,
                                   const Progress& progress) {
  const Index size = problem.averages.size();
  if (!problem.plan.systems.families.empty() || size > most_resolved) return {};
  const Index kernel = problem.kernel_entries(MatrixXd::Zero(size, 1)).rows();
  if (size * kernel > most_resolved_numbers) return {};
  Resolvent result{MatrixXd(kernel, size), {}};
  if (size <= most_averages_resolved) result.of_averages.resize(size, size);
  const PathPool::Axes no_axes;
  const Index parts = (size + resolved_at_once - 1) / resolved_at_once;
  support::in_parallel(static_cast<std::size_t>(parts), threads, [&](std::size_t part) {
    const Index first = static_cast<Index>(part) * resolved_at_once;
    const Index count = std::min(resolved_at_once, size - first);
    Evaluation at(base, no_axes, 0, 0);
    at.run();
    Workplace workplace = at.workplace();
    MatrixXd unit = MatrixXd::Zero(size, count);
    unit.middleRows(first, count).setIdentity();
    const MatrixXd answer =
        respond(workplace, problem.plan, problem.averages, unit, Perturbation::noise).averages;
    result.of_kernel.middleCols(first, count) = problem.kernel_entries(answer);
    if (result.of_averages.size() > 0) result.of_averages.middleCols(first, count) = answer;
    progress.check();
  });
  return result;
}

RandomizedLaw randomized_law(const LawProblem& problem, Evaluation& at, const PathPool::Axes& axes,
                             int log2_points, std::uint64_t seed, bool bias, const Progress& progress) {
  return Randomization(problem, at, axes, log2_points, seed, progress).run(bias);
}

}  // namespace nngpcheck::analytic
