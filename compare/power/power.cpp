#include "nngpcheck/compare/power/power.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/math/distributions/beta.hpp>
#include <chrono>
#include <map>
#include <utility>

#include "nngpcheck/analytic/seed.hpp"
#include "nngpcheck/compare/error.hpp"
#include "nngpcheck/support/memory.hpp"
#include "nngpcheck/support/parallel.hpp"

namespace nngpcheck::compare {

namespace {

using nlohmann::ordered_json;

/// Draws every network once, and remembers it.
class Memory {
 public:
  explicit Memory(DrawLadders draw) : draw_(std::move(draw)) {}

  Ladders operator()(const LadderRequest& request) {
    Ladders result{request.widths, {}};
    for (const std::int64_t width : request.widths) {
      complete(width, request);
      const auto& rows = networks_[width];
      Eigen::MatrixXd kernels(request.count, rows.begin()->second.size());
      auto row = rows.find(request.first);
      for (Eigen::Index k = 0; k < request.count; ++k) kernels.row(k) = (row++)->second;
      result.kernels.push_back(std::move(kernels));
    }
    return result;
  }

 private:
  /// Draws the runs of networks that are missing at this width.
  void complete(std::int64_t width, const LadderRequest& request) {
    auto& rows = networks_[width];
    const std::uint64_t end = request.first + static_cast<std::uint64_t>(request.count);
    for (std::uint64_t first = request.first; first < end;) {
      if (rows.contains(first)) {
        ++first;
        continue;
      }
      std::uint64_t next = first;
      while (next < end && !rows.contains(next)) ++next;
      const Ladders drawn = draw_({{width}, first, static_cast<std::int64_t>(next - first)});
      for (Eigen::Index k = 0; k < drawn.count(); ++k) {
        rows.emplace(first + static_cast<std::uint64_t>(k), drawn.kernels.front().row(k));
      }
      first = next;
    }
  }

  DrawLadders draw_;
  std::map<std::int64_t, std::map<std::uint64_t, Eigen::RowVectorXd>> networks_;
};

/// What is kept of a check.
struct Outcome {
  Verdict verdict = Verdict::inconclusive;
  double ladders = 0;
  double p = 0;
  std::string reason;
};

Outcome outcome(const CheckResult& result) {
  const CheckRound& last = result.rounds.back();
  const bool confirmed = last.confirmed_p_entry.has_value();
  return {result.verdict,
          static_cast<double>(last.first_network) + static_cast<double>(last.ladders) * (confirmed ? 2 : 1),
          result.p_value.value_or(0), result.reason};
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

MutantPower summarize(const Mutant& mutant, double distance, const std::vector<Outcome>& outcomes) {
  MutantPower result{mutant.name, mutant.change, distance};
  std::vector<double> ladders;
  for (const Outcome& one : outcomes) {
    ladders.push_back(one.ladders);
    result.disagree += one.verdict == Verdict::disagree;
    result.agree += one.verdict == Verdict::agree;
    if (one.verdict == Verdict::inconclusive && result.inconclusive++ == 0) result.reason = one.reason;
    if (one.verdict == Verdict::disagree) result.largest_p = std::max(result.largest_p, one.p);
  }
  result.median_ladders = median(std::move(ladders));
  return result;
}

}  // namespace

bool PowerResult::all_caught() const {
  return std::all_of(mutants.begin(), mutants.end(), [&](const MutantPower& mutant) {
    return !must_be_caught(mutant) || mutant.disagree == repetitions;
  });
}

empirical::SamplerOptions share_of_one(empirical::SamplerOptions sampler, int checks) {
  sampler.threads = 1;
  if (sampler.memory_budget == 0)
    sampler.memory_budget = static_cast<std::size_t>(support::available_memory() / 2);
  sampler.memory_budget /= static_cast<std::size_t>(checks);
  return sampler;
}

PowerResult power(const netsor::Program& program, const kernels::Kernel& right, const Catalogue& catalogue,
                  const PowerOptions& options) {
  if (options.repetitions < 1) {
    throw CompareError(
        fmt::format("repetitions = {}: give at least 1 check of each kernel", options.repetitions));
  }
  const auto start = std::chrono::steady_clock::now();
  const std::size_t threads = support::threads_asked(options.threads);
  const auto sampler = std::make_shared<const empirical::Sampler>(
      program, share_of_one(options.check.sampler, static_cast<int>(threads)));
  CheckOptions fitted = fitted_to(*sampler, options.check.check);
  fitted.inputs =
      std::max<Eigen::Index>(program.outputs(), 2);  // all, so that all kernels share their networks
  const bool all = options.of == PowerOf::all;
  const Progress& progress = options.check.check.progress;
  std::vector<Mutant> kernels;
  if (all) kernels.push_back({"nothing", "the right kernel", right});
  for (const Mutant& mutant : catalogue.mutants) {
    if (all || distance(mutant.kernel, right) >= fitted.resolution) kernels.push_back(mutant);
  }
  std::vector<std::vector<Outcome>> outcomes(
      kernels.size(), std::vector<Outcome>(static_cast<std::size_t>(options.repetitions)));
  std::atomic<std::int64_t> checks = 0;
  const auto all_checks = options.repetitions * std::ssize(kernels);
  support::in_parallel(static_cast<std::size_t>(options.repetitions), threads, [&](std::size_t repetition) {
    const std::uint64_t seed = analytic::seed_of_part(options.check.seed, repetition);
    Memory memory(ladders_of(sampler, seed, progress.silent()));
    CheckOptions check_options = fitted;
    check_options.seed = analytic::seed_of_part(fitted.seed, repetition);
    check_options.progress = progress.silent();
    for (std::size_t k = 0; k < kernels.size(); ++k) {
      outcomes[k][repetition] = outcome(check(kernels[k].kernel, std::ref(memory), check_options));
      ++checks;
      progress.check();
      progress.report(static_cast<double>(checks) / static_cast<double>(all_checks),
                      [&] { return fmt::format("{} of {} checks", checks.load(), all_checks); });
    }
  });
  PowerResult result;
  result.repetitions = options.repetitions;
  result.resolution = fitted.resolution;
  for (std::size_t k = 0; k < kernels.size(); ++k) {
    result.mutants.push_back(summarize(kernels[k], distance(kernels[k].kernel, right), outcomes[k]));
  }
  if (all) {
    result.right = result.mutants.front();
    result.mutants.erase(result.mutants.begin());
  }
  result.left_out = catalogue.left_out;
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

double miss_bound(std::int64_t missed, std::int64_t trials) {
  if (missed == trials) return 1;
  const boost::math::beta_distribution<> posterior(static_cast<double>(missed + 1),
                                                   static_cast<double>(trials - missed));
  return quantile(posterior, confidence);
}

namespace {

std::string row(const MutantPower& mutant) {
  const std::string p = mutant.disagree == 0      ? "–"
                        : mutant.largest_p < 1e-9 ? "< 1e-9"
                                                  : fmt::format("{:.1e}", mutant.largest_p);
  const double percent = 100 * mutant.distance;
  const std::string distance = percent < 10 ? fmt::format("{:.2g}", percent) : fmt::format("{:.0f}", percent);
  return fmt::format("| {} | {} | {} % | {} | {} | {} | {:g} | {} |\n", mutant.name, mutant.change, distance,
                     mutant.disagree, mutant.inconclusive, mutant.agree, mutant.median_ladders, p);
}

const std::string header =
    "| what is wrong | where | distance | disagree | inconclusive | agree | ladders (median) | p (largest) "
    "|\n"
    "|---|---|---|---|---|---|---|---|\n";

}  // namespace

std::string power_text(const std::string& name, const PowerResult& result) {
  std::string wrong, close, notes;
  std::int64_t mutants = 0, caught = 0;
  for (const MutantPower& mutant : result.mutants) {
    const bool must = result.must_be_caught(mutant);
    (must ? wrong : close) += row(mutant);
    mutants += must;
    caught += must ? mutant.disagree : 0;
    if (must && mutant.inconclusive > 0) notes += fmt::format("- {}: {}\n", mutant.name, mutant.reason);
  }
  std::string text = fmt::format(
      "## {}\n\nδ = {:g} %, {} checks of each kernel; wrong by δ or more: {} of {} checks caught.\n\n", name,
      100 * result.resolution, result.repetitions, caught, mutants * result.repetitions);
  text += header + wrong;
  if (!notes.empty()) text += "\nInconclusive:\n\n" + notes;
  if (result.right) {
    text += "\nBelow the resolution, where `agree` is no error:\n\n" + header + row(*result.right) + close;
  }
  if (!result.left_out.empty()) text += "\nLeft out:\n\n";
  for (const LeftOut& one : result.left_out) text += fmt::format("- {}: {}\n", one.name, one.reason);
  return text;
}

namespace {

ordered_json to_json(const MutantPower& mutant, bool must_be_caught) {
  return {{"name", mutant.name},
          {"change", mutant.change},
          {"distance", mutant.distance},
          {"must_be_caught", must_be_caught},
          {"disagree", mutant.disagree},
          {"inconclusive", mutant.inconclusive},
          {"agree", mutant.agree},
          {"median_ladders", mutant.median_ladders},
          {"largest_p", mutant.disagree > 0 ? ordered_json(mutant.largest_p) : ordered_json()},
          {"reason", mutant.reason}};
}

}  // namespace

ordered_json to_json(const std::string& name, const PowerResult& result) {
  ordered_json mutants = ordered_json::array(), left_out = ordered_json::array();
  for (const MutantPower& mutant : result.mutants) {
    mutants.push_back(to_json(mutant, result.must_be_caught(mutant)));
  }
  for (const LeftOut& one : result.left_out) left_out.push_back({{"name", one.name}, {"reason", one.reason}});
  return {{"name", name},
          {"resolution", result.resolution},
          {"repetitions", result.repetitions},
          {"all_caught", result.all_caught()},
          {"right", result.right ? to_json(*result.right, false) : ordered_json()},
          {"mutants", std::move(mutants)},
          {"left_out", std::move(left_out)},
          {"seconds", result.seconds}};
}

}  // namespace nngpcheck::compare
