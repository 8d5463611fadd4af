#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/show_result.hpp"
#include "compare/run.hpp"

namespace nngpcheck::cli {

void merge(const MergeOptions& options) {
  show_result(compare::merge(options.folders, options.out, tell), options.out);
}

}  // namespace nngpcheck::cli
