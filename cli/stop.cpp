#include "cli/stop.hpp"

namespace nngpcheck::cli {

namespace {

volatile std::sig_atomic_t asked = 0;

}  // namespace

StopOnSignal::StopOnSignal() {
  asked = 0;
  struct sigaction action = {};
  action.sa_handler = [](int) { asked = 1; };
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  ::sigaction(SIGINT, &action, &interrupt_);
  ::sigaction(SIGTERM, &action, &terminate_);
}

StopOnSignal::~StopOnSignal() {
  ::sigaction(SIGINT, &interrupt_, nullptr);
  ::sigaction(SIGTERM, &terminate_, nullptr);
}

bool StopOnSignal::requested() const { return asked != 0; }

}  // namespace nngpcheck::cli
