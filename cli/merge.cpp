#include <algorithm>

#include "cli/commands.hpp"
#include "cli/show_result.hpp"
#include "cli/watch.hpp"
#include "nngpcheck/compare/runs/run.hpp"
#include "nngpcheck/files/atomic_file.hpp"
#include "nngpcheck/kernels/kernel_file.hpp"
#include "nngpcheck/kernels/kernel_part.hpp"

namespace nngpcheck::cli {

namespace {

void merge_kernel(const MergeOptions& options) {
  const kernels::KernelFormat format = kernels::kernel_format(options.out);
  files::AtomicFile file(options.out);
  kernels::PartMerger merger;
  for (const std::filesystem::path& part : options.parts) merger.add(kernels::read_part(part), part.string());
  file.commit(serialize(merger.take(), format));
}

}  // namespace

void merge(const MergeOptions& options) {
  if (std::any_of(options.parts.begin(), options.parts.end(), kernels::is_part)) return merge_kernel(options);
  Watch watch(/*visible=*/true);
  const compare::RunResult result = compare::merge(options.parts, options.out, tell, watch.progress());
  watch.clear();
  show_result(result, options.out);
}

}  // namespace nngpcheck::cli
