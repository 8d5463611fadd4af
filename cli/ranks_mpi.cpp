#include <mpi.h>

#include <cstdlib>
#include <exception>

#include "cli/ranks.hpp"

namespace nngpcheck::cli {

namespace {

bool started_with_others() {
  for (const char* variable : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK"}) {
    if (std::getenv(variable)) return true;
  }
  return false;
}

bool running() {
  int initialized = 0, finalized = 0;
  MPI_Initialized(&initialized);
  MPI_Finalized(&finalized);
  return initialized && !finalized;
}

}  // namespace

Ranks::Ranks(bool together) {
  if (!together || !started_with_others()) return;
  MPI_Init(nullptr, nullptr);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
  MPI_Comm_size(MPI_COMM_WORLD, &size_);
  MPI_Comm machine;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
  MPI_Comm_size(machine, &on_this_machine_);
  MPI_Comm_free(&machine);
}

Ranks::~Ranks() {
  if (running() && std::uncaught_exceptions() == 0) MPI_Finalize();
}

compare::Team Ranks::team() const {
  compare::Team result{rank_, size_};
  if (size_ == 1) return result;
  result.from_first = [](std::vector<std::size_t> chunks) {
    static_assert(sizeof(std::size_t) == sizeof(std::uint64_t));
    auto count = static_cast<std::uint64_t>(chunks.size());
    MPI_Bcast(&count, 1, MPI_UINT64_T, 0, MPI_COMM_WORLD);
    chunks.resize(count);
    MPI_Bcast(chunks.data(), static_cast<int>(count), MPI_UINT64_T, 0, MPI_COMM_WORLD);
    return chunks;
  };
  result.wait = [] { MPI_Barrier(MPI_COMM_WORLD); };
  return result;
}

void abandon_ranks(int status) {
  if (running()) MPI_Abort(MPI_COMM_WORLD, status);
}

}  // namespace nngpcheck::cli
