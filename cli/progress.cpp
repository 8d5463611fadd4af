#include "cli/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>

namespace nngpcheck::cli {

ProgressDisplay::ProgressDisplay() : terminal_(::isatty(2) == 1), start_(Clock::now()) {}

ProgressDisplay::~ProgressDisplay() {
  if (terminal_ && first_ >= 0) fmt::print(stderr, "\r\x1b[K");
}

void ProgressDisplay::show(const compare::Progress& progress) {
  if (first_ < 0) first_ = progress.fraction;
  const bool last = progress.network == progress.experiment.networks;
  const std::string& name = progress.experiment.name;
  if (!terminal_) {
    if (last) {
      fmt::print(stderr, "{}: width {}: {} networks; {:.0f} % done{}\n", name, progress.width,
                 progress.network, 100 * progress.fraction, time_left(progress.fraction));
    }
    return;
  }
  const auto now = Clock::now();
  if (now - drawn_ < std::chrono::milliseconds(100) && !last) return;
  drawn_ = now;
  constexpr int length = 30;
  const auto full = static_cast<std::size_t>(std::lround(length * progress.fraction));
  fmt::print(stderr, "\r\x1b[K[{}{}] {:3.0f} %  {}, width {}: {} of {}{}", std::string(full, '#'),
             std::string(length - full, ' '), 100 * progress.fraction, name, progress.width, progress.network,
             progress.experiment.networks, time_left(progress.fraction));
  std::fflush(stderr);
}

std::string ProgressDisplay::time_left(double fraction) const {
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  const double done = fraction - first_;
  if (seconds < 1 || done <= 0 || fraction >= 1) return "";
  const double left = seconds / done * (1 - fraction);
  if (left < 90) return fmt::format(", about {:.0f} s left", left);
  if (left < 5400) return fmt::format(", about {:.0f} min left", left / 60);
  return fmt::format(", about {:.1f} h left", left / 3600);
}

}  // namespace nngpcheck::cli
