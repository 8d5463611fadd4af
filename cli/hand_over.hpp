#pragma once

#include <string>

namespace nngpcheck::cli {

/// Makes this process the executable nngpcheck-networks with the same arguments, so that its number, signals,
/// ranks and exit status are those of one process. It lies beside this executable, as in a build folder, or
/// in the folder libexec of the installation. Throws UsageError, with the reason why the command needs it
/// ("draws networks"), if it is in neither, as in builds without LibTorch.
[[noreturn]] void hand_over(char** argv, const std::string& reason);

}  // namespace nngpcheck::cli
