// What is typed, as a command and its options.
#pragma once

#include <functional>

#include "cli/commands.hpp"

namespace nngpcheck::cli {

/// The commands that need LibTorch, as they draw networks, or MPI.
struct NetworkCommands {
  std::function<void(const KernelOptions&)> kernel;
  std::function<void(const RunOptions&)> run;
  std::function<int(const CheckOptions&)> check;
  std::function<bool(const PowerOptions&)> power;
};

/// Does what the command line says. Returns the exit status; what goes wrong is said on standard error.
int run_command_line(int argc, char** argv, const NetworkCommands& networks);

}  // namespace nngpcheck::cli
