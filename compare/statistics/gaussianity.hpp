// How far the outputs of random networks of finite width are from Gaussian.
//
// The readout is Gaussian and independent of everything before it. Given the rest of the network, its outputs
// f ∈ R^d are therefore N(0, K̂) exactly, K̂ the network's kernel; over networks they are a mixture of
// Gaussians with the fourth cumulants
//
//     κ(a, b, c, e) = Cov(K̂_ab, K̂_ce) + Cov(K̂_ac, K̂_be) + Cov(K̂_ae, K̂_bc).
//
// So the distance from Gaussian is estimated from kernels; outputs themselves would need 10⁵ to 10⁸ networks.
// It falls as 1/n.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "nngpcheck/compare/statistics/rates.hpp"
#include "nngpcheck/compare/statistics/rounding.hpp"

namespace nngpcheck::compare {

/// Networks of one width, a row each.
struct OutputSamples {
  std::int64_t width = 0;
  Eigen::MatrixXd kernels;  // N × d(d + 1)/2: upper triangles of K̂ (see upper_triangle)
  Eigen::MatrixXd outputs;  // N × d: one draw of f from each network, or empty
};

/// An excess kurtosis, 0 for Gaussian outputs. The interval is symmetric around the logarithm of the value.
struct ExcessKurtosis {
  double value = 0;
  double standard_error = 0;  // over networks
  Interval interval;          // at `confidence`
};

struct GaussianityAtWidth {
  std::int64_t width = 0;
  std::int64_t networks = 0;
  /// 3 Var(K̂_aa)/(E K̂_aa)², the excess kurtosis of f_a, mean over a.
  ExcessKurtosis marginal;
  /// Mardia's: E[(fᵀS⁻¹f)²] − r(r + 2) with S = E K̂ of rank r. Equals Var(tr S⁻¹K̂) + 2 E‖S^-½(K̂ − S)S^-½‖²_F.
  ExcessKurtosis joint;
};

/// Mardia's test of multivariate kurtosis on sampled outputs: b = (1/N) Σ_i ((f_i − f̄)ᵀC⁻¹(f_i − f̄))² with C
/// their covariance (over N). Under the Gaussian law, b depends on N and r alone: the p-value compares it to
/// draws of that law, two-sided, and is exact.
struct NormalityTest {
  std::int64_t width = 0;
  std::int64_t networks = 0;
  Eigen::Index dimension = 0;  // r
  double excess = 0;           // b minus its mean for Gaussian outputs
  double p_value = 1;
  /// A joint excess kurtosis of this size would give p ≤ `level` with probability 99.9 %.
  double detectable = 0;
  static constexpr double level = 0.01;
};

struct Gaussianity {
  std::vector<GaussianityAtWidth> widths;  // increasing
  std::optional<Rate> decay;  // slope of log joint excess on log n, −1 expected; nothing if one is 0
  std::optional<NormalityTest>
      test;  // at the widest; nothing without outputs, or with too few for their number
};

/// `precision` is that of the networks: what rounding may have made is 0. `seed` is of the test's Gaussian
/// draws. Throws CompareError if there are no widths, fewer than two
/// networks of one, or the samples' shapes disagree.
Gaussianity gaussianity(const std::vector<OutputSamples>& samples, Precision precision = Precision::float64,
                        std::uint64_t seed = 0);

/// The test alone. Outputs are reduced to their rank, up to rounding, first: linear dependence says nothing
/// about Gaussianity.
/// Nothing if N < 2r + 2. Throws CompareError if an output is not finite.
std::optional<NormalityTest> test_normality(const Eigen::MatrixXd& outputs,
                                            Precision precision = Precision::float64, std::uint64_t seed = 0);

/// {"widths": [{"width", "networks", "marginal_excess_kurtosis", "marginal_interval",
/// "joint_excess_kurtosis", "joint_interval"}, …], "decay_slope", "decay_interval", "test": {"width",
/// "networks", "dimension", "excess_kurtosis", "p_value", "detectable"}}; null for what is missing.
nlohmann::ordered_json to_json(const Gaussianity& gaussianity);

/// One line: "Outputs: joint excess kurtosis ∝ width^-1.02 ± 0.05, 0.0052 at width 4096; Mardia's test on 100
/// outputs there: p = 0.41 (could have seen 2.1)".
std::string gaussianity_text(const Gaussianity& gaussianity);

}  // namespace nngpcheck::compare
