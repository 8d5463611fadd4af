// What is committed under results/ is what the files in experiments/ give: a part of each is run again, with
// other networks, and compared.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/cli/executable.hpp"

namespace nngpcheck::cli {
namespace {

using boost::math::students_t;
using nlohmann::json;

constexpr double false_alarm = 1e-6;  // of one folder
constexpr int largest_width = 512;
constexpr int networks = 50;

const fs::path results = fs::path(NNGPCHECK_SOURCE) / "results";

json parsed(const fs::path& file) { return json::parse(read(file)); }

/// Mean error of some networks, with its standard error.
struct Mean {
  double value = 0, standard_error = 0, freedom = 0;

  /// From a width of summary.json, whose interval is Student's.
  explicit Mean(const json& width, double confidence) {
    value = width["mean_relative_squared_error"];
    const json& interval = width["mean_relative_squared_error_interval"];
    freedom = width["networks"].get<double>() - 1;
    const double quantile = boost::math::quantile(students_t(freedom), 0.5 * (1 + confidence));
    standard_error = (interval[1].get<double>() - interval[0].get<double>()) / (2 * quantile);
  }
};

/// The two-sided p-value of equal means, by Student's law with the fewer degrees of freedom, which is
/// conservative.
double p_value(const Mean& left, const Mean& right) {
  const double t = std::abs(left.value - right.value) / std::hypot(left.standard_error, right.standard_error);
  return 2 * boost::math::cdf(complement(students_t(std::min(left.freedom, right.freedom)), t));
}

/// The largest |K − K'| in units of what the error bars of both allow: bounds, and so many standard errors.
/// NaN would not pass as small.
double distance(const json& left, const json& right, double standard_errors) {
  double largest = 0;
  const std::size_t size = left["kernel"].size();
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t j = 0; j < size; ++j) {
      const auto entry = [&](const json& kernel, const char* key) { return kernel[key][i][j].get<double>(); };
      const double allowed = entry(left, "error_bound") + entry(right, "error_bound") +
                             standard_errors * std::hypot(entry(left, "stderr"), entry(right, "stderr"));
      const double off = std::abs(entry(left, "kernel") - entry(right, "kernel"));
      if (!(off <= largest * allowed)) largest = off / allowed;
    }
  }
  return largest;
}

/// Widths and networks of each recorded experiment, small, and a seed of their own.
std::string settings(const json& experiments) {
  std::string result = " --set sweep.seed=20261126 --set sweep.networks=" + std::to_string(networks);
  const bool several = experiments.size() > 1;
  for (const json& one : experiments) {
    json widths = json::array();
    for (const json& width : one["widths"]) {
      if (width["width"] <= largest_width) widths.push_back(width["width"]);
    }
    const std::string prefix = several ? one["name"].get<std::string>() + "." : "";
    result += " --set '" + prefix + "sweep.widths=" + widths.dump() + "'";
  }
  return result;
}

class Results : public Executable {
 protected:
  /// Runs a part of a file in experiments/ again into the folder `again`.
  json again(const std::string& name, const std::string& more = "") {
    const json recorded = parsed(results / name / "summary.json")["experiments"];
    const Outcome outcome = run("run '" NNGPCHECK_SOURCE "/experiments/" + name +
                                ".toml' --no-law --quiet --out again" + settings(recorded) + more);
    EXPECT_EQ(outcome.status, 0) << outcome.errors;
    return parsed(folder_ / "again" / "summary.json")["experiments"];
  }

  /// The smallest p-value over the experiments and widths of both, times their number.
  static double smallest_p(const json& recorded, const json& repeated) {
    double smallest = 1;
    int comparisons = 0;
    for (std::size_t e = 0; e < recorded.size(); ++e) {
      EXPECT_EQ(recorded[e]["name"], repeated[e]["name"]);
      for (const json& width : repeated[e]["widths"]) {
        for (const json& other : recorded[e]["widths"]) {
          if (other["width"] != width["width"]) continue;
          const double confidence = recorded[e]["confidence"];
          const double p = p_value(Mean(other, confidence), Mean(width, confidence));
          if (!(p >= smallest)) smallest = p;  // NaN, too
          ++comparisons;
        }
      }
    }
    EXPECT_GT(comparisons, 0);
    return smallest * comparisons;
  }
};

class ResultsFolder : public Results, public ::testing::WithParamInterface<std::string> {};

std::vector<std::string> names() {
  std::vector<std::string> result;
  for (const auto& entry : fs::directory_iterator(results)) {
    if (entry.is_directory()) result.push_back(entry.path().filename());
  }
  std::sort(result.begin(), result.end());
  return result;
}

TEST_P(ResultsFolder, IsWhatItsExperimentsGive) {
  const json recorded = parsed(results / GetParam() / "summary.json")["experiments"];
  const json repeated = again(GetParam());
  ASSERT_EQ(recorded.size(), repeated.size());
  EXPECT_GE(smallest_p(recorded, repeated), false_alarm);
  for (const json& one : recorded) {
    const std::string file = "kernel_" + one["name"].get<std::string>() + ".json";
    const json kernel = parsed(results / GetParam() / file);
    const json other = parsed(folder_ / "again" / file);
    ASSERT_EQ(kernel["labels"], other["labels"]);
    const double entries = std::pow(static_cast<double>(kernel["labels"].size()), 2);
    // Both standard errors come from 16 randomizations.
    const double standard_errors =
        boost::math::quantile(complement(students_t(15), false_alarm / (2 * entries)));
    EXPECT_LE(distance(kernel, other, standard_errors), 1) << file;
  }
}

INSTANTIATE_TEST_SUITE_P(All, ResultsFolder, ::testing::ValuesIn(names()), [](const auto& folder) {
  std::string name = folder.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

using RejectedResults = Results;

TEST_F(RejectedResults, OfOtherNetworksOrAnotherKernelAreNoticed) {
  const json recorded = parsed(results / "mlp" / "summary.json")["experiments"];
  const json repeated =
      again("mlp", " --set architecture.bias_variance=0 --set architecture.depth=8 --set sweep.networks=400");
  EXPECT_LT(smallest_p(recorded, repeated), false_alarm);
  EXPECT_GT(distance(parsed(results / "mlp" / "kernel_mlp.json"),
                     parsed(folder_ / "again" / "kernel_mlp.json"), 10),
            1);
}

}  // namespace
}  // namespace nngpcheck::cli
