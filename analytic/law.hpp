// The finite-width law: the kernel K̂ of one random network of width n, to first order in 1/n.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nngpcheck/analytic/error.hpp"
#include "nngpcheck/netsor/program.hpp"
#include "nngpcheck/support/progress.hpp"

namespace nngpcheck::analytic {

/// A number and its standard error, over randomizations; 0 where nothing is random.
struct Measured {
  double value = 0;
  double standard_error = 0;
};

struct LawOptions {
  int randomizations = 8;  // R ≥ 2, of everything that is random: of the coordinates, and of rule 5's paths
  /// Coordinates, and paths of rule 5, per randomization: a power of two. By default 2^12, and more, up to
  /// 2^14, until the standard error of C is at most `error`·C; where rule 5 has paths 2^10, and up to 2^12.
  std::optional<std::int64_t> points = {};
  double error = 0.01;
  bool bias = true;  // whether B is wanted
  std::uint64_t seed = 0;
  int threads = 0;  // 0: all
  Progress progress = {};
};

/// With K̂ = (σ_v²/Σ_b n_b) Σ_b X_bᵀX_b of a network of width n, as n → ∞:
///   n Cov(K̂) → Σ,   n E‖K̂ - K‖² → C = tr Σ,   n (E K̂ - K) → B,   n ‖K̂ - K‖² → Σ_i λ_i χ²_1 in law,
/// in Frobenius norms: Σ acts on symmetric m×m matrices, and counts both of the entries (a, b) and (b, a).
struct FiniteWidthLaw {
  Eigen::MatrixXd kernel;       // K, m×m
  Measured c;                   // C
  Eigen::VectorXd eigenvalues;  // λ, descending; those left out sum up to less than 1e-6 C, or are too many
  /// A factor F of Σ: rows are the entries (a, b), a ≥ b, column by column; n Cov(K̂_ab, K̂_cd) ≈ (F Fᵀ)_ab,cd.
  /// Columns are eigenvectors, in the order of the eigenvalues; where those left out are too many, random
  /// directions follow that make up for them on average.
  Eigen::MatrixXd factor;
  Eigen::MatrixXd bias, bias_standard_error;  // B; empty where it is not known
  Measured bias_norm;                         // ‖B‖
  std::string no_bias;                        // why B is not known, if it was wanted; else ""
  std::vector<std::string> labels;            // of the outputs
  /// Why mean squares of finite networks do not exist, though the law holds in distribution; else "".
  std::string heavy_tails;
  std::string method;  // how it was computed

  /// Whether C is more than rounding.
  bool fluctuates() const;

  /// Column k of the factor as a symmetric matrix.
  Eigen::MatrixXd direction(Eigen::Index k) const;

  /// n Var K̂_ab of each entry, m×m.
  Eigen::MatrixXd variance() const;

  /// n Var⟨G, K̂⟩ of a symmetric G, in Frobenius' product: Σ_k ⟨G, F_k⟩².
  double variance_along(const Eigen::MatrixXd& g) const;

  Measured relative_c() const;     // C/‖K‖²
  Measured relative_bias() const;  // ‖B‖/‖K‖

  /// The quantile of ‖K̂ - K‖/‖K‖ of one network of this width. Precondition: 0 < level < 1.
  double quantile(double width, double level) const;

  /// The quantile of the mean of ‖K̂ - K‖²/‖K‖² over so many networks of this width.
  double mean_square_quantile(double width, double networks, double level) const;

  /// The width from which ‖K̂ - K‖/‖K‖ of one network is at most `error`: in root mean square, or with a
  /// probability of `confidence`. Preconditions: error > 0, 0 < confidence < 1.
  double width_for(double error, std::optional<double> confidence = {}) const;

  /// The width from which all |K̂_ab - K_ab| ≤ error·√(K_aa K_bb) at once with that probability: by 2^14
  /// normal draws of K̂ - K.
  double width_for_entries(double error, double confidence) const;

  /// n times the excess kurtosis of the output at each input: 3 Σ_aa,aa/K_aa².
  Eigen::VectorXd excess_kurtosis() const;

  /// n times Mardia's excess kurtosis of these outputs: E[(fᵀS⁻¹f)²] - r(r + 2), S their K of rank r.
  double joint_excess_kurtosis(const std::vector<Eigen::Index>& outputs) const;
};

/// Throws LimitError where the limit, or a derivative in it, does not exist, C is infinite (see
/// law/tails.hpp), averages have more than 300,000 entries, or the options cannot be met, and Stopped.
FiniteWidthLaw finite_width_law(const netsor::Program& program, const LawOptions& options = {});

}  // namespace nngpcheck::analytic
