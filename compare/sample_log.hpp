#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace nngpcheck::compare {

/// The networks of one experiment.
struct LoggedSweep {
  std::string experiment;
  std::vector<std::int64_t> widths;
  std::int64_t networks = 0;
};

/// The numbers of a run, one per network, in a tidy CSV file
///
///     experiment,width,network,relative_squared_error
///
/// in the order of experiments, then widths, then networks, appended as they arrive. A file that an
/// interrupted run left behind, cut off at any byte, is continued: what follows its last whole line is
/// dropped.
class SampleLog {
 public:
  /// Opens or creates the file, and locks it. Throws CompareError if it is open elsewhere, cannot be
  /// written, or holds rows that are not the first ones of these sweeps.
  SampleLog(std::filesystem::path file, std::vector<LoggedSweep> sweeps);
  ~SampleLog();
  SampleLog(const SampleLog&) = delete;
  SampleLog& operator=(const SampleLog&) = delete;

  /// All numbers of experiment e at its w-th width so far.
  const std::vector<double>& errors(std::size_t e, std::size_t w) const { return errors_[e][w]; }

  /// Adds the next number of experiment e at its w-th width. Throws CompareError if the disk is full.
  /// Precondition: everything before is complete.
  void append(std::size_t e, std::size_t w, double error);

  /// Waits until all rows are on the disk.
  void sync();

 private:
  std::string row(std::size_t e, std::size_t w, std::size_t network) const;
  std::size_t read(const std::string& contents);

  std::filesystem::path file_;
  std::vector<LoggedSweep> sweeps_;
  std::vector<std::vector<std::vector<double>>> errors_;  // [experiment][width][network]
  int descriptor_ = -1;
  std::chrono::steady_clock::time_point synced_;
};

}  // namespace nngpcheck::compare
