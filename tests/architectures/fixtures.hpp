#pragma once

#include <gmock/gmock.h>

#include <cmath>
#include <initializer_list>

#include "nngpcheck/architectures/options.hpp"
#include "nngpcheck/inputs/inputs.hpp"

namespace nngpcheck::testing {

/// Expects that the call throws an InputError whose message holds all of these parts, about that option (""
/// for none).
template <class Call>
void expect_refused(Call call, const std::string& key, std::initializer_list<const char*> parts) {
  try {
    call();
  } catch (const InputError& error) {
    const auto* of_option = dynamic_cast<const architectures::ArchitectureError*>(&error);
    EXPECT_EQ(of_option ? of_option->key() : "", key);
    for (const char* part : parts) EXPECT_THAT(error.what(), ::testing::HasSubstr(part));
    return;
  }
  ADD_FAILURE() << "not refused: " << *parts.begin();
}

/// Plain vectors of dimension 3, labelled "0", "1", …
inline inputs::Inputs vectors(int count) {
  inputs::Inputs result;
  result.data.resize(3, count);
  for (int j = 0; j < count; ++j) {
    result.data.col(j) << std::sin(3 * j), std::cos(1 + 2 * j), 0.5 * j;
    result.labels.push_back(std::to_string(j));
  }
  return result;
}

/// Sequences of these lengths.
inline inputs::Inputs sentences(const std::vector<Eigen::Index>& lengths) {
  Eigen::Index total = 0;
  for (const Eigen::Index length : lengths) total += length;
  inputs::Inputs result = vectors(static_cast<int>(total));
  result.lengths = lengths;
  return result;
}

}  // namespace nngpcheck::testing
