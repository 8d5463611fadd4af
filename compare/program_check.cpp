#include "nngpcheck/compare/program_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>
#include <vector>

#include "nngpcheck/analytic/law.hpp"
#include "nngpcheck/netsor/passes/restrict.hpp"

namespace nngpcheck::compare {

namespace {

/// The widest networks that a check draws by itself.
constexpr std::int64_t widest = std::int64_t{1} << 20;

std::string progress_text(const LadderRequest& request, std::int64_t width, std::int64_t networks) {
  return fmt::format("{}: width {}, {} of {} networks", request.purpose, width, networks, request.count);
}

/// Of a check's time, what the law may take; and what does for a plan, C to some per cent.
constexpr double law_share = 0.1;
constexpr int law_randomizations = 2;
constexpr std::int64_t law_points = 256;

std::shared_ptr<const empirical::Sampler> restricted(const std::shared_ptr<const empirical::Sampler>& all,
                                                     const std::vector<Eigen::Index>& inputs) {
  if (std::ssize(inputs) == all->program().outputs()) return all;
  return std::make_shared<const empirical::Sampler>(netsor::restrict_outputs(all->program(), inputs),
                                                    all->options());
}

/// The networks of a program, and of the last restriction of it to some inputs.
class Networks {
 public:
  explicit Networks(std::shared_ptr<const empirical::Sampler> all) : all_(std::move(all)) {}

  const empirical::Sampler& between(const std::vector<Eigen::Index>& inputs) {
    if (inputs.empty()) return *all_;
    if (inputs != inputs_) {
      some_ = restricted(all_, inputs);
      inputs_ = inputs;
    }
    return *some_;
  }

 private:
  std::shared_ptr<const empirical::Sampler> all_, some_;
  std::vector<Eigen::Index> inputs_;
};

}  // namespace

CheckOptions fitted_to(const empirical::Sampler& sampler, CheckOptions options) {
  const std::int64_t unit = netsor::width_unit(sampler.program());
  const bool accepted = std::all_of(options.widths.begin(), options.widths.end(),
                                    [&](std::int64_t width) { return width % unit == 0; });
  if (!accepted) {
    for (std::int64_t& width : options.widths) width *= unit;
  }
  options.precision =
      sampler.options().precision == empirical::Precision::float64 ? Precision::float64 : Precision::float32;
  // With matrices, more ladders are cheaper than twice the width.
  if (!options.largest_width && sampler.options().products != empirical::Products::dense)
    options.largest_width = sampler.largest_width(std::max(widest, options.widths.back()));
  return options;
}

DrawLadders ladders_of(std::shared_ptr<const empirical::Sampler> sampler, std::uint64_t seed,
                       Progress progress) {
  return [networks = Networks(std::move(sampler)), seed,
          progress = std::move(progress)](const LadderRequest& request) mutable {
    const empirical::Sampler& drawn = networks.between(request.inputs);
    Ladders result{request.widths, {}};
    const Eigen::Index m = drawn.program().outputs();
    for (const std::int64_t width : request.widths) {
      Eigen::MatrixXd kernels(request.count, m * (m + 1) / 2);
      drawn.sample(width, seed, request.first, static_cast<std::uint64_t>(request.count),
                   [&](std::uint64_t network, const Eigen::MatrixXd& kernel) {
                     const auto row = static_cast<Eigen::Index>(network - request.first);
                     kernels.row(row) = upper_triangle(kernel).transpose();
                     progress.check();
                     progress.report({}, [&] { return progress_text(request, width, row + 1); });
                   });
      result.kernels.push_back(std::move(kernels));
    }
    return result;
  };
}

std::optional<Foresight> foresight(const std::shared_ptr<const empirical::Sampler>& all,
                                   const std::vector<Eigen::Index>& inputs, const CheckOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  const auto seconds = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  const auto sampler = restricted(all, inputs);
  analytic::LawOptions how;
  how.randomizations = law_randomizations;
  how.points = law_points;
  how.bias = false;
  how.threads = sampler->options().threads;
  how.progress =
      Progress({}, [&] { return options.progress.stop_requested() || seconds() > law_share * options.time; });
  try {
    const analytic::FiniteWidthLaw law = analytic::finite_width_law(sampler->program(), how);
    if (!law.heavy_tails.empty() || !std::isfinite(law.c.value)) return {};
    Foresight result;
    result.variance = law.variance();
    result.relative_variance = law.relative_c().value;
    if (law.fluctuates())
      result.directions = std::pow(law.eigenvalues.sum(), 2) / law.eigenvalues.squaredNorm();
    result.seconds = [sampler, foreseen = sampler->foreseen_seconds()](std::int64_t width,
                                                                       std::int64_t networks) {
      return foreseen(width, static_cast<std::uint64_t>(networks));
    };
    return result;
  } catch (const analytic::LimitError&) {
    return {};
  } catch (const Stopped&) {
    options.progress.check();
    return {};
  }
}

CheckResult check(const netsor::Program& program, const kernels::Kernel& kernel,
                  const ProgramCheckOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  const auto sampler = std::make_shared<const empirical::Sampler>(program, options.sampler);
  kernels::Kernel labelled = kernel;
  if (labelled.labels.empty()) labelled.labels = program.output().labels;
  CheckOptions how = fitted_to(*sampler, options.check);
  const bool plannable = options.foresee && kernel.value.rows() == program.outputs();
  if (plannable && !how.foresee) {
    how.foresee = [&](const std::vector<Eigen::Index>& inputs) { return foresight(sampler, inputs, how); };
  }
  CheckResult result = check(labelled, ladders_of(sampler, options.seed, options.check.progress), how);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace nngpcheck::compare
