#include "cli/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>

namespace nngpcheck::cli {

namespace {

double seconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

std::string duration_text(double seconds) {
  if (seconds < 90) return fmt::format("{:.0f} s", std::ceil(seconds));
  if (seconds < 5400) return fmt::format("{:.0f} min", seconds / 60);
  if (seconds < 2 * 86400) return fmt::format("{:.1f} h", seconds / 3600);
  return fmt::format("{:.1f} days", seconds / 86400);
}

ProgressDisplay::ProgressDisplay(bool visible)
    : visible_(visible),
      terminal_(::isatty(2) == 1),
      start_(Clock::now()),
      width_start_(start_),
      shown_(start_) {}

ProgressDisplay::~ProgressDisplay() {
  if (unfinished_) fmt::print(stderr, "\n");
}

void ProgressDisplay::show(const compare::Progress& progress) {
  if (!visible_) return;
  const auto now = Clock::now();
  const bool last = progress.network == progress.networks;
  const auto pause = terminal_ ? std::chrono::milliseconds(100) : std::chrono::seconds(10);
  // In a log, widths that take no time need no line.
  const bool worth_a_line =
      terminal_ || now - shown_ > std::chrono::seconds(1) || progress.fraction > 1 - 1e-9;
  if (last ? !worth_a_line : now - shown_ < pause) {
    if (last) width_start_ = now;
    return;
  }
  shown_ = now;
  const double elapsed = seconds(now - start_), on_width = seconds(now - width_start_);
  std::string rate_and_time =
      fmt::format(", {:.3g} networks/s", static_cast<double>(progress.network) / std::max(on_width, 1e-3));
  if (elapsed > 1 && progress.fraction < 1 - 1e-9) {
    rate_and_time +=
        fmt::format(", about {} left", duration_text(elapsed / progress.fraction * (1 - progress.fraction)));
  }
  if (terminal_) {
    draw_bar(progress, rate_and_time);
  } else {
    fmt::print(stderr, "{}: width {}: {} networks; {:.0f} % done{}\n", progress.experiment.name,
               progress.width,
               last ? fmt::to_string(progress.network)
                    : fmt::format("{} of {}", progress.network, progress.networks),
               100 * progress.fraction, rate_and_time);
  }
  if (last) width_start_ = now;
}

void ProgressDisplay::draw_bar(const compare::Progress& progress, const std::string& rate_and_time) {
  constexpr int length = 24;
  const auto full = static_cast<std::size_t>(length * progress.network / progress.networks);
  unfinished_ = progress.network < progress.networks;
  fmt::print(stderr, "\r\x1b[K[{}{}] {}, width {}: {} of {}{}{}", std::string(full, '#'),
             std::string(length - full, ' '), progress.experiment.name, progress.width, progress.network,
             progress.networks, rate_and_time, unfinished_ ? "" : "\n");
  std::fflush(stderr);
}

}  // namespace nngpcheck::cli
