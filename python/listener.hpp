// Python's signals and progress while the library computes.
#pragma once

#include <pybind11/pybind11.h>

#include <atomic>
#include <chrono>
#include <future>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "nngpcheck/support/progress.hpp"

namespace nngpcheck::python {

/// What a computation reports goes to a function report(fraction: float | None, what: str), or nowhere if
/// that is None; the computation is asked to stop once the function, or the handler of a signal, has raised
/// an exception. All of Python happens in the thread that made the listener. Create and destroy with the GIL.
class Listener {
 public:
  explicit Listener(pybind11::object report);

  /// For a computation in another thread: reports are kept until poll().
  Progress kept();
  /// For a computation in this thread, which does not hold the GIL: polls by itself, ten times a second.
  Progress immediate();

  /// With the GIL: handles signals and shows the latest report.
  void poll();
  /// With the GIL: throws what was raised, if anything was.
  void rethrow() const;

 private:
  bool polled();

  pybind11::object report_;
  std::thread::id thread_ = std::this_thread::get_id();
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  std::optional<std::pair<std::optional<double>, std::string>> latest_;
  std::optional<pybind11::error_already_set> raised_;
};

/// work(progress), without the GIL, in a thread of its own; this one listens.
template <class Work>
auto listening(const pybind11::object& report, const Work& work) {
  using Result = decltype(work(Progress()));
  Listener listener(report);
  std::packaged_task<Result()> task([&] { return work(listener.kept()); });
  std::future<Result> result = task.get_future();
  std::jthread thread(std::move(task));
  while (true) {
    {
      const pybind11::gil_scoped_release release;
      if (result.wait_for(std::chrono::milliseconds(50)) == std::future_status::ready) break;
    }
    listener.poll();
  }
  thread.join();
  listener.rethrow();
  return result.get();
}

}  // namespace nngpcheck::python
