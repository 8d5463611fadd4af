// Every architecture by name.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "architectures/inputs.hpp"
#include "architectures/options.hpp"
#include "netsor/program.hpp"

namespace nngpcheck::architectures {

/// A family of networks: its options, and the program they make of some inputs.
struct Architecture {
  std::string name;
  std::string summary;
  std::vector<OptionInfo> options;
  /// Throws ArchitectureError for settings or inputs that do not fit.
  std::function<netsor::Program(const Settings&, const Inputs&)> build;
};

/// All of them.
const std::vector<Architecture>& all();

/// The one of that name. Throws ArchitectureError with the nearest valid name if there is none.
const Architecture& find(const std::string& name);

}  // namespace nngpcheck::architectures
