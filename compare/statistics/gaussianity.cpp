#include "nngpcheck/compare/statistics/gaussianity.hpp"

#include <fmt/format.h>

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <boost/random/normal_distribution.hpp>
#include <cmath>
#include <random>

#include "nngpcheck/compare/error.hpp"
#include "nngpcheck/compare/statistics/ladders.hpp"

namespace nngpcheck::compare {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

/// How often the Gaussian law is drawn for the test.
constexpr int null_draws = 1999;

/// A with A S Aᵀ = 1, r × d for S of rank r, up to rounding.
MatrixXd whitening(const MatrixXd& covariance, Precision precision) {
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(covariance);
  const VectorXd& values = solver.eigenvalues();
  const double least = rounding(precision).error * values.maxCoeff();
  const auto rank = static_cast<Index>((values.array() > least).count());
  const VectorXd scale = values.tail(rank).cwiseSqrt().cwiseInverse();
  return scale.asDiagonal() * solver.eigenvectors().rightCols(rank).transpose();
}

double quantile_of_student(double degrees) {
  return boost::math::quantile(
      boost::math::complement(boost::math::students_t(degrees), (1 - confidence) / 2));
}

/// Of the mean of one number per network, each ≥ 0, made from deviations from the networks' own mean.
ExcessKurtosis estimate(const VectorXd& contributions, Precision precision) {
  const auto count = static_cast<double>(contributions.size());
  Moments moments;
  for (const double value : contributions) moments.add(value);
  const double unbiased = count / (count - 1);
  ExcessKurtosis result;
  if (moments.mean() <= std::pow(rounding(precision).spread, 2)) return result;
  result.value = unbiased * moments.mean();
  result.standard_error = unbiased * std::sqrt(moments.variance() / count);
  const double factor = std::exp(quantile_of_student(count - 1) * result.standard_error / result.value);
  result.interval = {result.value / factor, result.value * factor};
  return result;
}

GaussianityAtWidth at_width(const OutputSamples& samples, Precision precision) {
  const Index networks = samples.kernels.rows();
  const VectorXd mean = samples.kernels.colwise().mean();
  const MatrixXd expected = symmetric_matrix(mean);
  const MatrixXd white = whitening(expected, precision);
  const VectorXd diagonal = expected.diagonal();
  VectorXd marginal(networks), joint(networks);
  for (Index i = 0; i < networks; ++i) {
    const MatrixXd deviation = symmetric_matrix(samples.kernels.row(i).transpose() - mean);
    const MatrixXd whitened = white * deviation * white.transpose();
    joint(i) = whitened.trace() * whitened.trace() + 2 * whitened.squaredNorm();
    double squares = 0;
    for (Index a = 0; a < diagonal.size(); ++a) {
      if (diagonal(a) > 0) squares += std::pow(deviation(a, a) / diagonal(a), 2);
    }
    marginal(i) = 3 * squares / static_cast<double>(diagonal.size());
  }
  return {samples.width, networks, estimate(marginal, precision), estimate(joint, precision)};
}

/// Weighted least squares of log value on log n, weights one over the variance of log value.
std::optional<Rate> fit_decay(const std::vector<GaussianityAtWidth>& widths) {
  if (widths.size() < 2) return {};
  const auto count = std::ssize(widths);
  VectorXd x(count), y(count), weight(count);
  std::int64_t networks = widths.front().networks;
  for (Index w = 0; w < count; ++w) {
    const GaussianityAtWidth& at = widths[static_cast<std::size_t>(w)];
    if (!(at.joint.value > 0 && at.joint.standard_error > 0)) return {};
    x(w) = std::log(static_cast<double>(at.width));
    y(w) = std::log(at.joint.value);
    weight(w) = std::pow(at.joint.value / at.joint.standard_error, 2);
    networks = std::min(networks, at.networks);
  }
  const VectorXd centred = x.array() - weight.dot(x) / weight.sum();
  const double information = weight.dot(centred.cwiseAbs2());
  const double slope = weight.cwiseProduct(centred).dot(y) / information;
  const double half = quantile_of_student(static_cast<double>(networks - 1)) / std::sqrt(information);
  return Rate{slope, {slope - half, slope + half}};
}

/// b of NormalityTest. Precondition: the rows' covariance has full rank.
double mardia_kurtosis(const MatrixXd& rows) {
  const auto count = static_cast<double>(rows.rows());
  const MatrixXd centred = rows.rowwise() - rows.colwise().mean();
  const MatrixXd covariance = centred.transpose() * centred / count;
  const MatrixXd white = covariance.llt().matrixL().solve(centred.transpose());
  return white.colwise().squaredNorm().squaredNorm() / count;
}

std::vector<double> null_kurtoses(Index networks, Index dimension, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  boost::random::normal_distribution<double> normal;
  MatrixXd rows(networks, dimension);
  std::vector<double> result;
  for (int k = 0; k < null_draws; ++k) {
    for (double& entry : rows.reshaped()) entry = normal(random);
    result.push_back(mardia_kurtosis(rows));
  }
  std::sort(result.begin(), result.end());
  return result;
}

void validate(const std::vector<OutputSamples>& samples) {
  if (samples.empty()) throw CompareError("Gaussianity: no networks; give those of one width at least");
  for (const OutputSamples& at : samples) {
    if (at.kernels.rows() < 2) {
      throw CompareError(fmt::format("Gaussianity: {} networks at width {}: at least 2 are needed",
                                     at.kernels.rows(), at.width));
    }
    const Index inputs = symmetric_matrix(at.kernels.row(0)).rows();
    if (at.kernels.cols() != samples.front().kernels.cols() ||
        (at.outputs.size() > 0 && (at.outputs.rows() != at.kernels.rows() || at.outputs.cols() != inputs))) {
      throw CompareError(fmt::format(
          "Gaussianity: width {}: {} outputs of {} networks, but kernels of {} inputs of {} networks",
          at.width, at.outputs.cols(), at.outputs.rows(), inputs, at.kernels.rows()));
    }
    if (!at.kernels.allFinite())
      throw CompareError(fmt::format("Gaussianity: a kernel of width {} is not finite", at.width));
  }
}

nlohmann::ordered_json pair(const Interval& interval) { return {interval.lower, interval.upper}; }

}  // namespace

std::optional<NormalityTest> test_normality(const MatrixXd& outputs, Precision precision,
                                            std::uint64_t seed) {
  if (!outputs.allFinite()) throw CompareError("Gaussianity: an output is not finite");
  const Index networks = outputs.rows();
  if (networks < 4) return {};
  const MatrixXd centred = outputs.rowwise() - outputs.colwise().mean();
  const MatrixXd white = whitening(centred.transpose() * centred / static_cast<double>(networks), precision);
  if (white.rows() == 0 || networks < 2 * white.rows() + 2) return {};
  const double kurtosis = mardia_kurtosis(centred * white.transpose());
  const std::vector<double> null = null_kurtoses(networks, white.rows(), seed);
  const auto below = std::upper_bound(null.begin(), null.end(), kurtosis) - null.begin();
  const auto above = null.end() - std::lower_bound(null.begin(), null.end(), kurtosis);
  const auto quantile = [&](double share) {
    return null[static_cast<std::size_t>(share * static_cast<double>(null.size()))];
  };
  NormalityTest result;
  result.networks = networks;
  result.dimension = white.rows();
  const VectorXd law = Eigen::Map<const VectorXd>(null.data(), std::ssize(null));
  result.excess = kurtosis - law.mean();
  result.p_value = std::min(1., 2 * static_cast<double>(1 + std::min(below, above)) / (1 + null_draws));
  result.detectable = quantile(1 - NormalityTest::level / 2) - quantile(0.001);
  return result;
}

Gaussianity gaussianity(const std::vector<OutputSamples>& samples, Precision precision, std::uint64_t seed) {
  validate(samples);
  Gaussianity result;
  for (const OutputSamples& at : samples) result.widths.push_back(at_width(at, precision));
  result.decay = fit_decay(result.widths);
  if (samples.back().outputs.size() > 0) {
    result.test = test_normality(samples.back().outputs, precision, seed);
    if (result.test) result.test->width = samples.back().width;
  }
  return result;
}

nlohmann::ordered_json to_json(const Gaussianity& gaussianity) {
  nlohmann::ordered_json result = {{"widths", nlohmann::ordered_json::array()},
                                   {"decay_slope", nullptr},
                                   {"decay_interval", nullptr},
                                   {"test", nullptr}};
  for (const GaussianityAtWidth& at : gaussianity.widths) {
    result["widths"].push_back({{"width", at.width},
                                {"networks", at.networks},
                                {"marginal_excess_kurtosis", at.marginal.value},
                                {"marginal_interval", pair(at.marginal.interval)},
                                {"joint_excess_kurtosis", at.joint.value},
                                {"joint_interval", pair(at.joint.interval)}});
  }
  if (gaussianity.decay) {
    result["decay_slope"] = gaussianity.decay->slope;
    result["decay_interval"] = pair(gaussianity.decay->interval);
  }
  if (const auto& test = gaussianity.test) {
    result["test"] = {{"width", test->width},         {"networks", test->networks},
                      {"dimension", test->dimension}, {"excess_kurtosis", test->excess},
                      {"p_value", test->p_value},     {"detectable", test->detectable}};
  }
  return result;
}

std::string gaussianity_text(const Gaussianity& gaussianity) {
  const GaussianityAtWidth& widest = gaussianity.widths.back();
  std::string result = "Outputs: joint excess kurtosis";
  if (gaussianity.decay) {
    const Rate& decay = *gaussianity.decay;
    result += fmt::format(" ∝ width^{:.2f} ± {:.2f},", decay.slope, decay.interval.upper - decay.slope);
  }
  result += fmt::format(" {:.2g} at width {}", widest.joint.value, widest.width);
  if (const auto& test = gaussianity.test) {
    result += fmt::format("; Mardia's test on {} outputs there: p = {:.2g} (could have seen {:.2g})",
                          test->networks, test->p_value, test->detectable);
  }
  return result;
}

}  // namespace nngpcheck::compare
