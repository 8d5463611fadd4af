// A run: experiments carried out into a folder that describes itself.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "compare/kernel_file.hpp"
#include "compare/plot.hpp"
#include "compare/summary.hpp"

namespace nngpcheck::compare {

/// Yields the kernels of the networks first, …, first + count - 1 at one width, in order.
using Sink = std::function<void(std::uint64_t network, const Eigen::MatrixXd& kernel)>;
using Sampler =
    std::function<void(std::int64_t width, std::uint64_t first, std::uint64_t count, const Sink&)>;

/// A kernel, and the random networks to hold against it.
struct Experiment {
  std::string name;                    // unique in a run; letters, digits, _ and -
  nlohmann::ordered_json description;  // as resolved; together they decide whether a run is the same
  LabelledKernel kernel;
  std::string program, plan;         // as texts, for the report; "" if they are not known
  std::vector<std::int64_t> widths;  // at least 2, increasing
  std::int64_t networks = 0;         // of each width, at least 2
  Sampler sample;
};

/// Where a run stands, at each network.
struct Progress {
  const Experiment& experiment;
  std::int64_t width;
  std::int64_t network;  // how many of this width are done
  double fraction;       // of the work of the whole run, estimated from the widths
};

struct RunResult {
  Summary summary;
  std::string warning;  // why a plot is missing, or ""
};

/// Throws CompareError unless the folder can be made, or written if it is there, and holds nothing or a run.
void check_folder(const std::filesystem::path& folder);

/// Samples all networks and writes, into `folder`:
///   run.json         the experiments' descriptions and `provenance` (versions, machine, seed, …)
///   samples.csv      one row per network, appended as it arrives (see SampleLog)
///   kernel_NAME.json the analytic kernel of experiment NAME
///   summary.json, and the report with its pictures (see write_report)
/// A folder that holds an unfinished run of the same experiments (equal descriptions, equal kernels within
/// their error bars) is continued, with the same result as if it had not been interrupted; a finished one is
/// only summarized anew. Throws CompareError if it holds anything else, which it leaves alone.
RunResult run(const std::vector<Experiment>& experiments, const std::filesystem::path& folder,
              const nlohmann::ordered_json& provenance,
              const std::function<void(const Progress&)>& progress = {});

/// The curves of a finished run. Throws CompareError if the folder holds none.
std::vector<Curve> curves(const std::filesystem::path& folder);

/// Versions of nngpcheck, Eigen, Boost and the compiler, processor, cores and the time, for `provenance`.
nlohmann::ordered_json provenance();

}  // namespace nngpcheck::compare
