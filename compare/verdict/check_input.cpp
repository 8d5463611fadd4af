#include "nngpcheck/compare/verdict/check_input.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <numeric>

#include "nngpcheck/compare/error.hpp"

namespace nngpcheck::compare {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

void require(bool valid, const char* option, double value, const char* what) {
  if (!valid) throw CompareError(fmt::format("{} is {}: it must be {}", option, value, what));
}

bool between(double value, double low, double high) { return low < value && value < high; }

void check_error_bars(const MatrixXd& bars, Index size, const char* name) {
  if (bars.size() == 0) return;
  if (bars.rows() != size || bars.cols() != size) {
    throw CompareError(fmt::format("the kernel's {} is {}×{}: it must be {}×{} like the kernel, or left out",
                                   name, bars.rows(), bars.cols(), size, size));
  }
  if (!bars.allFinite() || bars.minCoeff() < 0) {
    throw CompareError(fmt::format("the kernel's {} is negative or not finite somewhere", name));
  }
}

void check_kernel(const kernels::Kernel& kernel) {
  const Index size = kernel.value.rows();
  if (size == 0 || kernel.value.cols() != size) {
    throw CompareError(
        fmt::format("the kernel is {}×{}: it must be square and not empty", size, kernel.value.cols()));
  }
  if (!kernel.labels.empty() && std::ssize(kernel.labels) != size) {
    throw CompareError(
        fmt::format("{} labels for a kernel of {} rows: give one each", kernel.labels.size(), size));
  }
  check_error_bars(kernel.standard_error, size, "standard error");
  check_error_bars(kernel.error_bound, size, "error bound");
  if (kernel.repeats < 0 || kernel.repeats == 1) {
    throw CompareError(fmt::format(
        "a standard error from {} repeats: it needs at least 2, or 0 if it is known", kernel.repeats));
  }
  for (Index e = 0; e < size * (size + 1) / 2; ++e) {
    const EntryPosition at = entry_position(e);
    if (!std::isfinite(kernel.value(at.row, at.column)) || !std::isfinite(kernel.value(at.column, at.row))) {
      throw CompareError(fmt::format("the kernel's entry {} is not finite", entry_name(at, kernel.labels)));
    }
  }
  if (kernel.value.diagonal().minCoeff() < 0 || !(kernel.value.diagonal().maxCoeff() > 0)) {
    throw CompareError("the kernel's diagonal is zero or negative somewhere: it is no kernel of networks");
  }
}

/// An upper triangle would hide that the rest differs.
void check_symmetry(const kernels::Kernel& kernel, const Target& target) {
  for (Index e = 0; e < target.entries(); ++e) {
    const EntryPosition at = entry_position(e);
    const double other = kernel.value(at.column, at.row);
    if (std::abs(target.value(e) - other) > 2 * target.dead_zone(e)) {
      throw CompareError(
          fmt::format("the kernel is not symmetric: its entry {} is {:.10g} and {:.10g} the other "
                      "way round",
                      entry_name(at, kernel.labels), target.value(e), other));
    }
  }
}

VectorXd error_bars(const MatrixXd& bars, Index entries) {
  if (bars.size() == 0) return VectorXd::Zero(entries);
  const MatrixXd largest = bars.cwiseMax(bars.transpose());
  return upper_triangle(largest);
}

}  // namespace

void validate(const CheckOptions& options) {
  LadderDesign{options.widths};
  const auto number = [](auto value) { return static_cast<double>(value); };
  const double largest_width = number(options.largest_width.value_or(options.widths.back()));
  require(options.ladders >= 8, "ladders", number(options.ladders), "at least 8");
  require(options.most_ladders >= options.ladders, "most_ladders", number(options.most_ladders),
          "at least `ladders`");
  require(largest_width >= number(options.widths.back()), "largest_width", largest_width,
          "at least the largest of `widths`");
  require(options.resolution > 0 && std::isfinite(options.resolution), "resolution", options.resolution,
          "positive");
  require(!options.tolerance || (*options.tolerance > 0 && std::isfinite(*options.tolerance)), "tolerance",
          options.tolerance.value_or(0), "positive");
  require(options.time > 0, "time", options.time, "positive, in seconds");
  require(!options.inputs || *options.inputs >= 2, "inputs", number(options.inputs.value_or(0)),
          "at least 2");
  require(options.rounds >= 1, "rounds", options.rounds, "at least 1");
  require(between(options.screening, 0, 1), "screening", options.screening, "between 0 and 1");
  require(between(options.miss, 0, 1), "miss", options.miss, "between 0 and 1");
  require(between(options.model_misfit, 0, 1), "model_misfit", options.model_misfit, "between 0 and 1");
  require(options.false_alarm > 0 && options.false_alarm <= options.screening * options.rounds, "false_alarm",
          options.false_alarm, "positive and at most `screening` times `rounds`");
  require(options.largest_growth >= 2, "largest_growth", options.largest_growth, "at least 2");
  require(between(options.largest_dispersion_slope, -0.5, 0), "largest_dispersion_slope",
          options.largest_dispersion_slope, "between -0.5 and 0");
}

Target make_target(const kernels::Kernel& kernel, const CheckOptions& options) {
  check_kernel(kernel);
  if (!options.groups.empty() && std::ssize(options.groups) != kernel.value.rows()) {
    throw CompareError(fmt::format("groups has {} numbers for a kernel of {} rows: give one each",
                                   options.groups.size(), kernel.value.rows()));
  }
  const Rounding level = rounding(options.precision);
  Target result;
  result.labels = kernel.labels;
  result.inputs.resize(static_cast<std::size_t>(kernel.value.rows()));
  std::iota(result.inputs.begin(), result.inputs.end(), Index{0});
  result.value = upper_triangle(kernel.value);
  result.scale = upper_triangle(entry_scales(kernel.value));
  result.error_bound =
      error_bars(kernel.error_bound, result.entries()) + (level.error + options.allowance()) * result.scale;
  result.standard_error = error_bars(kernel.standard_error, result.entries());
  result.degrees = degrees_of_freedom(kernel.repeats);
  result.deterministic = level.spread;
  result.dead_zone = result.error_bound;
  result.false_alarm = options.false_alarm;
  if (result.standard_error.maxCoeff() > 0) {
    result.false_alarm /= 2;
    const double tail = result.false_alarm / (2 * static_cast<double>(result.entries()));
    result.dead_zone += student_quantile(tail, result.degrees) * result.standard_error;
  }
  check_symmetry(kernel, result);
  return result;
}

EntryPosition Target::position(Index e) const {
  const EntryPosition at = entry_position(e);
  return {inputs[static_cast<std::size_t>(at.row)], inputs[static_cast<std::size_t>(at.column)]};
}

Target between(const Target& all, const std::vector<Index>& inputs) {
  std::vector<Index> entries;
  for (const Index column : inputs) {
    for (const Index row : inputs) {
      if (row <= column) entries.push_back(column * (column + 1) / 2 + row);
    }
  }
  Target result = all;
  result.inputs.clear();
  for (const Index input : inputs) result.inputs.push_back(all.inputs[static_cast<std::size_t>(input)]);
  result.value = all.value(entries);
  result.scale = all.scale(entries);
  result.error_bound = all.error_bound(entries);
  result.standard_error = all.standard_error(entries);
  result.dead_zone = all.dead_zone(entries);
  return result;
}

std::string entry_name(EntryPosition position, const std::vector<std::string>& labels) {
  if (labels.empty()) return fmt::format("({}, {})", position.row, position.column);
  return fmt::format("({}, {})", labels[static_cast<std::size_t>(position.row)],
                     labels[static_cast<std::size_t>(position.column)]);
}

std::string percent_at_most(double fraction) {
  const double percent = 100 * fraction;
  if (!(percent > 0) || std::isinf(percent)) return fmt::format("{} %", percent);
  const double unit = std::pow(10, std::floor(std::log10(percent)) - 1);
  // What is a round number already must not go up because of rounding.
  return fmt::format("{:.6g} %", std::ceil(percent / unit * (1 - 1e-12)) * unit);
}

Ladders draw_ladders(const DrawLadders& draw, const LadderRequest& request, const Target& target) {
  const Ladders ladders = draw(request);
  bool as_asked = ladders.widths == request.widths && ladders.kernels.size() == request.widths.size();
  for (const MatrixXd& kernels : ladders.kernels) {
    as_asked = as_asked && kernels.rows() == request.count && kernels.cols() == target.entries();
  }
  if (!as_asked) {
    throw CompareError(fmt::format(
        "the networks drawn are not those asked for: {} at each of the widths {}, with {} entries",
        request.count, request.widths, target.entries()));
  }
  for (std::size_t w = 0; w < request.widths.size(); ++w) {
    const MatrixXd& kernels = ladders.kernels[w];
    if (kernels.allFinite()) continue;
    for (Index k = 0; k < kernels.size(); ++k) {
      const Index network = k % kernels.rows(), entry = k / kernels.rows();
      if (std::isfinite(kernels(network, entry))) continue;
      throw CompareError(fmt::format(
          "network {} of width {}: entry {} of its kernel is {}; check the variances and the inputs",
          request.first + static_cast<std::uint64_t>(network), request.widths[w],
          entry_name(target.position(entry), target.labels), kernels(network, entry)));
    }
  }
  return ladders;
}

}  // namespace nngpcheck::compare
