#include "nngpcheck/compare/verdict/check_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "nngpcheck/compare/error.hpp"
#include "nngpcheck/compare/statistics/ladder_statistics.hpp"
#include "nngpcheck/compare/statistics/rates.hpp"
#include "nngpcheck/support/memory.hpp"

namespace nngpcheck::compare {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// Beyond, more ladders cost as little: networks are Gaussian enough, and their bias is gone.
constexpr std::int64_t wide_enough = std::int64_t{1} << 17;

}  // namespace

std::optional<Plan> moved_up(const Plan& plan, const CheckOptions& options) {
  Plan result = plan;
  const std::int64_t largest = options.largest_width.value_or(options.widths.back());
  const bool wider = result.widths.back() <= largest / 2;
  if (wider) result.widths.push_back(2 * result.widths.back());
  result.widths.erase(result.widths.begin());
  if (result.widths.size() < fewest_widths) return {};
  return result;
}

std::optional<Plan> grown(const Plan& plan, double factor, const CheckOptions& options) {
  Plan result = plan;
  double missing = factor;
  const std::int64_t largest = std::min(options.largest_width.value_or(0), wide_enough);
  while (missing >= 2 && result.widths.back() <= largest / 2) {
    for (std::int64_t& width : result.widths) width *= 2;
    missing /= 2;
  }
  if (missing > 1) result = with_more_ladders(result, missing, options).value_or(result);
  if (result.precision() < 1.5 * plan.precision()) return {};
  return result;
}

std::optional<Plan> with_more_ladders(const Plan& plan, double factor, const CheckOptions& options) {
  Plan result = plan;
  const double wanted = std::ceil(static_cast<double>(plan.ladders) * factor);
  result.ladders = static_cast<std::int64_t>(std::min(wanted, static_cast<double>(options.most_ladders)));
  if (result.precision() < 1.5 * plan.precision()) return {};
  return result;
}

void Cost::observe(std::int64_t width, std::int64_t networks, double seconds) {
  observed_[width] = {static_cast<double>(networks), seconds};
  shortest_ = std::min(shortest_, seconds);
}

double Cost::each(const Draw& draw) const {
  constexpr double least = 0.05;  // of the average: a clock and its machine are not exact
  return std::max(draw.seconds - start(), least * draw.seconds) / draw.networks;
}

double Cost::start() const { return observed_.size() > 1 ? shortest_ : 0; }

namespace {

// A power of the width that fits these seconds.
std::function<double(std::int64_t)> power(const std::vector<std::pair<std::int64_t, double>>& seen) {
  std::vector<double> widths, seconds;
  for (const auto& [width, each] : seen) {
    widths.push_back(static_cast<double>(width));
    seconds.push_back(each);
  }
  const double exponent = widths.size() > 1 ? std::clamp(log_log_slope(widths, seconds), 1., 2.) : 1.;
  return [exponent](std::int64_t width) { return std::pow(static_cast<double>(width), exponent); };
}

}  // namespace

// Of many networks, so that each thread has as many.
std::function<double(std::int64_t)> Cost::foreseen_shape() const {
  constexpr std::int64_t many = 1024;
  return [this](std::int64_t width) {
    return std::max(foreseen_(width, many) / static_cast<double>(many), 1e-12);  // as it may say: at once
  };
}

double Cost::of(std::int64_t width, std::int64_t networks) const {
  if (observed_.empty()) return foreseen_(width, networks);
  const auto middle = std::next(observed_.begin(), std::ssize(observed_) / 2);
  const auto count = static_cast<double>(networks);
  if (width < middle->first) {
    const auto& [above, draw] = *observed_.lower_bound(width);
    const double share = static_cast<double>(width) / static_cast<double>(above);
    return start() + each(draw) * count * std::min(1., share);
  }
  std::vector<std::pair<std::int64_t, double>> seen;  // widths, and seconds of each network
  for (auto at = middle; at != observed_.end(); ++at) {
    const bool widest = std::next(at) == observed_.end();
    if (!widest && at->second.seconds < 2 * start()) continue;       // it says more of the start
    seen.emplace_back(at->first, std::max(each(at->second), 1e-9));  // a clock may not see them
  }
  const std::function<double(std::int64_t)> shape = foreseen_ ? foreseen_shape() : power(seen);
  double mean = 0;  // of the logarithms of what was seen over the shape
  for (const auto& [seen_width, seconds] : seen)
    mean += std::log(seconds / shape(seen_width)) / static_cast<double>(seen.size());
  return start() + count * std::exp(mean) * shape(width);
}

double Cost::of(const Plan& plan) const {
  double result = 0;
  for (const std::int64_t width : plan.widths) result += of(width, plan.ladders);
  return result;
}

void require_memory(const Plan& plan, const Target& target) {
  // The kernels, their differences, and what the contrasts make of them.
  const double bytes = 3. * sizeof(double) * static_cast<double>(plan.ladders) *
                       static_cast<double>(plan.widths.size()) * static_cast<double>(target.entries());
  const double available = support::available_memory();
  if (bytes <= available) return;
  throw CompareError(fmt::format(
      "{} ladders of kernels of {} inputs take {}, where {} are available: look at fewer inputs (--inputs, "
      "check.inputs)",
      plan.ladders, target.inputs.size(), support::bytes_text(bytes), support::bytes_text(available)));
}

namespace {

// (tr Σ)²/tr Σ² of the rows' covariance, of which S is an estimate: E tr S² = tr Σ² + ((tr Σ)² + tr
// Σ²)/degrees.
double directions_of(const MatrixXd& kernels) {
  const MatrixXd centred = kernels.rowwise() - kernels.colwise().mean();
  const double degrees = static_cast<double>(kernels.rows() - 1);
  const double trace = centred.squaredNorm() / degrees;
  const double square = (centred * centred.transpose()).squaredNorm() / (degrees * degrees);
  const double of_law = (degrees * square - trace * trace) / (degrees + 1);
  const double most = static_cast<double>(kernels.cols());
  return of_law > 0 ? std::clamp(trace * trace / of_law, 1., most) : most;
}

}  // namespace

Fluctuations fluctuations_of(const Ladders& pilot) {
  Fluctuations result;
  result.variance = VectorXd::Zero(pilot.entries());
  const std::size_t widths = pilot.widths.size(), first = widths / 2;
  for (std::size_t w = first; w < widths; ++w) {
    const MatrixXd& kernels = pilot.kernels[w];
    const VectorXd mean = kernels.colwise().mean();
    const VectorXd variance =
        (kernels.rowwise() - mean.transpose()).colwise().squaredNorm() *
        (static_cast<double>(pilot.widths[w]) / static_cast<double>(kernels.rows() - 1));
    result.variance += variance / static_cast<double>(widths - first);
    result.degrees += static_cast<double>(kernels.rows() - 1);
    result.relative += variance.sum() / mean.squaredNorm() / static_cast<double>(widths - first);
  }
  result.directions = directions_of(pilot.kernels.back());
  return result;
}

Fluctuations fluctuations_of(const Foresight& foresight) {
  return {upper_triangle(foresight.variance), std::numeric_limits<double>::infinity(),
          foresight.relative_variance, foresight.directions};
}

double foreseen_standard_error(const Fluctuations& fluctuations, const Plan& plan, const Target& target) {
  const Eigen::ArrayXd relative = fluctuations.variance.array() / target.scale.array().square();
  const double mean = relative.mean(), spread = (relative - mean).square().mean();
  const double noise = 2 / fluctuations.degrees * relative.square().mean();
  const double kept = spread > noise ? 1 - noise / spread : 0;
  const double largest = mean + kept * (relative.maxCoeff() - mean);
  const LadderDesign design(plan.widths);
  double variance = 0;  // of the extrapolation of one ladder
  for (std::size_t w = 0; w < plan.widths.size(); ++w) {
    const double of_width = std::expm1(largest / static_cast<double>(plan.widths[w]));
    variance += std::pow(design.extrapolation(static_cast<Index>(w)), 2) * of_width;
  }
  return std::sqrt(variance / static_cast<double>(plan.ladders));
}

Demand::Demand(const Target& target, const CheckOptions& options, double directions)
    : options_(options),
      tests_(static_cast<double>(target.entries())),
      directions_(directions),
      usual_deviation_(student_quantile((1 - std::pow(0.95, 1 / directions)) / 2,
                                        std::numeric_limits<double>::infinity())) {
  typical_error_ = ((target.error_bound + target.standard_error).array() / target.scale.array()).maxCoeff() -
                   options.allowance();
  dead_zone_ = target.dead_zone.cwiseQuotient(target.scale).maxCoeff();
}

double Demand::certificate(std::int64_t ladders) const {
  return student_quantile(options_.miss / options_.rounds, static_cast<double>(ladders - 1));
}

double Demand::room_to_agree() const { return std::max(options_.largest_bound() - typical_error_, 0.); }

double Demand::to_agree(std::int64_t ladders) const {
  return room_to_agree() / (certificate(ladders) + usual_deviation_);
}

double Demand::chance_to_agree(double relative_standard_error, std::int64_t ladders) const {
  const double most = room_to_agree() / std::max(relative_standard_error, 1e-300) - certificate(ladders);
  return most > 0 ? std::pow(std::erf(most / std::numbers::sqrt2), directions_) : 0;
}

double Demand::to_agree_at_once(std::int64_t ladders) const {
  const double quantile = certificate(ladders);
  // An estimate's relative deviation is 1/√(2·degrees).
  const double of_estimate = quantile / std::sqrt(2 * static_cast<double>(ladders - 1));
  return room_to_agree() / (quantile + usual_deviation_ * std::hypot(1, of_estimate));
}

double Demand::to_decide(std::int64_t ladders) const {
  const double room = options_.largest_bound() - dead_zone_;
  if (!options_.tolerance && room < options_.largest_bound() / 2) return to_agree(ladders);
  const double screening =
      student_quantile(options_.screening / (4 * tests_), static_cast<double>(ladders - 1));
  return std::min(std::max(room, 0.) / (screening + certificate(ladders)), to_agree(ladders));
}

double Demand::growth(double relative_standard_error, std::int64_t ladders, bool again) const {
  const double enough = to_agree(ladders);
  if (relative_standard_error <= enough && !again) return 2;
  const double demanded = relative_standard_error > enough ? enough : to_decide(ladders);
  const double factor = 1.2 * std::pow(relative_standard_error / std::max(demanded, 1e-300), 2);
  const double step = factor > options_.largest_growth ? std::sqrt(factor) : factor;
  return std::clamp(step, 2., options_.largest_growth);
}

double Demand::bound(double relative_standard_error, std::int64_t ladders) const {
  return typical_error_ + (certificate(ladders) + usual_deviation_) * relative_standard_error;
}

}  // namespace nngpcheck::compare
