#include "nngpcheck/compare/report/summary.hpp"

#include <fmt/format.h>

#include <cmath>

#include "nngpcheck/compare/error.hpp"
#include "nngpcheck/compare/report/text.hpp"

namespace nngpcheck::compare {

namespace {

using nlohmann::ordered_json;

ordered_json to_json(const Interval& interval) { return {interval.lower, interval.upper}; }

Interval interval_from_json(const nlohmann::json& json) {
  return {json.at(0).get<double>(), json.at(1).get<double>()};
}

ordered_json to_json(const ExperimentSummary& experiment) {
  ordered_json widths = ordered_json::array();
  for (const WidthSummary& width : experiment.widths) {
    widths.push_back({{"width", width.width},
                      {"networks", width.networks},
                      {"mean_relative_squared_error", width.mean_relative_squared_error},
                      {"mean_relative_squared_error_interval", to_json(width.interval)}});
  }
  const auto& rate = experiment.rate;
  return {
      {"name", experiment.name},
      {"kernel_method", experiment.kernel_method},
      {"kernel_relative_squared_error_bar", experiment.kernel_relative_squared_error_bar},
      {"slope", rate ? ordered_json(rate->slope) : ordered_json()},
      {"slope_interval", rate ? to_json(rate->interval) : ordered_json()},
      {"expected_slope", -1},
      {"ladders", experiment.widths.empty() ? 0 : experiment.widths[0].networks},
      {"confidence", confidence},
      {"widths", std::move(widths)},
      {"watched", experiment.watched},
      {"gaussianity", experiment.gaussianity ? compare::to_json(*experiment.gaussianity) : ordered_json()}};
}

ExperimentSummary experiment_from_json(const nlohmann::json& json) {
  ExperimentSummary result;
  result.name = json.at("name").get<std::string>();
  result.kernel_method = json.at("kernel_method").get<std::string>();
  result.kernel_relative_squared_error_bar = json.at("kernel_relative_squared_error_bar").get<double>();
  for (const nlohmann::json& width : json.at("widths")) {
    result.widths.push_back({width.at("width").get<std::int64_t>(), width.at("networks").get<std::int64_t>(),
                             width.at("mean_relative_squared_error").get<double>(),
                             interval_from_json(width.at("mean_relative_squared_error_interval"))});
  }
  if (result.widths.empty()) throw CompareError("not a summary: " + result.name + " has no widths");
  if (!json.at("slope").is_null()) {
    result.rate = Rate{json.at("slope").get<double>(), interval_from_json(json.at("slope_interval"))};
  }
  return result;
}

}  // namespace

ExperimentSummary summarize(const std::string& name, const std::vector<std::int64_t>& widths,
                            const std::vector<std::vector<double>>& errors, Precision precision) {
  ExperimentSummary result;
  result.name = name;
  Eigen::MatrixXd ladders(std::ssize(errors[0]), std::ssize(widths));
  for (std::size_t w = 0; w < widths.size(); ++w) {
    Moments moments;
    for (const double error : errors[w]) moments.add(error);
    result.widths.push_back({widths[w], moments.count(), moments.mean(), mean_interval(moments)});
    ladders.col(static_cast<Eigen::Index>(w)) =
        Eigen::Map<const Eigen::VectorXd>(errors[w].data(), ladders.rows());
  }
  result.rate = fit_rate(widths, ladders, std::pow(rounding(precision).spread, 2));
  return result;
}

ordered_json to_json(const Summary& summary) {
  ordered_json experiments = ordered_json::array();
  for (const ExperimentSummary& experiment : summary.experiments) experiments.push_back(to_json(experiment));
  return {{"experiments", std::move(experiments)}};
}

Summary summary_from_json(const nlohmann::json& json) {
  try {
    Summary result;
    for (const nlohmann::json& experiment : json.at("experiments")) {
      result.experiments.push_back(experiment_from_json(experiment));
    }
    return result;
  } catch (const nlohmann::json::exception& error) {
    throw CompareError(std::string("not a summary: ") + error.what());
  }
}

std::string rate_text(const ExperimentSummary& experiment) {
  if (experiment.widths.size() == 1) return "no slope from one width";
  if (!experiment.rate) return "no slope: some network's error is zero, up to rounding";
  const Rate& rate = *experiment.rate;
  return fmt::format("slope {} ({:.0f} % interval {} to {})", number(rate.slope, 3), 100 * confidence,
                     number(rate.interval.lower, 3), number(rate.interval.upper, 3));
}

}  // namespace nngpcheck::compare
