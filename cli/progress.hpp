#pragma once

#include <chrono>
#include <string>

#include "compare/run.hpp"

namespace nngpcheck::cli {

/// Shows how far a run is, on standard error: a bar with an estimate of the time left on a terminal, a line
/// per finished width otherwise.
class ProgressDisplay {
 public:
  ProgressDisplay();
  /// Clears the bar.
  ~ProgressDisplay();
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

  void show(const compare::Progress& progress);

 private:
  using Clock = std::chrono::steady_clock;

  std::string time_left(double fraction) const;

  bool terminal_;
  Clock::time_point start_;
  Clock::time_point drawn_;
  double first_ = -1;  // the fraction that was done at the start: a continued run begins in the middle
};

}  // namespace nngpcheck::cli
