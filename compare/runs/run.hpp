// A run: experiments carried out into a folder that describes itself.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "nngpcheck/compare/report/plot.hpp"
#include "nngpcheck/compare/report/summary.hpp"
#include "nngpcheck/compare/runs/sample_store.hpp"
#include "nngpcheck/compare/statistics/chunk.hpp"
#include "nngpcheck/compare/verdict/check.hpp"
#include "nngpcheck/kernels/kernel.hpp"
#include "nngpcheck/support/progress.hpp"

namespace nngpcheck::compare {

/// Yields the kernels of the networks first, …, first + count - 1 at one width, in order, and one draw of the
/// outputs of each, or none.
using Sink =
    std::function<void(std::uint64_t network, const Eigen::MatrixXd& kernel, const Eigen::VectorXd& outputs)>;
using Sampler =
    std::function<void(std::int64_t width, std::uint64_t first, std::uint64_t count, const Sink&)>;

/// A kernel, and the random networks to hold against it.
struct Experiment {
  std::string name;                    // unique in a run; letters, digits, _ and -
  nlohmann::ordered_json description;  // as resolved, with name, sweep.widths and sweep.networks; together
                                       // they decide whether a run is the same
  kernels::Kernel kernel;
  std::string program, plan;                 // as texts, for the report; "" if they are not known
  std::vector<std::int64_t> widths;          // increasing; a rate needs two
  std::int64_t networks = 0;                 // of each width, at least 2
  Precision precision = Precision::float64;  // of its networks
  Sampler sample;
  std::function<Prediction()> predict = {};  // of its networks, or none
  std::function<CheckResult()> check = {};   // decides about the kernel, for the report; or none
};

/// Processes that carry out one run together, in one folder that all of them see. Each draws its share; the
/// first one, rank 0, says what is missing and summarizes.
struct Team {
  int rank = 0;
  int size = 1;
  /// At every rank, the chunks that rank 0 passes.
  std::function<std::vector<std::size_t>(std::vector<std::size_t>)> from_first =
      [](std::vector<std::size_t> chunks) { return chunks; };
  /// Returns when all ranks have called it.
  std::function<void()> wait = [] {};
};

struct RunSettings {
  Part shard;  // draw only this part of the run
  Team team;
  Progress progress;  // told of each network, with the share of this process's work estimated from the widths
  Notice notice = [](const std::string&) {};
};

struct RunResult {
  std::int64_t networks = 0;  // of the whole run
  std::int64_t missing = 0;   // of these, not drawn yet by any shard; the rest is empty unless 0
  std::int64_t drawn = 0;     // of these, by this process and its team now
  Summary summary;
  std::vector<kernels::Kernel>
      widest;  // of each experiment, the mean at its widest width; empty without samples/
  std::vector<std::string> verdicts;  // of each experiment: "agree: no entry …", or "" if it was not checked
  std::string warning;                // why a plot is missing, or ""
};

/// Throws CompareError unless the folder can be made, or written if it is there, and holds nothing or a run.
void check_folder(const std::filesystem::path& folder);

/// Draws all networks and writes, into `folder`:
///   run.json         the experiments' descriptions and `provenance` (versions, machine, seed, …)
///   kernel_NAME.json the analytic kernel of experiment NAME
///   predicted_NAME.json what Experiment::predict says, before the first network; once
///   samples/R.log    what rank R drew, chunk by chunk as it arrives (see sample_store.hpp)
/// and when none is missing:
///   samples.csv      one row per network: experiment, width, network, and those of NetworkColumns; a number
///                    that there is not, as the experiment has fewer inputs than another, is left out
///   empirical_NAME.json   the mean kernel of the widest networks, in the format of kernel_NAME.json
///   check_NAME.json  what Experiment::check found, if there is one; a check is not made twice
///   summary.json, and the report with its pictures (see write_report)
/// Whatever is recorded of the same experiments (equal descriptions, equal kernels within their error bounds
/// and standard errors)
/// is used; numbers and pictures are the same, to the bit, however often a run was interrupted and whoever
/// drew what. A finished run without samples/ is left as it is, and its summary read. Throws CompareError if
/// the folder holds anything else, which it leaves alone, or the results would not fit the memory. Stopped
/// says how much is recorded: all whole chunks.
RunResult run(const std::vector<Experiment>& experiments, const std::filesystem::path& folder,
              const nlohmann::ordered_json& provenance, const RunSettings& settings = {});

/// Puts what is recorded in several folders of one run, shards or unfinished, into `folder`, which is then a
/// run like any other, finished if nothing is missing. Throws CompareError, before it writes, if they are not
/// of one run, or record the same networks with different numbers. Throws Stopped; the same call goes on.
RunResult merge(const std::vector<std::filesystem::path>& folders, const std::filesystem::path& folder,
                const Notice& notice, const Progress& progress = {});

/// Bytes that the records and samples.csv of an experiment with a kernel size×size take, about.
double disk_bytes(const std::vector<std::int64_t>& widths, std::int64_t networks, Eigen::Index size);

/// The curves of a finished run. Throws CompareError if the folder holds none.
std::vector<Curve> curves(const std::filesystem::path& folder);

/// Versions of nngpcheck (and the commit it was built from), Eigen, Boost and the compiler, processor, cores
/// and the time, for `provenance`.
nlohmann::ordered_json provenance();

}  // namespace nngpcheck::compare
