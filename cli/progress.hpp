#pragma once

#include <chrono>
#include <string>

#include "compare/run.hpp"

namespace nngpcheck::cli {

/// "40 s", "3 min", "2.5 h", "4.0 days".
std::string duration_text(double seconds);

/// Shows how far a run is, on standard error. On a terminal a bar per width, with the rate and the time left
/// of the whole run; otherwise a line per finished width, if the last one is a second ago, and in
/// between one every ten seconds.
class ProgressDisplay {
 public:
  explicit ProgressDisplay(bool visible);
  /// Ends the line of an unfinished bar.
  ~ProgressDisplay();
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

  void show(const compare::Progress& progress);

 private:
  using Clock = std::chrono::steady_clock;

  void draw_bar(const compare::Progress& progress, const std::string& rate_and_time);

  bool visible_;
  bool terminal_;
  bool unfinished_ = false;  // the cursor stands behind a bar
  Clock::time_point start_;
  Clock::time_point width_start_;
  Clock::time_point shown_;
};

}  // namespace nngpcheck::cli
