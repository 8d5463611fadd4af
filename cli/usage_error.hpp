#pragma once

#include <string>

#include "nngpcheck/support/error.hpp"

namespace nngpcheck::cli {

/// A command line that makes no sense.
class UsageError : public Error {
 public:
  explicit UsageError(const std::string& message) : Error(Kind::usage, message) {}
};

}  // namespace nngpcheck::cli
