#include "cli/hand_over.hpp"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

#include "cli/usage_error.hpp"

namespace nngpcheck::cli {

void hand_over(char** argv, const std::string& reason) {
  const std::filesystem::path here = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  const std::filesystem::path installed =
      (here / NNGPCHECK_LIBEXEC / "nngpcheck-networks").lexically_normal();
  for (const std::filesystem::path& executable : {here / "nngpcheck-networks", installed}) {
    ::execv(executable.c_str(), argv);
    if (errno != ENOENT)
      throw std::system_error(errno, std::generic_category(), executable.string() + " cannot be started");
  }
  throw UsageError(std::string(argv[1]) + " " + reason + ", for which there is no " + installed.string() +
                   ": build nngpcheck with LibTorch (apt-get install libtorch-dev, -DNNGPCHECK_LIBTORCH=ON), "
                   "and install all of it");
}

}  // namespace nngpcheck::cli
