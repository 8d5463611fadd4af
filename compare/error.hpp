#pragma once

#include <stdexcept>

namespace nngpcheck::compare {

/// A comparison that cannot be made or recorded as asked. The message names the file, folder or experiment,
/// the problem and the remedy.
class CompareError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace nngpcheck::compare
