#pragma once

#include <gmock/gmock.h>

#include <initializer_list>

#include "nngpcheck/netsor/error.hpp"

namespace nngpcheck::testing {

/// Expects that the call throws a ProgramError whose message holds all of these parts: the instruction, the
/// problem and the remedy.
template <class Call>
void expect_rejected(Call call, std::initializer_list<const char*> parts) {
  try {
    call();
  } catch (const netsor::ProgramError& error) {
    for (const char* part : parts) EXPECT_THAT(error.what(), ::testing::HasSubstr(part));
    return;
  }
  ADD_FAILURE() << "not rejected: " << *parts.begin();
}

}  // namespace nngpcheck::testing
