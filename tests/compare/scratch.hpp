#pragma once

#include "nngpcheck/compare/error.hpp"
#include "tests/scratch.hpp"

namespace nngpcheck::compare {

/// The message of the Error that `work` throws; "" if it throws none.
template <class Work>
std::string error_of(Work&& work) {
  return message_of<Error>(work);
}

}  // namespace nngpcheck::compare
