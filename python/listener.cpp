#include "python/listener.hpp"

#include <pybind11/stl.h>

namespace nngpcheck::python {

namespace py = pybind11;

Listener::Listener(py::object report) : report_(std::move(report)) {}

Progress Listener::kept() {
  Progress::Report keep;
  if (!report_.is_none()) {
    keep = [this](std::optional<double> fraction, const std::string& what) {
      const std::lock_guard lock(mutex_);
      latest_.emplace(fraction, what);
    };
  }
  return Progress(keep, [this] { return stop_.load(); });
}

Progress Listener::immediate() {
  Progress::Report keep;
  if (!report_.is_none()) {
    keep = [this](std::optional<double> fraction, const std::string& what) {
      {
        const std::lock_guard lock(mutex_);
        latest_.emplace(fraction, what);
      }
      polled();
    };
  }
  return Progress(keep, [this] { return polled(); });
}

/// Whether to stop; in the listener's own thread it polls, if it is time.
bool Listener::polled() {
  if (std::this_thread::get_id() != thread_ || stop_) return stop_;
  const auto now = std::chrono::steady_clock::now();
  if (now - last_ < std::chrono::milliseconds(100)) return false;
  const py::gil_scoped_acquire acquire;
  poll();
  last_ = std::chrono::steady_clock::now();
  return stop_;
}

void Listener::poll() {
  if (raised_) return;
  try {
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    std::optional<std::pair<std::optional<double>, std::string>> report;
    {
      const std::lock_guard lock(mutex_);
      report.swap(latest_);
    }
    if (report) report_(report->first, report->second);
  } catch (py::error_already_set& error) {
    raised_.emplace(error);
    stop_ = true;
  }
}

void Listener::rethrow() const {
  if (raised_) throw py::error_already_set(*raised_);
}

}  // namespace nngpcheck::python
