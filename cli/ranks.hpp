// Processes of one run or kernel that mpirun or srun started.
#pragma once

#include "cli/commands.hpp"
#include "nngpcheck/compare/runs/run.hpp"

namespace nngpcheck::cli {

/// This process among the others. MPI is used only where this process was started with others; otherwise it
/// is alone, rank 0 of 1.
class Ranks {
 public:
  /// Throws UsageError if there are others to work with, but nngpcheck was built without MPI.
  explicit Ranks(bool together);
  /// Waits for the others, unless an exception is on its way.
  ~Ranks();
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  bool first() const { return rank_ == 0; }
  /// How many of the ranks share this machine.
  int on_this_machine() const { return on_this_machine_; }
  /// Of this rank: the processors that it is bound to, or its part of the machine's; 0, all, where it is
  /// alone there.
  int threads() const;
  compare::Team team() const;
  KernelTeam kernel_team() const;

 private:
  int rank_ = 0;
  int size_ = 1;
  int on_this_machine_ = 1;
};

/// Ends all ranks of a run that this one leaves with an error, so that none waits for it. Nothing without
/// others.
void abandon_ranks(int status);

}  // namespace nngpcheck::cli
