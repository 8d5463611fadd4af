#pragma once

#include "nngpcheck/support/error.hpp"
#include "tests/scratch.hpp"

namespace nngpcheck {

/// The message of the InputError that `work` throws; "" if it throws none.
template <class Work>
std::string error_of(Work&& work) {
  return message_of<InputError>(work);
}

}  // namespace nngpcheck
