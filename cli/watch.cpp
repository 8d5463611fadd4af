#include "cli/watch.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <cstdio>

namespace nngpcheck::cli {

namespace {

std::atomic<bool> stop_requested = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler sets it");

void request_stop(int) { stop_requested = true; }

const std::string clear_line = "\r\x1b[K", no_wrap = "\x1b[?7l", wrap = "\x1b[?7h";

}  // namespace

std::string duration_text(double seconds) {
  if (seconds < 90) return fmt::format("{:.0f} s", std::ceil(seconds));
  if (seconds < 5400) return fmt::format("{:.0f} min", seconds / 60);
  if (seconds < 2 * 86400) return fmt::format("{:.1f} h", seconds / 3600);
  return fmt::format("{:.1f} days", seconds / 86400);
}

Watch::Watch(bool visible) : terminal_(::isatty(2) == 1), shown_(Clock::now()) {
  stop_requested = false;
  struct sigaction action = {};
  action.sa_handler = request_stop;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  ::sigaction(SIGINT, &action, &interrupt_);
  ::sigaction(SIGTERM, &action, &terminate_);
  Progress::Report report;
  if (visible)
    report = [this](std::optional<double> fraction, const std::string& what) { show(fraction, what); };
  progress_ = Progress(report, [] { return stop_requested.load(); });
}

Watch::~Watch() {
  clear();
  ::sigaction(SIGINT, &interrupt_, nullptr);
  ::sigaction(SIGTERM, &terminate_, nullptr);
}

/// At the pace since the first report.
std::string Watch::time_left(Clock::time_point now, double fraction) {
  if (!first_fraction_ || fraction < *first_fraction_) {
    first_fraction_ = fraction;
    first_ = now;
  }
  const double elapsed = std::chrono::duration<double>(now - first_).count();
  if (elapsed < 1 || fraction <= *first_fraction_) return "";
  return fmt::format(", about {} left",
                     duration_text(elapsed * (1 - fraction) / (fraction - *first_fraction_)));
}

void Watch::show(std::optional<double> fraction, const std::string& what) {
  const auto now = Clock::now();
  std::string line;
  if (fraction) line = fmt::format("{:.0f} %{}: ", std::floor(100 * *fraction), time_left(now, *fraction));
  const auto pause = std::chrono::seconds(terminal_ ? 1 : 10);
  if (!drawn_ && now - shown_ < pause) return;
  shown_ = now;
  drawn_ = terminal_;
  line += what;
  fmt::print(stderr, "{}", terminal_ ? clear_line + no_wrap + line + wrap : line + "\n");
  std::fflush(stderr);
}

void Watch::clear() {
  if (drawn_) fmt::print(stderr, "{}", clear_line);
  drawn_ = false;
  shown_ = Clock::now();
}

}  // namespace nngpcheck::cli
