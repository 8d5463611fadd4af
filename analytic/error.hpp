#pragma once

#include <stdexcept>

namespace nngpcheck::analytic {

/// A limit that does not exist or cannot be computed as asked. The message names the instruction or entry,
/// the problem and the remedy.
class LimitError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace nngpcheck::analytic
