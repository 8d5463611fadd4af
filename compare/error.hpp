#pragma once

#include <string>

#include "nngpcheck/support/error.hpp"

namespace nngpcheck::compare {

/// A comparison that cannot be made or recorded as asked. The message names the file, folder or experiment,
/// the problem and the remedy.
class CompareError : public Error {
 public:
  explicit CompareError(const std::string& message) : Error(Kind::comparison, message) {}
};

}  // namespace nngpcheck::compare
