#include "cli/command_line.hpp"
#include "cli/hand_over.hpp"
#include "cli/launcher.hpp"

// LibTorch takes half a second to load and MPI a tenth, and neither is here: commands that need them are
// another executable's.
int main(int argc, char** argv) {
  using namespace nngpcheck::cli;
  const auto elsewhere = [argv](const auto&) -> int { hand_over(argv, "draws networks"); };
  const auto kernel_alone = [argv](const KernelOptions& options) {
    if (!options.block && started_with_others()) hand_over(argv, "is to be divided among ranks");
    kernel(options);
  };
  return run_command_line(argc, argv, {kernel_alone, elsewhere, elsewhere, elsewhere});
}
