#include <mpi.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <thread>

#include "cli/launcher.hpp"
#include "cli/ranks.hpp"

namespace nngpcheck::cli {

namespace {

bool running() {
  int initialized = 0, finalized = 0;
  MPI_Initialized(&initialized);
  MPI_Finalized(&finalized);
  return initialized && !finalized;
}

constexpr std::uint64_t most_at_once = 1 << 30;  // MPI counts in int

void send(const std::string& bytes) {
  const auto count = static_cast<std::uint64_t>(bytes.size());
  MPI_Send(&count, 1, MPI_UINT64_T, 0, 0, MPI_COMM_WORLD);
  for (std::uint64_t at = 0; at < count; at += most_at_once)
    MPI_Send(bytes.data() + at, static_cast<int>(std::min(most_at_once, count - at)), MPI_BYTE, 0, 0,
             MPI_COMM_WORLD);
}

std::string received(int rank) {
  std::uint64_t count = 0;
  MPI_Recv(&count, 1, MPI_UINT64_T, rank, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  std::string result(count, '\0');
  for (std::uint64_t at = 0; at < count; at += most_at_once)
    MPI_Recv(result.data() + at, static_cast<int>(std::min(most_at_once, count - at)), MPI_BYTE, rank, 0,
             MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  return result;
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

int Ranks::threads() const {
  if (on_this_machine_ == 1) return 0;
  // mpirun binds ranks to processors, or leaves all to all of them.
  const auto usable = static_cast<int>(std::thread::hardware_concurrency());
  const bool bound = usable < ::sysconf(_SC_NPROCESSORS_ONLN);
  return std::max(1, bound ? usable : usable / on_this_machine_);
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

KernelTeam Ranks::kernel_team() const {
  KernelTeam result{{rank_, size_}, threads()};
  result.gather = [rank = rank_, size = size_](const std::string& bytes, const auto& take) {
    if (rank > 0) return send(bytes);
    for (int other = 1; other < size; ++other) take(other, received(other));
  };
  return result;
}

void abandon_ranks(int status) {
  if (running()) MPI_Abort(MPI_COMM_WORLD, status);
}

}  // namespace nngpcheck::cli
