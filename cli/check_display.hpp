#pragma once

#include <chrono>
#include <string>

#include "compare/program_check.hpp"

namespace nngpcheck::cli {

/// Shows what a check is drawing, on standard error: on a terminal a line that is overwritten and gone when a
/// verdict stands; otherwise a line every ten seconds.
class CheckDisplay {
 public:
  explicit CheckDisplay(bool visible);
  ~CheckDisplay();
  CheckDisplay(const CheckDisplay&) = delete;
  CheckDisplay& operator=(const CheckDisplay&) = delete;

  void show(const std::string& experiment, const compare::DrawProgress& progress);
  /// Removes the line.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  bool visible_;
  bool terminal_;
  bool drawn_ = false;
  Clock::time_point shown_;
};

}  // namespace nngpcheck::cli
