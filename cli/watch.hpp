#pragma once

#include <chrono>
#include <csignal>
#include <optional>
#include <string>

#include "nngpcheck/support/progress.hpp"

namespace nngpcheck::cli {

/// "40 s", "3 min", "2.5 h", "4.0 days".
std::string duration_text(double seconds);

/// While it lives, the first SIGINT or SIGTERM only asks the computations that are given its progress() to
/// stop, and the second one kills as usual. What they report is shown on standard error: on a terminal as a
/// line that is overwritten, from the first second on; otherwise as a line every ten seconds.
class Watch {
 public:
  /// Of an invisible one, only signals are noticed.
  explicit Watch(bool visible);
  /// Removes the line, and puts the handlers that were there back.
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  const Progress& progress() const { return progress_; }

  /// Removes the line, before something else is printed.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  void show(std::optional<double> fraction, const std::string& what);
  std::string time_left(Clock::time_point now, double fraction);

  struct sigaction interrupt_, terminate_;  // as they were
  bool terminal_;
  bool drawn_ = false;  // a line
  Clock::time_point shown_;
  std::optional<double> first_fraction_;  // that was reported
  Clock::time_point first_;               // then
  Progress progress_;
};

}  // namespace nngpcheck::cli
