#include "cli/check_display.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace nngpcheck::cli {

CheckDisplay::CheckDisplay(bool visible)
    : visible_(visible),
      terminal_(::isatty(2) == 1),
      // On a terminal the first network shows; in a log, only what takes its time.
      shown_(terminal_ ? Clock::time_point() : Clock::now()) {}

CheckDisplay::~CheckDisplay() { clear(); }

void CheckDisplay::show(const std::string& experiment, const compare::DrawProgress& progress) {
  const auto now = Clock::now();
  const auto pause = terminal_ ? std::chrono::milliseconds(200) : std::chrono::seconds(10);
  if (!visible_ || now - shown_ < pause) return;
  shown_ = now;
  const compare::LadderRequest& request = progress.request;
  const std::string line = fmt::format(
      "{}: ladders {} to {}: width {} of {} to {}: {} of {} networks", experiment, request.first + 1,
      request.first + static_cast<std::uint64_t>(request.count), progress.width, request.widths.front(),
      request.widths.back(), progress.networks, request.count);
  fmt::print(stderr, "{}{}{}", terminal_ ? "\r\x1b[K" : "", line, terminal_ ? "" : "\n");
  std::fflush(stderr);
  drawn_ = terminal_;
}

void CheckDisplay::clear() {
  if (drawn_) fmt::print(stderr, "\r\x1b[K");
  drawn_ = false;
}

}  // namespace nngpcheck::cli
