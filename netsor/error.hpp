#pragma once

#include <stdexcept>

namespace nngpcheck::netsor {

/// A program that may not be built, or a width at which it may not be run. The message names the
/// instruction, the problem and the remedy.
class ProgramError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

}  // namespace nngpcheck::netsor
