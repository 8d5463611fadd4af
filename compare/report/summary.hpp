// What a run found, as numbers: evidence, no verdict.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "nngpcheck/compare/statistics/gaussianity.hpp"
#include "nngpcheck/compare/statistics/prediction.hpp"
#include "nngpcheck/compare/statistics/rates.hpp"
#include "nngpcheck/compare/statistics/rounding.hpp"

namespace nngpcheck::compare {

/// The networks of one width: the mean of their relative squared errors, with Student's interval over
/// networks.
struct WidthSummary {
  std::int64_t width = 0;
  std::int64_t networks = 0;
  double mean_relative_squared_error = 0;
  Interval interval;
};

struct ExperimentSummary {
  std::string name;
  std::string kernel_method;
  /// ‖error bar‖²_F/‖K‖²_F of the analytic kernel (bound + standard error): measured errors near or below it
  /// say nothing about the networks.
  double kernel_relative_squared_error_bar = 0;
  std::vector<WidthSummary> widths;
  std::optional<Rate> rate;  // see fit_rate; errors that rounding may have made are zero
  /// Of the outputs for the watched inputs (see network_row.hpp), and their labels.
  std::optional<Gaussianity> gaussianity = {};
  std::vector<std::string> watched = {};
  std::optional<Prediction> predicted = {};  // by the finite-width law, of the same widths

  /// What is predicted; null if there is no law, or nobody asked.
  const Prediction* prediction() const {
    return predicted && predicted->none.empty() ? &*predicted : nullptr;
  }
};

struct Summary {
  std::vector<ExperimentSummary> experiments;
};

/// `errors`[w] are the numbers of the networks at widths[w], network i first of all at index i.
/// Precondition: equally many, at least 2, at each width.
ExperimentSummary summarize(const std::string& name, const std::vector<std::int64_t>& widths,
                            const std::vector<std::vector<double>>& errors,
                            Precision precision = Precision::float64);

/// {"experiments": [{"name", "kernel_method", "kernel_relative_squared_error_bar", "slope", "slope_interval",
/// "expected_slope", "ladders", "confidence", "widths": [{"width", "networks", "mean_relative_squared_error",
/// "mean_relative_squared_error_interval"}, …], "watched": [labels], "gaussianity", "predicted"}, …]}; slope
/// and slope_interval are null without a rate, predicted without a Prediction. Its widths have
/// "measured_over_predicted" with "measured_over_predicted_interval" beside, and it has the two over all
/// widths that hold, null if none does.
nlohmann::ordered_json to_json(const Summary& summary);

/// All but `watched` and `gaussianity`. Throws CompareError unless `json` is as to_json makes it.
Summary summary_from_json(const nlohmann::json& json);

/// The mean over networks at width w, over what was predicted. Precondition: something is predicted.
Ratio measured_over_predicted(const ExperimentSummary& experiment, std::size_t w);

/// The mean of these ratios over the widths whose prediction holds; nothing if none does.
std::optional<Ratio> measured_over_predicted(const ExperimentSummary& experiment);

/// One line: "slope −1.003 (95 % interval −1.021 to −0.985)", or why there is none.
std::string rate_text(const ExperimentSummary& experiment);

/// One line: "measured/predicted 1.003 (95 % interval 0.984 to 1.022) from width 256 on", or why there is
/// nothing to say; "" if nobody asked.
std::string prediction_text(const ExperimentSummary& experiment);

}  // namespace nngpcheck::compare
