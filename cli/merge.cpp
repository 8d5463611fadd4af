#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/show_result.hpp"
#include "cli/watch.hpp"
#include "nngpcheck/compare/runs/run.hpp"

namespace nngpcheck::cli {

void merge(const MergeOptions& options) {
  Watch watch(/*visible=*/true);
  const compare::RunResult result = compare::merge(options.folders, options.out, tell, watch.progress());
  watch.clear();
  show_result(result, options.out);
}

}  // namespace nngpcheck::cli
