// Do random networks fluctuate as the finite-width law says?
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "nngpcheck/compare/verdict/check.hpp"

namespace nngpcheck::analytic {
struct FiniteWidthLaw;
}

namespace nngpcheck::compare {

struct LawCheckOptions {
  double false_alarm = 1e-3;  // α
  std::int64_t pairs = 1000;  // of networks, at each of two widths; at least 10
  std::int64_t narrowest_width = 64, largest_width = std::int64_t{1} << 17;  // in between it doubles
};

/// The mean over all pairs of a quadratic form dᵀA d of a pair's difference, and its expectation tr(AΣ).
struct LawStatistic {
  std::string name;
  double measured = 0, predicted = 0;
  double p_value = 1;
};

struct LawCheckResult {
  /// inconclusive: the law is not exact enough, or its first order is not reached within the largest width.
  Verdict verdict = Verdict::inconclusive;
  std::string reason;  // why it is inconclusive; else ""
  std::vector<LawStatistic> statistics;
  std::vector<std::int64_t> widths;
  std::int64_t pairs = 0;  // at each width
  /// A C that is off by this, relatively, is found with a probability of about one half.
  double detectable = 0;
};

/// Of two independent networks of width n, d = (n/2)^½ (K̂ - K̂') has the covariance n Cov(K̂) → Σ: the limit K
/// drops out. All pairs of both widths count alike. Looked at are ‖d‖², whose mean is C, (vᵀd)² for the three
/// leading eigenvectors v of Σ, and (gᵀd)² for three random symmetric matrices g. Under the law each is a
/// weighted sum of χ²_1, of which the mean over the pairs has a known distribution
/// (analytic/law/weighted_chi_square.hpp): p-values are two-sided, with Bonferroni's correction, and no
/// smaller than for any law within three standard errors of Σ, which tilt eigenvectors, too. The narrower
/// width is such that the next order in 1/n, c/2n relative to C with c = C/‖K‖², is at most an eighth of what
/// the pairs show (see Prediction). Throws what `draw` throws.
LawCheckResult check_law(const analytic::FiniteWidthLaw& law, const DrawLadders& draw,
                         const LawCheckOptions& options = {});

/// One line: "agree     mlp: fluctuates as the finite-width law says …".
std::string law_verdict_text(const std::string& name, const LawCheckResult& result);

/// {"verdict", "reason", "widths", "pairs", "detectable", "statistics": [{"name", "measured", "predicted",
/// "p_value"}, …]}
nlohmann::ordered_json to_json(const LawCheckResult& result);

}  // namespace nngpcheck::compare
