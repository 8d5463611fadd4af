#pragma once

#include <csignal>

namespace nngpcheck::cli {

/// While it lives, the first SIGINT or SIGTERM only asks to stop; the second one kills as usual.
class StopOnSignal {
 public:
  StopOnSignal();
  /// Puts the handlers that were there back.
  ~StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;

  bool requested() const;

 private:
  struct sigaction interrupt_, terminate_;  // as they were
};

}  // namespace nngpcheck::cli
