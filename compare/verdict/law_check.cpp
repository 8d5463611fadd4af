#include "nngpcheck/compare/verdict/law_check.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <Eigen/Core>
#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <random>

#include "nngpcheck/analytic/law.hpp"
#include "nngpcheck/analytic/law/weighted_chi_square.hpp"
#include "nngpcheck/compare/statistics/ladders.hpp"
#include "nngpcheck/compare/verdict/evidence.hpp"

namespace nngpcheck::compare {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr int leading = 3, random_forms = 3;
constexpr double hidden = 0.125;        // of what the pairs show, the next order in 1/n
constexpr double allowed_errors = 3;    // standard errors of the law
constexpr double largest_error = 0.05;  // relative, of C
constexpr std::int64_t batch = 256;     // pairs whose kernels are held at once

/// dᵀA d and its law under Σ.
struct Form {
  std::string name;
  std::function<double(const MatrixXd& difference)> value;
  analytic::WeightedChiSquare law;
  /// λ_1/λ_k of an eigenvector: a share ε of the leading one in it, which is second order in the errors of Σ,
  /// adds ε² λ_1.
  double tilt = 0;

  /// Relative, of the law's mean, if entries of Σ are off by this, relative to √(Σ_ii Σ_jj).
  double error(double of_entries) const { return of_entries + of_entries * of_entries * tilt; }
};

/// ⟨G, d⟩² with Frobenius' product, of a G of norm 1.
Form projection(const std::string& name, const MatrixXd& direction, const analytic::FiniteWidthLaw& law) {
  const MatrixXd unit = direction / direction.norm();
  return {name,
          [unit](const MatrixXd& d) { return std::pow(unit.cwiseProduct(d).sum(), 2); },
          {VectorXd::Constant(1, law.variance_along(unit))}};
}

std::vector<Form> forms(const analytic::FiniteWidthLaw& law) {
  const Index m = law.kernel.rows();
  const double left = std::max(0., law.c.value - law.eigenvalues.sum());
  std::vector<Form> result = {
      {"total", [](const MatrixXd& d) { return d.squaredNorm(); }, {law.eigenvalues, left}}};
  for (Index k = 0; k < std::min<Index>(leading, law.eigenvalues.size()); ++k) {
    result.push_back(projection(fmt::format("direction {}", k + 1), law.direction(k), law));
    result.back().tilt = law.eigenvalues[0] / law.eigenvalues[k];
  }
  std::mt19937_64 random(0);
  std::normal_distribution<double> normal;
  for (int k = 0; k < random_forms && m > 1; ++k) {
    const VectorXd entries = VectorXd::NullaryExpr(m * (m + 1) / 2, [&] { return normal(random); });
    result.push_back(projection(fmt::format("random {}", k + 1), symmetric_matrix(entries), law));
  }
  return result;
}

double relative_spread(const analytic::WeightedChiSquare& law, double pairs) {
  return std::sqrt(2 * law.weights.squaredNorm() / pairs) / law.mean();
}

/// Two-sided, and no smaller than for any law within the error.
double p_value(analytic::WeightedChiSquare law, double measured, double pairs, double error) {
  law.repeats = pairs;
  const double predicted = law.mean();
  const double nearest = measured > predicted ? std::max(predicted, measured / (1 + error))
                         : error < 1          ? std::min(predicted, measured / (1 - error))
                                              : predicted;
  const double below = law.cdf(nearest);
  return std::min(1., 2 * std::min(below, 1 - below));
}

/// Of each form over all pairs, batch by batch.
std::vector<double> sums_of(const std::vector<Form>& forms, const DrawLadders& draw,
                            const LawCheckResult& plan) {
  std::vector<double> result(forms.size(), 0);
  for (std::int64_t first = 0; first < plan.pairs; first += batch) {
    const std::int64_t pairs = std::min(batch, plan.pairs - first);
    const Ladders ladders =
        draw({plan.widths, static_cast<std::uint64_t>(2 * first), 2 * pairs, {}, "fluctuations"});
    for (std::size_t w = 0; w < plan.widths.size(); ++w) {
      const double scale = std::sqrt(static_cast<double>(plan.widths[w]) / 2);
      const MatrixXd& kernels = ladders.kernels[w];
      for (Index pair = 0; pair < pairs; ++pair) {
        const MatrixXd difference =
            scale * symmetric_matrix((kernels.row(2 * pair) - kernels.row(2 * pair + 1)).transpose());
        for (std::size_t k = 0; k < forms.size(); ++k) result[k] += forms[k].value(difference);
      }
    }
  }
  return result;
}

}  // namespace

LawCheckResult check_law(const analytic::FiniteWidthLaw& law, const DrawLadders& draw,
                         const LawCheckOptions& options) {
  LawCheckResult result;
  result.pairs = options.pairs;
  const auto give_up = [&](const std::string& reason) {
    result.reason = reason;
    return result;
  };
  if (!law.fluctuates()) return give_up("the kernel of every network is K");
  if (!law.heavy_tails.empty()) return give_up(law.heavy_tails);
  const double error = law.c.standard_error / law.c.value;
  if (error > largest_error)
    return give_up(fmt::format("the law's own standard error is {:.1f} %; give it more points", 100 * error));
  const std::vector<Form> all = forms(law);
  const double pairs = 2 * static_cast<double>(options.pairs);
  const double spread = relative_spread(all.front().law, pairs);
  const double needed = law.relative_c().value / 2 / (hidden * 2 * spread);
  std::int64_t width = options.narrowest_width;
  while (static_cast<double>(width) < needed && width <= options.largest_width) width *= 2;
  if (2 * width > options.largest_width) {
    return give_up(fmt::format("the first order in 1/n holds from width {:.0f} on, beyond the largest, {}",
                               needed, options.largest_width));
  }
  const double level = options.false_alarm / static_cast<double>(all.size());
  result.widths = {width, 2 * width};
  result.detectable =
      boost::math::quantile(complement(boost::math::normal(), level / 2)) * spread + allowed_errors * error;
  const std::vector<double> sums = sums_of(all, draw, result);
  double smallest = 1;
  for (std::size_t k = 0; k < all.size(); ++k) {
    const double measured = sums[k] / pairs;
    const double p = p_value(all[k].law, measured, pairs, all[k].error(allowed_errors * error));
    result.statistics.push_back({all[k].name, measured, all[k].law.mean(), p});
    smallest = std::min(smallest, p);
  }
  const bool wrong = smallest <= level;
  result.verdict = wrong ? Verdict::disagree : Verdict::agree;
  return result;
}

std::string law_verdict_text(const std::string& name, const LawCheckResult& result) {
  if (result.verdict == Verdict::inconclusive)
    return fmt::format("inconclusive {}: fluctuations: {}", name, result.reason);
  const auto worst = std::min_element(
      result.statistics.begin(), result.statistics.end(),
      [](const LawStatistic& one, const LawStatistic& other) { return one.p_value < other.p_value; });
  const std::string networks =
      fmt::format("{} pairs of networks of each of widths {}", result.pairs, fmt::join(result.widths, ", "));
  if (result.verdict == Verdict::agree) {
    return fmt::format(
        "agree     {}: fluctuates as the finite-width law says; measured/predicted {:.3f} in total; "
        "{:.0f} % would be seen; {}",
        name, result.statistics.front().measured / result.statistics.front().predicted,
        100 * result.detectable, networks);
  }
  return fmt::format(
      "disagree  {}: does not fluctuate as the finite-width law says: measured/predicted {:.3f} ({}, "
      "p = {:.1e} of {} statistics); {}",
      name, worst->measured / worst->predicted, worst->name, worst->p_value, result.statistics.size(),
      networks);
}

nlohmann::ordered_json to_json(const LawCheckResult& result) {
  nlohmann::ordered_json statistics = nlohmann::ordered_json::array();
  for (const LawStatistic& statistic : result.statistics) {
    statistics.push_back({{"name", statistic.name},
                          {"measured", statistic.measured},
                          {"predicted", statistic.predicted},
                          {"p_value", statistic.p_value}});
  }
  return {{"verdict", to_string(result.verdict)},
          {"reason", result.reason},
          {"widths", result.widths},
          {"pairs", result.pairs},
          {"detectable", result.detectable},
          {"statistics", std::move(statistics)}};
}

}  // namespace nngpcheck::compare
