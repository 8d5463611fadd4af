#include "cli/command_line.hpp"
#include "cli/ranks.hpp"

namespace {

void kernel_with_ranks(const nngpcheck::cli::KernelOptions& options) {
  const nngpcheck::cli::Ranks ranks(!options.block);
  kernel(options, ranks.kernel_team());
}

}  // namespace

// All commands: nngpcheck gives this executable its place for those that draw networks, and for ranks.
int main(int argc, char** argv) {
  using namespace nngpcheck;
  const int status = cli::run_command_line(argc, argv, {kernel_with_ranks, cli::run, cli::check, cli::power});
  if (status != 0) cli::abandon_ranks(status);
  return status;
}
