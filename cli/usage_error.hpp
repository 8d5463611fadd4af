#pragma once

#include <stdexcept>

namespace nngpcheck::cli {

/// A command line that makes no sense.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace nngpcheck::cli
