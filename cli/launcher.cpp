#include "cli/launcher.hpp"

#include <cstdlib>
#include <string>

namespace nngpcheck::cli {

bool started_with_others() {
  for (const char* variable : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}) {
    if (const char* size = std::getenv(variable)) return std::string(size) != "1";
  }
  return std::getenv("PMIX_RANK") != nullptr;  // their number is not in the environment
}

}  // namespace nngpcheck::cli
