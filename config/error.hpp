#pragma once

#include <stdexcept>

namespace nngpcheck::config {

/// A file or setting that cannot be used. The message starts with the place (FILE:LINE, FILE, or the --set
/// that gave it) and states the problem and what would be valid.
class ConfigError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace nngpcheck::config
