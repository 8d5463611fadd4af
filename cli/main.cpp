#include "cli/command_line.hpp"
#include "cli/hand_over.hpp"

// LibTorch takes half a second to load, and is not here: commands that need it are another executable's.
int main(int argc, char** argv) {
  const auto elsewhere = [argv](const auto&) -> int { nngpcheck::cli::hand_over(argv); };
  return nngpcheck::cli::run_command_line(argc, argv, {elsewhere, elsewhere, elsewhere});
}
