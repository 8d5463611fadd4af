#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "cli/chosen.hpp"
#include "cli/commands.hpp"
#include "cli/limit_of.hpp"
#include "cli/mutants_of.hpp"
#include "cli/networks.hpp"
#include "cli/reordering.hpp"
#include "cli/show_result.hpp"
#include "cli/usage_error.hpp"
#include "cli/watch.hpp"
#include "nngpcheck/compare/error.hpp"
#include "nngpcheck/compare/power/known_mistakes.hpp"
#include "nngpcheck/compare/program_check.hpp"
#include "nngpcheck/compare/report/junit.hpp"
#include "nngpcheck/compare/verdict/evidence.hpp"
#include "nngpcheck/compare/verdict/law_check.hpp"
#include "nngpcheck/files/atomic_file.hpp"
#include "nngpcheck/kernels/read_kernel.hpp"

namespace nngpcheck::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds time_for_mistakes{20};
constexpr double law_error = 0.005;  // of C: little beside what a thousand pairs show

struct Subject {
  fs::path file;
  config::Experiment experiment;
};

/// Until version 0.1 the key had another meaning.
void tell_tolerance(const std::vector<config::Experiment>& experiments, const fs::path& file) {
  const bool alone =
      std::any_of(experiments.begin(), experiments.end(), [](const config::Experiment& experiment) {
        return experiment.check.tolerance && !experiment.check.resolution;
      });
  if (!alone) return;
  tell(file.string() +
       ": check.tolerance is a tolerance, half of which is never called wrong; what it was until version "
       "0.1, the error "
       "that \"agree\" rules out, is check.resolution");
}

std::vector<Subject> subjects(const CheckOptions& options) {
  std::vector<Subject> result;
  for (const fs::path& file : options.files) {
    std::vector<config::Experiment> experiments =
        chosen(config::read_experiments(file, options.overrides), options.experiment, file);
    tell_doubts(experiments);
    tell_tolerance(experiments, file);
    for (config::Experiment& experiment : experiments) {
      result.push_back({file, std::move(experiment)});
    }
  }
  if (options.kernel && result.size() > 1) {
    throw UsageError("--kernel belongs to one experiment; choose it by --experiment NAME");
  }
  if (options.kernel_stderr && !options.kernel)
    throw UsageError("--kernel-stderr belongs to --kernel; give both");
  return result;
}

compare::ProgramCheckOptions settings(const config::Check& check, const CheckOptions& options) {
  compare::ProgramCheckOptions result =
      check_settings(check, options.sampler, options.threads, options.memory);
  result.check.resolution = options.resolution.value_or(result.check.resolution);
  if (options.tolerance) result.check.tolerance = options.tolerance;
  if (options.resolution && !options.tolerance) result.check.tolerance.reset();
  result.check.time = options.time.value_or(result.check.time);
  if (options.inputs) result.check.inputs = options.inputs;
  result.check.false_alarm = options.false_alarm.value_or(result.check.false_alarm);
  return result;
}

/// The sequence of each output, where outputs are tokens.
std::vector<Eigen::Index> groups_of(const config::Experiment& experiment) {
  std::vector<Eigen::Index> result;
  if (experiment.program.outputs() != experiment.inputs.count()) return result;
  for (std::size_t k = 0; k < experiment.inputs.lengths.size(); ++k)
    result.insert(result.end(), static_cast<std::size_t>(experiment.inputs.lengths[k]),
                  static_cast<Eigen::Index>(k));
  return result;
}

kernels::Kernel kernel_of(const Subject& subject, const CheckOptions& options, const Progress& progress) {
  const config::Experiment& experiment = subject.experiment;
  return options.kernel ? kernels::read_kernel(*options.kernel, options.kernel_stderr,
                                               experiment.program.output().labels)
                        : limit_of(experiment, subject.file, progress, options.threads);
}

compare::CheckResult check(const Subject& subject, const kernels::Kernel& kernel, const CheckOptions& options,
                           const Progress& progress) {
  compare::ProgramCheckOptions how = settings(subject.experiment.check, options);
  how.check.progress = progress.named(subject.experiment.name);
  how.check.groups = groups_of(subject.experiment);
  try {
    return compare::check(subject.experiment.program, kernel, how);
  } catch (const compare::CompareError& error) {
    throw compare::CompareError((options.kernel ? *options.kernel : subject.file).string() + ": " +
                                subject.experiment.name + ": " + error.what());
  }
}

/// Which known mistakes make a kernel that disagrees, found within some time; and says so if it is the
/// analytic one in another order.
std::vector<std::string> mistakes_of(const Subject& subject, const kernels::Kernel& given,
                                     const CheckOptions& options, const Progress& progress) {
  const config::Experiment& experiment = subject.experiment;
  const auto deadline = std::chrono::steady_clock::now() + time_for_mistakes;
  const Progress limited(
      {}, [&] { return progress.stop_requested() || std::chrono::steady_clock::now() > deadline; });
  try {
    const analytic::Limit right = limit_of(experiment, subject.file, limited, options.threads);
    if (const auto order = reordering(given.value, right.value)) {
      tell(fmt::format(
          "{}: with its rows and columns in the order {} it is the analytic kernel; give it in the order of "
          "the inputs",
          options.kernel->string(), fmt::join(*order, ", ")));
    }
    analytic::LimitOptions limits;
    limits.threads = options.threads;
    limits.progress = limited;
    return compare::known_mistakes(given, right, mutants_of(experiment, right, limits));
  } catch (const analytic::LimitError&) {
    return {};  // there is none to compare with
  } catch (const Stopped&) {
    progress.check();
    return {};  // it takes too long
  }
}

std::string evidence(const std::vector<compare::NamedResult>& results) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const compare::NamedResult& named : results) {
    nlohmann::ordered_json one = {{"file", named.file}, {"name", named.name}};
    one.update(to_json(named.result));
    all.push_back(std::move(one));
  }
  return all.dump(1) + "\n";
}

compare::LawCheckResult check_law(const Subject& subject, const CheckOptions& options,
                                  const Progress& progress) {
  const config::Experiment& experiment = subject.experiment;
  compare::LawCheckOptions how;
  how.false_alarm = options.false_alarm.value_or(how.false_alarm);
  how.pairs = options.pairs.value_or(how.pairs);
  const compare::ProgramCheckOptions networks =
      check_settings(experiment.check, options.sampler, options.threads, options.memory);
  const auto sampler = std::make_shared<const empirical::Sampler>(experiment.program, networks.sampler);
  const compare::CheckOptions widths = compare::fitted_to(*sampler, networks.check);
  how.narrowest_width = widths.widths.front();
  how.largest_width = std::min(how.largest_width, widths.largest_width.value_or(widths.widths.back()));
  const analytic::FiniteWidthLaw law = law_of(
      experiment, subject.file, progress, {.error = law_error, .bias = false, .threads = options.threads});
  return compare::check_law(law, compare::ladders_of(sampler, networks.seed, progress.named(experiment.name)),
                            how);
}

/// The fluctuations of each, instead of its kernel.
int check_laws(const std::vector<Subject>& given, const CheckOptions& options) {
  std::optional<files::AtomicFile> json;
  if (options.json) json.emplace(*options.json);
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  bool disagree = false, inconclusive = false;
  Watch watch(!options.quiet);
  for (const Subject& subject : given) {
    const compare::LawCheckResult result = check_law(subject, options, watch.progress());
    watch.clear();
    fmt::print("{}\n", compare::law_verdict_text(subject.experiment.name, result));
    std::fflush(stdout);
    nlohmann::ordered_json one = {{"file", subject.file.string()}, {"name", subject.experiment.name}};
    one.update(to_json(result));
    all.push_back(std::move(one));
    disagree = disagree || result.verdict == compare::Verdict::disagree;
    inconclusive = inconclusive || result.verdict == compare::Verdict::inconclusive;
  }
  if (json) json->commit(all.dump(1) + "\n");
  return disagree ? 1 : inconclusive ? 2 : 0;
}

}  // namespace

int check(const CheckOptions& options) {
  const std::vector<Subject> given = subjects(options);
  if (options.law) return check_laws(given, options);
  std::optional<files::AtomicFile> junit, json;
  if (options.junit) junit.emplace(*options.junit);
  if (options.json) json.emplace(*options.json);
  std::vector<compare::NamedResult> results;
  Watch watch(!options.quiet);
  for (const Subject& subject : given) {
    const kernels::Kernel kernel = kernel_of(subject, options, watch.progress());
    results.push_back(
        {subject.file.string(), subject.experiment.name, check(subject, kernel, options, watch.progress())});
    compare::CheckResult& result = results.back().result;
    if (options.kernel && result.verdict == compare::Verdict::disagree)
      result.mistakes = mistakes_of(subject, kernel, options, watch.progress());
    watch.clear();
    fmt::print("{}\n", compare::verdict_text(results.back().name, result));
    std::fflush(stdout);
  }
  if (junit) junit->commit(compare::junit(results));
  if (json) json->commit(evidence(results));
  const auto any = [&](compare::Verdict verdict) {
    return std::any_of(results.begin(), results.end(),
                       [&](const compare::NamedResult& named) { return named.result.verdict == verdict; });
  };
  return any(compare::Verdict::disagree) ? 1 : any(compare::Verdict::inconclusive) ? 2 : 0;
}

}  // namespace nngpcheck::cli
