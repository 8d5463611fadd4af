#include "nngpcheck/support/progress.hpp"

#include <atomic>
#include <mutex>

namespace nngpcheck {

namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

struct Progress::Shared {
  Report report;
  StopRequested stop_requested;
  Clock::duration pause;
  std::atomic<Clock::rep> next = Clock::time_point::min().time_since_epoch().count();  // report; when
  std::mutex reporting = {};
};

Progress::Progress(Report report, StopRequested stop_requested, std::chrono::milliseconds pause)
    : shared_(new Shared{std::move(report), std::move(stop_requested), pause}) {}

Progress Progress::named(const std::string& name) const {
  Progress result = *this;
  result.prefix_ += name + ": ";
  return result;
}

Progress Progress::silent() const {
  Progress result = *this;
  result.silent_ = true;
  return result;
}

bool Progress::stop_requested() const {
  return shared_ && shared_->stop_requested && shared_->stop_requested();
}

void Progress::check() const {
  if (stop_requested()) throw Stopped(prefix_ + "stopped");
}

// Of several threads that find a report due, one makes it.
bool Progress::due() const {
  if (!shared_ || !shared_->report || silent_) return false;
  const Clock::duration now = Clock::now().time_since_epoch();
  Clock::rep next = shared_->next;
  return now.count() >= next && shared_->next.compare_exchange_strong(next, (now + shared_->pause).count());
}

void Progress::pass_on(std::optional<double> fraction, const std::string& what) const {
  const std::lock_guard lock(shared_->reporting);
  shared_->report(fraction, prefix_ + what);
}

}  // namespace nngpcheck
