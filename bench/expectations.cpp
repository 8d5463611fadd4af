// How far Gaussian expectations are off, in units of their bounds, at the points of
// tests/data/search_expectations.py:
//   expectations FILE.json
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "nngpcheck/analytic/error.hpp"
#include "nngpcheck/analytic/gaussian/dual.hpp"

namespace {

constexpr double slow = 0.2;  // seconds for one point

using namespace nngpcheck;
using analytic::Estimate;

netsor::Activation activation(const nlohmann::json& row, const std::string& side) {
  const std::string name = row.at(side);
  const bool is_name = name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_.0123456789") == std::string::npos;
  return is_name ? netsor::Activation::named(name) : netsor::Activation::from_expression(name);
}

Estimate by_block(const netsor::Activation& phi, const netsor::Activation& psi,
                  const analytic::BivariateNormal& law, analytic::Symmetry symmetry) {
  const auto one = [](double x) { return Eigen::VectorXd::Constant(1, x); };
  const auto zero = Eigen::VectorXd::Zero(1);
  const analytic::DualBlock block = analytic::dual_block(
      phi, psi, {{one(law.mean_u), zero}, {one(law.variance_u), zero}},
      {{one(law.mean_v), zero}, {one(law.variance_v), zero}},
      {Eigen::MatrixXd::Constant(1, 1, law.covariance), Eigen::MatrixXd::Zero(1, 1)}, symmetry);
  return {block.moment.value(0, 0), block.moment.bound(0, 0)};
}

/// By each way that there is.
std::map<std::string, Estimate> results(const nlohmann::json& row) {
  const netsor::Activation phi = activation(row, "phi");
  const double mean = row.at("mean_u");
  const double variance = row.at("variance_u");
  if (row.at("kind") == "mean") return {{"mean", analytic::mean(phi, mean, variance)}};
  if (row.at("kind") == "square") {
    const analytic::BivariateNormal law{variance, variance, variance, mean, mean};
    return {{"square", by_block(phi, phi, law, analytic::Symmetry::symmetric)},
            {"square by dual", analytic::dual(phi, phi, law)}};
  }
  const netsor::Activation psi = activation(row, "psi");
  const analytic::BivariateNormal law{variance, row.at("variance_v"), row.at("covariance"), mean,
                                      row.at("mean_v")};
  return {{"pair", by_block(phi, psi, law, analytic::Symmetry::none)},
          {"pair by dual", analytic::dual(phi, psi, law)}};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  std::ifstream file(argv[1]);
  struct Tally {
    int points = 0, outside = 0, refused = 0;
    double worst = 0, widest = 0, seconds = 0;
    std::string where;
  };
  std::map<std::string, Tally> tallies;
  const nlohmann::json table = nlohmann::json::parse(file);
  for (const nlohmann::json& row : table.at("rows")) {
    const double truth = row.at("value");
    // Of the true value, as a double and as a ball.
    const double representation =
        0.5 * std::numeric_limits<double>::epsilon() * std::abs(truth) + row.value("radius", 0.0);
    const auto start = std::chrono::steady_clock::now();
    try {
      for (const auto& [way, estimate] : results(row)) {
        Tally& tally = tallies[way];
        ++tally.points;
        const double error = std::max(0.0, std::abs(estimate.value - truth) - representation);
        const double ratio = error == 0 ? 0 : error / estimate.bound;
        if (!(ratio <= 1)) {
          ++tally.outside;
          std::printf("outside: %s gives %.17g ± %.2g: %s\n", way.c_str(), estimate.value, estimate.bound,
                      row.dump().c_str());
        }
        if (truth != 0) tally.widest = std::max(tally.widest, estimate.bound / std::abs(truth));
        if (ratio > tally.worst) {
          tally.worst = ratio;
          tally.where = row.dump();
        }
      }
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      tallies[row.at("kind")].seconds += seconds;
      if (seconds > slow) std::printf("slow: %.2f s: %s\n", seconds, row.dump().c_str());
    } catch (const analytic::LimitError& error) {
      ++tallies[row.at("kind")].refused;
      std::printf("refused: %s: %s\n", error.what(), row.dump().c_str());
    }
  }
  for (const auto& [way, tally] : tallies) {
    std::printf("%s: %d points, %d outside, %d refused, largest error/bound %.3f at %s; %.1f s\n",
                way.c_str(), tally.points, tally.outside, tally.refused, tally.worst, tally.where.c_str(),
                tally.seconds);
  }
}
