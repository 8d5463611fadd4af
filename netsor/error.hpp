#pragma once

#include <string>

#include "nngpcheck/support/error.hpp"

namespace nngpcheck::netsor {

/// A program that may not be built, or a width at which it may not be run. The message names the
/// instruction, the problem and the remedy.
class ProgramError : public Error {
 public:
  explicit ProgramError(const std::string& message) : Error(Kind::program, message) {}
};

}  // namespace nngpcheck::netsor
