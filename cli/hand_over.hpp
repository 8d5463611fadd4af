#pragma once

namespace nngpcheck::cli {

/// Makes this process the executable nngpcheck-networks with the same arguments, so that its number, signals,
/// ranks and exit status are those of one process. It lies beside this executable, as in a build folder, or
/// in the folder libexec of the installation. Throws UsageError if it is in neither, as in builds without
/// LibTorch.
[[noreturn]] void hand_over(char** argv);

}  // namespace nngpcheck::cli
