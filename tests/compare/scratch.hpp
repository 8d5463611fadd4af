#pragma once

#include "compare/error.hpp"
#include "tests/scratch.hpp"

namespace nngpcheck::compare {

/// The message of the CompareError that `work` throws; "" if it throws none.
template <class Work>
std::string error_of(Work&& work) {
  return message_of<CompareError>(work);
}

}  // namespace nngpcheck::compare
