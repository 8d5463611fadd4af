#include "cli/command_line.hpp"
#include "cli/ranks.hpp"

// All commands: nngpcheck gives this executable its place for those that draw networks.
int main(int argc, char** argv) {
  using namespace nngpcheck;
  const int status = cli::run_command_line(argc, argv, {cli::run, cli::check, cli::power});
  if (status != 0) cli::abandon_ranks(status);
  return status;
}
