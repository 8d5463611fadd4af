// What checks of kernels say, over many of them.
//
//   verdicts tolerance [--seeds 20]       kernels off by 0 … 2 t, two budgets of time
//   verdicts forecast                     what the law and the pilot foretold, beside what it took
//   verdicts diagnoses [--seeds 20]       the catalogue's mistakes, and others: is the name right?
//
// prints the tables of docs/statistics.md and docs/performance.md.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <random>

#include "nngpcheck/analytic/limit.hpp"
#include "nngpcheck/compare/power/known_mistakes.hpp"
#include "nngpcheck/compare/program_check.hpp"
#include "nngpcheck/config/experiment.hpp"

namespace nngpcheck {
namespace {

using compare::CheckResult;
using compare::ProgramCheckOptions;
using compare::Verdict;
using config::Experiment;
using Eigen::Index;
using Eigen::MatrixXd;
using kernels::Kernel;

/// √(K_aa K_bb).
MatrixXd scale(const MatrixXd& kernel) {
  const Eigen::VectorXd deviation = kernel.diagonal().cwiseSqrt();
  return deviation * deviation.transpose();
}

ProgramCheckOptions options(const Experiment& experiment, std::uint64_t seed) {
  ProgramCheckOptions result;
  result.seed = result.check.seed = seed;
  if (experiment.check.resolution) result.check.resolution = *experiment.check.resolution;
  result.check.tolerance = experiment.check.tolerance;
  return result;
}

// ---- Within a tolerance ----

void tolerance(const std::vector<Experiment>& experiments, int seeds) {
  constexpr double t = 0.05;
  constexpr double budgets[] = {1, 10};  // seconds
  const std::pair<double, bool> errors[] = {{0, false},   {0.4, false}, {0.6, false}, {0.9, false},
                                            {1.1, false}, {2, false},   {0.4, true},  {1.5, true}};
  fmt::print(
      "| kernel | off by | entries | time | agree | disagree | inconclusive "
      "|\n|---|---|---|---|---|---|---|\n");
  for (const Experiment& experiment : experiments) {
    const Kernel right = analytic::limit(experiment.program);
    for (const auto& [error, everywhere] : errors) {
      // The tolerance is relative to the given kernel: its diagonal stays as it is.
      Kernel given = right;
      const MatrixXd change = error * t * scale(right.value);
      for (Index j = 0; j < change.cols(); ++j) {
        for (Index i = 0; i < change.rows(); ++i) {
          if (i != j && (everywhere || i + j == 1)) given.value(i, j) += change(i, j);
        }
      }
      for (const double time : budgets) {
        int counts[3] = {};
        for (int s = 0; s < seeds; ++s) {
          ProgramCheckOptions how = options(experiment, static_cast<std::uint64_t>(s));
          how.check.tolerance = t;
          how.check.time = time;
          ++counts[static_cast<int>(check(experiment.program, given, how).verdict)];
        }
        fmt::print("| {} | {} t | {} | {:.0f} s | {} | {} | {} |\n", experiment.name, error,
                   everywhere ? "all off the diagonal" : "one", time, counts[0], counts[1], counts[2]);
        std::fflush(stdout);
      }
    }
  }
}

// ---- Forecasts ----

void forecast(const std::vector<Experiment>& experiments) {
  fmt::print(
      "| experiment | verdict | foreseen, s | forecast, s | took, s | foreseen/took | forecast/took "
      "|\n|---|---|---|---|---|---|---|\n");
  const auto seconds = [](const std::optional<compare::Forecast>& of) { return of ? of->seconds : 0; };
  for (const Experiment& experiment : experiments) {
    const Kernel right = analytic::limit(experiment.program);
    const CheckResult result = check(experiment.program, right, options(experiment, 1));
    const double foreseen = seconds(result.foreseen), forecast = seconds(result.forecast);
    fmt::print("| {} | {} | {:.2g} | {:.2g} | {:.2g} | {:.2f} | {:.2f} |\n", experiment.name,
               result.verdict == Verdict::agree ? "agree" : result.reason, foreseen, forecast,
               *result.seconds, foreseen / *result.seconds, forecast / *result.seconds);
    std::fflush(stdout);
  }
}

// ---- Diagnoses ----

/// Kernels that are wrong in ways that nobody listed.
std::vector<compare::Mutant> strangers(const Kernel& right) {
  const MatrixXd scales = scale(right.value);
  const auto with = [&](const char* name, MatrixXd value) {
    Kernel kernel = right;
    kernel.value = std::move(value);
    return compare::Mutant{name, "", std::move(kernel)};
  };
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  MatrixXd noise = MatrixXd::NullaryExpr(scales.rows(), scales.cols(), [&] { return normal(random); });
  noise = (0.05 * (noise + noise.transpose())).cwiseProduct(scales).eval();
  const Eigen::ArrayXXd correlation = right.value.cwiseQuotient(scales).array();
  const MatrixXd& k = right.value;
  MatrixXd jitter = k;
  jitter.diagonal() *= 1.1;
  return {with("every entry off by 5 % at random", k + noise),
          with("correlations cubed", (correlation.cube() * scales.array()).matrix()),
          with("correlations through arcsin", (correlation.min(1.0).asin() * scales.array()).matrix()),
          with("a tenth more on the diagonal", jitter),
          with("scale and constant", 1.1 * k + MatrixXd::Constant(k.rows(), k.cols(), 0.2 * scales.mean())),
          with("mixed with its square", 0.9 * k + 0.1 * (k * k) / (k * k).trace() * k.trace())};
}

/// Whether what was said is true of the exact kernels: a tenth of the largest error is left, at most.
bool holds(const compare::Diagnosis& said, const MatrixXd& given, const MatrixXd& right) {
  constexpr double left = 0.1;
  const MatrixXd scales = scale(given);
  const auto largest = [&](const MatrixXd& error) {
    return error.cwiseQuotient(scales).cwiseAbs().maxCoeff();
  };
  const double all = largest(given - right);
  using Kind = compare::DiagnosisKind;
  switch (said.kind) {
    case Kind::factor:
      return largest(given - said.value * right) <= left * all;
    case Kind::constant:
      return largest((given - right).array() - said.value) <= left * all;
    case Kind::correlation:
      return largest(given - right.cwiseQuotient(scale(right))) <= left * all;
    case Kind::swap: {
      Eigen::PermutationMatrix<Eigen::Dynamic> order(given.rows());
      order.setIdentity();
      const std::size_t half = said.inputs.size() / 2;
      for (std::size_t k = 0; k < half; ++k)
        std::swap(order.indices()[said.inputs[k]], order.indices()[said.inputs[k + half]]);
      return largest(given - order * right * order.transpose()) <= left * all;
    }
    case Kind::off_diagonal: {
      const MatrixXd error = (given - right).cwiseQuotient(scales).cwiseAbs();
      return error.diagonal().maxCoeff() <= left * all;
    }
    case Kind::row:
    case Kind::group: {
      MatrixXd rest = given - right;
      for (const Index input : said.inputs) rest.row(input).setZero(), rest.col(input).setZero();
      return largest(rest) <= left * all;
    }
  }
  return false;
}

struct Named {
  int disagree = 0, right = 0, wrong = 0, none = 0;
  std::string said = {};
};

Named named(const Experiment& experiment, const compare::Mutant& mutant, const Kernel& right,
            const compare::Catalogue& catalogue, int seeds) {
  Named result;
  const std::vector<std::string> mistakes = compare::known_mistakes(mutant.kernel, right, catalogue);
  const std::string own = mutant.name + " (" + mutant.change + ")";
  const bool found = std::find(mistakes.begin(), mistakes.end(), own) != mistakes.end();
  for (int s = 0; s < seeds; ++s) {
    const CheckResult check =
        compare::check(experiment.program, mutant.kernel, options(experiment, static_cast<std::uint64_t>(s)));
    if (check.verdict != Verdict::disagree) continue;
    ++result.disagree;
    const bool structure = check.diagnosis.has_value();
    const bool true_structure = structure && holds(*check.diagnosis, mutant.kernel.value, right.value);
    if ((structure && !true_structure) || (!mistakes.empty() && !found)) {
      ++result.wrong;
      result.said = structure ? check.diagnosis->text : mistakes.front();
    } else if (structure || found) {
      ++result.right;
    } else {
      ++result.none;
    }
  }
  return result;
}

double upper(int count, int of) {  // Clopper and Pearson's 95 % bound
  return boost::math::binomial_distribution<>::find_upper_bound_on_p(of, count, 0.05);
}

void diagnoses(const std::vector<Experiment>& experiments, int seeds) {
  fmt::print(
      "| kernel | what is wrong | disagree | named right | wrong | no name |\n|---|---|---|---|---|---|\n");
  Named catalogued, all;
  for (const Experiment& experiment : experiments) {
    const Kernel right = analytic::limit(experiment.program);
    const compare::Catalogue catalogue = compare::mutants(experiment.network, experiment.inputs, right);
    std::vector<compare::Mutant> wrong = catalogue.mutants;
    const std::size_t known = wrong.size();
    for (compare::Mutant& stranger : strangers(right)) wrong.push_back(std::move(stranger));
    for (std::size_t k = 0; k < wrong.size(); ++k) {
      const Named one = named(experiment, wrong[k], right, catalogue, seeds);
      fmt::print("| {} | {}{} | {} | {} | {}{} | {} |\n", experiment.name, wrong[k].name,
                 k < known ? "" : " (not in the catalogue)", one.disagree, one.right, one.wrong,
                 one.said.empty() ? "" : " (" + one.said + ")", one.none);
      std::fflush(stdout);
      const auto add = [&](Named& sum) {
        sum.disagree += one.disagree, sum.right += one.right, sum.wrong += one.wrong, sum.none += one.none;
      };
      add(all);
      if (k < known) add(catalogued);
    }
  }
  fmt::print(
      "\nOf {} disagreements with kernels of the catalogue {} are named right (at least {:.1f} %, 95 %), "
      "{} wrong.\nOf all {}, {} are named wrong (at most {:.2g} %, 95 %).\n",
      catalogued.disagree, catalogued.right,
      100 * (1 - upper(catalogued.disagree - catalogued.right, catalogued.disagree)), catalogued.wrong,
      all.disagree, all.wrong, 100 * upper(all.wrong, all.disagree));
}

}  // namespace
}  // namespace nngpcheck

int main(int argc, char** argv) {
  using namespace nngpcheck;
  CLI::App app;
  int seeds = 20;
  std::string only;
  app.add_option("--seeds", seeds, "checks of each kernel");
  app.add_option("--only", only, "one architecture");
  app.require_subcommand(1);
  const CLI::App* of_tolerance = app.add_subcommand("tolerance")->fallthrough();
  const CLI::App* of_forecast = app.add_subcommand("forecast")->fallthrough();
  app.add_subcommand("diagnoses")->fallthrough();
  CLI11_PARSE(app, argc, argv);
  const std::string folder = NNGPCHECK_BENCH;
  const auto read = [&](const char* file) {
    auto all = config::read_experiments(folder + "/" + file);
    if (!only.empty()) std::erase_if(all, [&](const auto& one) { return one.name != only; });
    return all;
  };
  if (*of_tolerance) {
    tolerance(read("tolerances.toml"), seeds);
  } else if (*of_forecast) {
    forecast(read("forecasts.toml"));
  } else {
    diagnoses(read("diagnoses.toml"), seeds);
  }
}
