#pragma once

namespace nngpcheck::cli {

/// Whether mpirun or srun started this process with others.
bool started_with_others();

}  // namespace nngpcheck::cli
