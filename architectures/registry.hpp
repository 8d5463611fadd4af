// Every named architecture.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "nngpcheck/architectures/network.hpp"

namespace nngpcheck::architectures {

/// A family of networks and its options.
struct Architecture {
  std::string name;
  std::string summary;
  std::string inputs;  // what it reads: "vectors", "sequences", "grids", "graph"
  std::vector<OptionInfo> options;
  /// Throws ArchitectureError for settings that do not fit.
  std::function<Network(const Settings&)> make;
};

/// All of them.
const std::vector<Architecture>& all();

/// The one of that name. Throws ArchitectureError with what is meant or valid if there is none.
const Architecture& find(const std::string& name);

}  // namespace nngpcheck::architectures
