// What the finite-width law says of the networks of a sweep, before any is drawn; and how it did.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "nngpcheck/compare/statistics/rates.hpp"

namespace nngpcheck::analytic {
struct FiniteWidthLaw;
}

namespace nngpcheck::compare {

/// Of the mean over N networks of ‖K̂ − K‖²_F/‖K‖²_F.
struct PredictedWidth {
  std::int64_t width = 0;
  double mean = 0;     // C/(n ‖K‖²_F)
  Interval band;       // where it is, at `confidence`: quantiles of the law, and the standard error of C
  bool holds = false;  // whether the first order in 1/n is as exact as the band is wide, by a rule of thumb
};

/// The first order in 1/n of a sweep. There is no free parameter in it.
struct Prediction {
  std::string none;  // why there is no law, and nothing else is known; else ""
  double relative_c = 0, relative_c_standard_error = 0;
  /// n times the excess kurtoses that `gaussianity` measures, of the watched outputs.
  double marginal_excess_kurtosis = 0, joint_excess_kurtosis = 0;
  std::vector<PredictedWidth> widths = {};
  std::string method = {};
  std::string heavy_tails = {};  // why means of squares do not exist: then nothing holds; else ""
};

/// Of so many networks of each width, and of these outputs. A band `holds` where the next order in 1/n moves
/// the mean by at most an eighth of half the band, and the standard deviation by at most a tenth. With c and
/// b the relative C and bias, these are c/2 + b²/c and 4c, over n and relative to the first order: what they
/// are of a log-normal K̂; the first is an upper bound of what (1 + 5/n)^L - 1 has.
Prediction predict(const analytic::FiniteWidthLaw& law, const std::vector<std::int64_t>& widths,
                   std::int64_t networks, const std::vector<Eigen::Index>& watched);

/// The narrowest width at which the band holds, as it does at all wider ones; null if there is none.
const PredictedWidth* first_that_holds(const Prediction& prediction);

/// A measured number over the predicted one; 1 is expected.
struct Ratio {
  double value = 0;
  Interval interval;  // at `confidence`: of what was measured, and the standard error of what was predicted
};

Ratio measured_over_predicted(double measured, const Interval& interval, double predicted,
                              double relative_standard_error);

/// {"relative_c", "relative_c_standard_error", "marginal_excess_kurtosis", "joint_excess_kurtosis", "widths":
/// [{"width", "mean", "band", "holds"}, …], "method"}, or {"none"}.
nlohmann::ordered_json to_json(const Prediction& prediction);

/// Throws nlohmann::json::exception unless `json` is as to_json makes it.
Prediction prediction_from_json(const nlohmann::json& json);

}  // namespace nngpcheck::compare
