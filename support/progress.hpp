// How a long computation says where it stands, and how it is asked to stop.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

namespace nngpcheck {

/// A computation was asked to stop before it was done, and leaves no result.
class Stopped : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What a computation is given to report to and to be stopped by: a value, whose copies mean the same. Any
/// thread may call any member; reports are passed on one at a time.
class Progress {
 public:
  /// The share of the work that is done, where it is known, and what is being done.
  using Report = std::function<void(std::optional<double> fraction, const std::string& what)>;
  /// Asked often, and from any thread.
  using StopRequested = std::function<bool()>;

  /// Silent, and never stops.
  Progress() = default;

  /// Between two reports that are passed on, at least `pause` goes by; others are dropped.
  explicit Progress(Report report, StopRequested stop_requested = {},
                    std::chrono::milliseconds pause = std::chrono::milliseconds(100));

  /// The same, with "NAME: " before whatever is being done.
  Progress named(const std::string& name) const;

  /// Stopped by the same, and silent.
  Progress silent() const;

  bool stop_requested() const;

  /// Throws Stopped, which says "stopped" behind the names, if a stop is requested. To be called several
  /// times a second.
  void check() const;

  /// Passes on `fraction` and the text what(), which is not made if nobody wants it now.
  template <class What>
  void report(std::optional<double> fraction, const What& what) const {
    if (due()) pass_on(fraction, what());
  }

 private:
  struct Shared;

  bool due() const;
  void pass_on(std::optional<double> fraction, const std::string& what) const;

  std::shared_ptr<Shared> shared_;
  bool silent_ = false;
  std::string prefix_;
};

}  // namespace nngpcheck
