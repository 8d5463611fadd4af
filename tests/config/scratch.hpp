#pragma once

#include "config/error.hpp"
#include "tests/scratch.hpp"

namespace nngpcheck::config {

/// The message of the ConfigError that `work` throws; "" if it throws none.
template <class Work>
std::string error_of(Work&& work) {
  return message_of<ConfigError>(work);
}

}  // namespace nngpcheck::config
