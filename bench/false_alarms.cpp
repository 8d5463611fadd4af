// How often right kernels are refused, and how often reported intervals cover the truth, over many checks.
//
//   false_alarms [--checks 10000] [--only NAME] [--repeats R]        prints the tables of docs/statistics.md
//
// One round is made to spend all of α: rounds = 1, and a resolution that any certificate meets. With
// --repeats the right kernel has errors of its own, drawn anew for each check, and the standard error that R
// repeats of it show.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <map>
#include <numeric>
#include <random>
#include <tuple>
#include <vector>

#include "nngpcheck/analytic/limit.hpp"
#include "nngpcheck/compare/program_check.hpp"
#include "nngpcheck/config/experiment.hpp"

namespace nngpcheck {
namespace {

using compare::CheckOptions;
using compare::CheckResult;
using compare::Verdict;

const std::vector<double> levels = {1e-2, 1e-3};
constexpr double coverage = 0.95;
constexpr double miss = 0.05;     // of the certificate whose coverage is measured
constexpr double planted = 0.02;  // an error of one entry, relative to √(K_aa K_bb)

// "12 of 10000 (0.0012; 0.0006 … 0.0021)", with the Clopper–Pearson interval.
std::string share(std::int64_t count, std::int64_t of) {
  const auto k = static_cast<double>(count), n = static_cast<double>(of);
  const double half = (1 - coverage) / 2;
  const double low =
      count == 0 ? 0 : boost::math::quantile(boost::math::beta_distribution<>(k, n - k + 1), half);
  const double high = count == of ? 1
                                  : boost::math::quantile(boost::math::complement(
                                        boost::math::beta_distribution<>(k + 1, n - k), half));
  return fmt::format("{:.3g} ({:.2g}–{:.2g})", k / n, low, high);
}

// Draws each request once.
compare::DrawLadders remembered(const compare::DrawLadders& draw) {
  using Key = std::tuple<std::vector<std::int64_t>, std::uint64_t, std::int64_t>;
  return [draw, seen = std::map<Key, compare::Ladders>()](const compare::LadderRequest& request) mutable {
    const Key key(request.widths, request.first, request.count);
    const auto known = seen.find(key);
    return known != seen.end() ? known->second : seen[key] = draw(request);
  };
}

struct Counts {
  std::int64_t checks = 0;
  std::map<double, std::int64_t> disagree, inconclusive;
  std::int64_t entries = 0, covered = 0;  // by estimate ± t se
  std::int64_t rates = 0, rates_covered = 0;
  std::int64_t missed = 0;  // planted errors larger than the certificate's bound
};

CheckOptions options(double alpha) {
  CheckOptions result;
  result.widths = {32, 64, 128, 256, 512};
  result.resolution = 0.9;
  result.false_alarm = alpha;
  result.rounds = 1;
  result.largest_width = std::int64_t{1} << 17;
  return result;
}

void count_intervals(const CheckResult& result, const Eigen::MatrixXd& truth, Counts& counts) {
  const double t = boost::math::quantile(boost::math::students_t(63), (1 + coverage) / 2);
  for (Eigen::Index j = 0; j < truth.cols(); ++j) {
    for (Eigen::Index i = 0; i <= j; ++i) {
      const double se = result.estimate_standard_error(i, j);
      if (se < 1e-12) continue;
      ++counts.entries;
      counts.covered += std::abs(result.estimate(i, j) - truth(i, j)) <= t * se;
    }
  }
  if (result.rate) {
    ++counts.rates;
    counts.rates_covered += result.rate->interval.lower <= -1 && -1 <= result.rate->interval.upper;
  }
}

/// The mean of R kernels with independent errors of 4 % of √(K_aa K_bb), some times the networks' own, and
/// its standard error.
kernels::Kernel repeated(const kernels::Kernel& truth, std::int64_t repeats, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  const Eigen::Index size = truth.value.rows();
  kernels::Kernel result = truth;
  result.repeats = repeats;
  result.standard_error.setZero(size, size);
  const auto n = static_cast<double>(repeats);
  for (Eigen::Index j = 0; j < size; ++j) {
    for (Eigen::Index i = 0; i <= j; ++i) {
      Eigen::VectorXd errors(repeats);
      for (double& error : errors)
        error = 0.04 * std::sqrt(truth.value(i, i) * truth.value(j, j)) * normal(random);
      const double mean = errors.mean();
      result.value(i, j) = result.value(j, i) = truth.value(i, j) + mean;
      result.standard_error(i, j) = result.standard_error(j, i) =
          std::sqrt((errors.array() - mean).square().sum() / (n * (n - 1)));
    }
  }
  return result;
}

Counts measure(const config::Experiment& experiment, std::int64_t checks, std::int64_t repeats) {
  const kernels::Kernel kernel = analytic::limit(experiment.program);
  // One thread: networks this small are done before a second one has started.
  const auto sampler =
      std::make_shared<const empirical::Sampler>(experiment.program, empirical::SamplerOptions{.threads = 1});
  kernels::Kernel wrong = kernel;
  const Eigen::Index last = kernel.value.rows() - 1;
  wrong.value(0, last) += planted * std::sqrt(kernel.value(0, 0) * kernel.value(last, last));
  wrong.value(last, 0) = wrong.value(0, last);
  std::vector<Eigen::Index> all(static_cast<std::size_t>(kernel.value.rows()));
  std::iota(all.begin(), all.end(), 0);
  const compare::Foresee foresee = [foresight = compare::foresight(sampler, all, options(levels.front()))](
                                       const std::vector<Eigen::Index>&) { return foresight; };
  Counts counts;
  for (; counts.checks < checks; ++counts.checks) {
    const auto seed = static_cast<std::uint64_t>(counts.checks);
    const compare::DrawLadders draw = remembered(compare::ladders_of(sampler, seed));
    for (const double alpha : levels) {
      CheckOptions asked = options(alpha);
      asked.seed = seed;
      asked.foresee = foresee;
      const kernels::Kernel given = repeats > 0 ? repeated(kernel, repeats, seed) : kernel;
      const CheckResult result = compare::check(given, draw, asked);
      counts.disagree[alpha] += result.verdict == Verdict::disagree;
      counts.inconclusive[alpha] += result.verdict == Verdict::inconclusive;
      if (alpha == levels.front() && result.verdict == Verdict::agree)
        count_intervals(result, kernel.value, counts);
    }
    if (repeats > 0) continue;
    CheckOptions asked = options(1e-6);
    asked.seed = seed;
    asked.foresee = foresee;
    asked.miss = miss;
    const CheckResult result = compare::check(wrong, draw, asked);
    counts.missed += result.verdict == Verdict::agree && result.bound < planted;
  }
  return counts;
}

void print(const std::string& name, const Counts& c) {
  fmt::print("| {} | {} | {} | {} | {:.2g} | {} | {} | {} |\n", name, c.checks,
             share(c.disagree.at(1e-2), c.checks), share(c.disagree.at(1e-3), c.checks),
             static_cast<double>(c.inconclusive.at(1e-2)) / static_cast<double>(c.checks),
             c.entries == 0
                 ? "–"
                 : fmt::format("{:.3f}", static_cast<double>(c.covered) / static_cast<double>(c.entries)),
             c.rates == 0
                 ? "–"
                 : fmt::format("{:.3f}", static_cast<double>(c.rates_covered) / static_cast<double>(c.rates)),
             share(c.missed, c.checks));
  std::fflush(stdout);
}

}  // namespace
}  // namespace nngpcheck

int main(int argc, char** argv) {
  CLI::App app;
  std::int64_t checks = 10000, repeats = 0;
  std::string only;
  app.add_option("--checks", checks, "checks of each architecture");
  app.add_option("--only", only, "one architecture");
  app.add_option("--repeats", repeats, "behind a standard error of the kernel; 0: it has none");
  CLI11_PARSE(app, argc, argv);
  fmt::print(
      "| kernel | checks | false alarms, α = 1e-2 | α = 1e-3 | inconclusive | 95 % intervals of entries | "
      "of the rate | missed at β = 0.05 |\n|---|---|---|---|---|---|---|---|\n");
  for (const auto& experiment : nngpcheck::config::read_experiments(NNGPCHECK_ARCHITECTURES)) {
    if (only.empty() || experiment.name == only)
      nngpcheck::print(experiment.name, nngpcheck::measure(experiment, checks, repeats));
  }
}
