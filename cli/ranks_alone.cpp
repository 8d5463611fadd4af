// Without MPI.
#include <cstdlib>
#include <string>

#include "cli/ranks.hpp"
#include "cli/usage_error.hpp"

namespace nngpcheck::cli {

Ranks::Ranks(bool together) {
  if (!together) return;
  for (const char* variable : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}) {
    const char* value = std::getenv(variable);
    if (!value || std::string(value) == "1") continue;
    throw UsageError(
        "started by mpirun, but built without MPI: all ranks would do the same; build again with "
        "libopenmpi-dev installed, or give each process a --shard of a run, a --block of a kernel");
  }
}

Ranks::~Ranks() = default;

int Ranks::threads() const { return 0; }

compare::Team Ranks::team() const { return {}; }

KernelTeam Ranks::kernel_team() const { return {}; }

void abandon_ranks(int) {}

}  // namespace nngpcheck::cli
