// Every architecture on inputs small enough to be sampled often.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "nngpcheck/architectures/network.hpp"

namespace nngpcheck::testing {

struct Case {
  std::string name;  // the architecture's, with what is special behind a blank
  architectures::Network network;
  inputs::Inputs inputs;

  friend void PrintTo(const Case& given, std::ostream* stream) { *stream << given.name; }
};

/// Of every named architecture.
std::vector<Case> conformance_cases();

/// Of layers that none of them has.
std::vector<Case> layer_cases();

}  // namespace nngpcheck::testing
