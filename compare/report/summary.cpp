#include "nngpcheck/compare/report/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
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

void add_ratio(ordered_json& json, const std::optional<Ratio>& ratio) {
  json["measured_over_predicted"] = ratio ? ordered_json(ratio->value) : ordered_json();
  json["measured_over_predicted_interval"] = ratio ? to_json(ratio->interval) : ordered_json();
}

ordered_json prediction_json(const ExperimentSummary& experiment) {
  if (!experiment.predicted) return {};
  ordered_json result = compare::to_json(*experiment.predicted);
  if (!experiment.predicted->none.empty()) return result;
  for (std::size_t w = 0; w < experiment.widths.size(); ++w)
    add_ratio(result["widths"][w], measured_over_predicted(experiment, w));
  add_ratio(result, measured_over_predicted(experiment));
  return result;
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
      {"gaussianity", experiment.gaussianity ? compare::to_json(*experiment.gaussianity) : ordered_json()},
      {"predicted", prediction_json(experiment)}};
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
  if (json.contains("predicted") && !json.at("predicted").is_null()) {
    result.predicted = prediction_from_json(json.at("predicted"));
    if (result.predicted->none.empty() && result.predicted->widths.size() != result.widths.size())
      throw CompareError("not a summary: " + result.name + " has predictions of other widths");
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

Ratio measured_over_predicted(const ExperimentSummary& experiment, std::size_t w) {
  const WidthSummary& measured = experiment.widths.at(w);
  const Prediction& predicted = experiment.predicted.value();
  return measured_over_predicted(measured.mean_relative_squared_error, measured.interval,
                                 predicted.widths.at(w).mean,
                                 predicted.relative_c_standard_error / predicted.relative_c);
}

std::optional<Ratio> measured_over_predicted(const ExperimentSummary& experiment) {
  if (!experiment.prediction()) return {};
  const Prediction& predicted = *experiment.prediction();
  double sum = 0, squares = 0, count = 0;
  for (std::size_t w = 0; w < predicted.widths.size(); ++w) {
    if (!predicted.widths[w].holds) continue;
    const WidthSummary& measured = experiment.widths[w];
    const double mean = predicted.widths[w].mean;
    sum += measured.mean_relative_squared_error / mean;
    squares += std::pow((measured.interval.upper - measured.interval.lower) / 2 / mean, 2);
    ++count;
  }
  if (count == 0) return {};
  const double mean = sum / count, half = std::sqrt(squares) / count;
  return measured_over_predicted(mean, {mean - half, mean + half}, 1,
                                 predicted.relative_c_standard_error / predicted.relative_c);
}

std::string rate_text(const ExperimentSummary& experiment) {
  if (experiment.widths.size() == 1) return "no slope from one width";
  if (!experiment.rate) return "no slope: some network's error is zero, up to rounding";
  const Rate& rate = *experiment.rate;
  return fmt::format("slope {} ({:.0f} % interval {} to {})", number(rate.slope, 3), 100 * confidence,
                     number(rate.interval.lower, 3), number(rate.interval.upper, 3));
}

std::string prediction_text(const ExperimentSummary& experiment) {
  if (!experiment.predicted) return "";
  const Prediction& predicted = *experiment.predicted;
  if (!predicted.none.empty()) return "nothing predicted: " + predicted.none;
  if (!predicted.heavy_tails.empty()) return "predicted in distribution only: " + predicted.heavy_tails;
  const PredictedWidth* first = first_that_holds(predicted);
  if (!first)
    return fmt::format("predicted mean × width {}, to first order, which is not enough at these widths",
                       number(predicted.relative_c, 2));
  const Ratio ratio = measured_over_predicted(experiment).value();
  return fmt::format("measured/predicted {} ({:.0f} % interval {} to {}) from width {} on",
                     number(ratio.value, 3), 100 * confidence, number(ratio.interval.lower, 3),
                     number(ratio.interval.upper, 3), first->width);
}

}  // namespace nngpcheck::compare
