#include <fmt/chrono.h>
#include <fmt/format.h>

#include <Eigen/Core>
#include <boost/version.hpp>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include "nngpcheck/compare/runs/run.hpp"
#include "nngpcheck_commit.hpp"

namespace nngpcheck::compare {

namespace {

/// The processor's name as Linux tells it.
std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

}  // namespace

nlohmann::ordered_json provenance() {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return {{"versions",
           {{"nngpcheck", NNGPCHECK_VERSION},
            {"commit", NNGPCHECK_COMMIT},
            {"Eigen", fmt::format("{}.{}.{}", EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION)},
            {"Boost", fmt::format("{}.{}.{}", BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000,
                                  BOOST_VERSION % 100)},
            {"compiler", __VERSION__}}},
          {"machine", {{"processor", processor()}, {"cores", std::thread::hardware_concurrency()}}},
          {"started", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(now))}};
}

}  // namespace nngpcheck::compare
