#include "nngpcheck/compare/statistics/prediction.hpp"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>

#include "nngpcheck/analytic/law.hpp"

namespace nngpcheck::compare {

namespace {

using nlohmann::ordered_json;

double normal_quantile() {
  return boost::math::quantile(boost::math::complement(boost::math::normal(), (1 - confidence) / 2));
}

/// Of half a band, what the next order may move the mean; and of its spread, what it may add.
constexpr double hidden = 0.125, wider = 0.1;

}  // namespace

Prediction predict(const analytic::FiniteWidthLaw& law, const std::vector<std::int64_t>& widths,
                   std::int64_t networks, const std::vector<Eigen::Index>& watched) {
  Prediction result;
  const analytic::Measured c = law.relative_c();
  if (!law.fluctuates()) {
    result.none = "the kernel of every network is K";
    return result;
  }
  result.relative_c = c.value;
  result.relative_c_standard_error = c.standard_error;
  const Eigen::VectorXd marginal = law.excess_kurtosis();
  for (const Eigen::Index output : watched)
    result.marginal_excess_kurtosis += marginal[output] / static_cast<double>(watched.size());
  result.joint_excess_kurtosis = law.joint_excess_kurtosis(watched);
  const double bias = law.relative_bias().value;
  const double next_order = c.value / 2 + bias * bias / c.value;
  const double c_error = normal_quantile() * c.standard_error / c.value;
  const auto at = [&](double level) {
    return law.mean_square_quantile(1, static_cast<double>(networks), level) / c.value;
  };
  const double below = std::hypot(1 - at((1 - confidence) / 2), c_error);
  const double above = std::hypot(at((1 + confidence) / 2) - 1, c_error);
  for (const std::int64_t width : widths) {
    const auto n = static_cast<double>(width);
    const double mean = c.value / n;
    result.widths.push_back({width,
                             mean,
                             {mean * std::max(0.0, 1 - below), mean * (1 + above)},
                             law.heavy_tails.empty() && next_order / n <= hidden * (below + above) / 2 &&
                                 4 * c.value / n <= wider});
  }
  result.method = law.method;
  result.heavy_tails = law.heavy_tails;
  return result;
}

const PredictedWidth* first_that_holds(const Prediction& prediction) {
  const auto found = std::find_if(prediction.widths.begin(), prediction.widths.end(),
                                  [](const PredictedWidth& width) { return width.holds; });
  return found == prediction.widths.end() ? nullptr : &*found;
}

Ratio measured_over_predicted(double measured, const Interval& interval, double predicted,
                              double relative_standard_error) {
  const double ratio = measured / predicted;
  const double half = std::hypot((interval.upper - interval.lower) / 2 / predicted,
                                 normal_quantile() * relative_standard_error * ratio);
  return {ratio, {ratio - half, ratio + half}};
}

ordered_json to_json(const Prediction& prediction) {
  if (!prediction.none.empty()) return {{"none", prediction.none}};
  ordered_json widths = ordered_json::array();
  for (const PredictedWidth& width : prediction.widths) {
    widths.push_back({{"width", width.width},
                      {"mean", width.mean},
                      {"band", {width.band.lower, width.band.upper}},
                      {"holds", width.holds}});
  }
  ordered_json result = {{"relative_c", prediction.relative_c},
                         {"relative_c_standard_error", prediction.relative_c_standard_error},
                         {"marginal_excess_kurtosis", prediction.marginal_excess_kurtosis},
                         {"joint_excess_kurtosis", prediction.joint_excess_kurtosis},
                         {"widths", std::move(widths)},
                         {"method", prediction.method}};
  if (!prediction.heavy_tails.empty()) result["heavy_tails"] = prediction.heavy_tails;
  return result;
}

Prediction prediction_from_json(const nlohmann::json& json) {
  Prediction result;
  if (json.contains("none")) {
    result.none = json.at("none").get<std::string>();
    return result;
  }
  result.relative_c = json.at("relative_c").get<double>();
  result.relative_c_standard_error = json.at("relative_c_standard_error").get<double>();
  result.marginal_excess_kurtosis = json.at("marginal_excess_kurtosis").get<double>();
  result.joint_excess_kurtosis = json.at("joint_excess_kurtosis").get<double>();
  for (const nlohmann::json& width : json.at("widths")) {
    const nlohmann::json& band = width.at("band");
    result.widths.push_back({width.at("width").get<std::int64_t>(),
                             width.at("mean").get<double>(),
                             {band.at(0).get<double>(), band.at(1).get<double>()},
                             width.at("holds").get<bool>()});
  }
  result.method = json.at("method").get<std::string>();
  result.heavy_tails = json.value("heavy_tails", "");
  return result;
}

}  // namespace nngpcheck::compare
